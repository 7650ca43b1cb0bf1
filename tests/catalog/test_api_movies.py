import json
from datetime import date
from pathlib import Path

import pytest

from catalog.models import Credit, Keyword, Movie, MovieGenre, MovieKeyword, Person
from catalog.services import record_rating
from tests.factories import GenreFactory, MovieFactory

pytestmark = pytest.mark.django_db

RESPONSES = Path(__file__).parent.parent / "responses"


@pytest.fixture
def alien(bob, nora):
    """Movie 11 with everything, rated 4 and 4.5."""
    movie = MovieFactory(
        id=11,
        title="Alien",
        original_title="Alien",
        release_date=date(1979, 5, 25),
        overview="In space no one can hear you scream.",
        language="en",
        runtime_minutes=117,
        movielens_id=1214,
        tmdb_id=348,
        imdb_id="tt0078748",
    )
    for name in ("Sci-Fi", "Horror"):
        MovieGenre.objects.create(movie=movie, genre=GenreFactory(name=name))
    MovieKeyword.objects.create(movie=movie, keyword=Keyword.objects.create(name="space freighter"))
    people = [("Ridley Scott", "director", "", 0), ("Tom Skerritt", "cast", "Dallas", 1)]
    for person_id, (name, role, character, position) in enumerate([*people, ("Sigourney Weaver", "cast", "Ripley", 0)]):
        person = Person.objects.create(id=21 + person_id, name=name)
        Credit.objects.create(movie=movie, person=person, role=role, character=character, position=position)
    record_rating(user=bob, movie=movie, rating=4)
    record_rating(user=nora, movie=movie, rating=4.5)
    return movie


def golden(name: str) -> object:
    return json.loads((RESPONSES / f"{name}.json").read_text(encoding="utf-8"))


def test_a_movie_tells_all_that_is_public(api, alien):
    assert api.get("/api/v1/movies/11/").json() == golden("movie")


def test_a_movie_tells_the_askers_own_rating(api, alien, nora):
    api.force_authenticate(nora)

    assert api.get("/api/v1/movies/11/").json()["my_rating"] == 4.5


def test_the_list_holds_summaries(api, alien):
    assert api.get("/api/v1/movies/?q=alien").json() == golden("movies")


def test_movies_are_filtered_sorted_and_paged(api):
    Movie.objects.bulk_create(
        Movie(title=f"Movie {n:02}", search_title=f"movie {n:02}", year=1950 + n, popularity=n) for n in range(60)
    )
    first = api.get("/api/v1/movies/?year_min=1960&ordering=title&page_size=25").json()
    second = api.get(first["next"]).json()

    assert first["count"] == 50
    assert [movie["year"] for movie in first["results"] + second["results"]] == list(range(1960, 2010))
    assert second["next"] is None
    assert api.get("/api/v1/movies/").json()["results"][0]["title"] == "Movie 59"
    assert len(api.get("/api/v1/movies/?page_size=100").json()["results"]) == 60


@pytest.mark.parametrize("size", ["0", "101", "1000000", "-1", "many", ""])
def test_a_page_of_another_size_than_allowed_is_refused(api, alien, size):
    answer = api.get(f"/api/v1/movies/?page_size={size}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["page_size"]


def test_genres_are_found_by_slug_and_by_name(api, alien):
    MovieFactory()
    for genre in ("horror", "Horror", "sci-fi", "Sci-Fi"):
        assert [movie["id"] for movie in api.get(f"/api/v1/movies/?genre={genre}").json()["results"]] == [11]


def test_people_keywords_and_what_was_seen_are_filters_too(api, alien, nora):
    MovieFactory()
    for query in ("person=21", "person=21&person=22&keyword=space+freighter", "language=en"):
        assert [movie["id"] for movie in api.get(f"/api/v1/movies/?{query}").json()["results"]] == [11]
    api.force_authenticate(nora)
    assert api.get("/api/v1/movies/?language=en&hide_seen=true").json()["count"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("year_min=soon", "year_min"),
        ("year_max=-1", "year_max"),
        ("rating_min=7", "rating_min"),
        ("ordering=chaos", "ordering"),
        ("language=English", "language"),
        ("person=one", "person"),
        ("year_min=", "year_min"),
        ("year_min=1990&year_min=1991", "year_min"),
        ("hide_seen=maybe", "hide_seen"),
        ("q=%00", "q"),
    ],
)
def test_a_bad_filter_is_refused_by_name(api, query, field):
    response = api.get(f"/api/v1/movies/?{query}")

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid"
    assert list(response.json()["error"]["fields"]) == [field]


@pytest.mark.parametrize("query", ["genre=nonsense", "person=999", "keyword=nonsense", "keyword=100%25"])
def test_a_filter_that_names_nothing_is_not_found(api, query):
    response = api.get(f"/api/v1/movies/?{query}")

    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    assert list(response.json()["error"]["fields"]) == [query.split("=")[0]]


@pytest.mark.parametrize("address", ["movies/987654/", f"movies/{10**30}/", "movies/?page=99", "movies/alien/"])
def test_what_is_not_there_is_not_found(api, address):
    response = api.get(f"/api/v1/{address}")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_movies_are_read_only(api, sam, alien, method):
    api.force_authenticate(sam)
    response = getattr(api, method)("/api/v1/movies/11/", {}, format="json")

    assert response.status_code == 405
    assert response.json()["error"]["code"] == "method_not_allowed"
