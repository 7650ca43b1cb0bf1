"""Uses the bulk endpoints like an operator's program."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.aggregates import rebuild_aggregates
from catalog.models import Movie, MovieGenre, Rating, Source, User
from tests.factories import GenreFactory, MovieFactory, RatingFactory, UserFactory, api_client_of

pytestmark = pytest.mark.django_db

ALIEN = {"external_id": "m1", "title": "Alien", "year": 1979, "genres": ["Horror"], "tmdb_id": 348}
ADA = {"external_id": "u1", "username": "ada", "email": "ada@example.org"}
HERS = {"user": "u1", "movie": "m1", "rating": 4.5, "rated_at": "2024-05-01T20:00:00Z"}


@pytest.fixture
def operator(db) -> APIClient:
    return api_client_of(UserFactory(is_staff=True, is_superuser=True))


def post(client: APIClient, what: str, *lines, body: bytes | None = None):
    content = body if body is not None else b"\n".join(json.dumps(line).encode() for line in lines)
    return client.post(f"/api/v1/bulk/{what}/", content, content_type="application/x-ndjson")


def counts(answer) -> tuple[int, int, int, int]:
    assert answer.status_code == 200, answer.content
    report = answer.json()
    assert report["lines"] >= report["inserted"] + report["updated"] + report["rejected"]
    return report["inserted"], report["updated"], report["unchanged"], report["rejected"]


def test_a_site_brings_what_it_has_and_may_bring_it_again(operator):
    for times in range(2):
        expected = (0, 0, 1, 0) if times else (1, 0, 0, 0)
        assert counts(post(operator, "movies", ALIEN)) == expected
        assert counts(post(operator, "users", ADA)) == expected
        assert counts(post(operator, "ratings", HERS)) == expected

    movie, user, rating = Movie.objects.get(), User.objects.get(external_id="u1"), Rating.objects.get()
    assert (movie.title, movie.year, movie.tmdb_id, movie.source) == ("Alien", 1979, 348, Source.BULK)
    assert [genre.name for genre in movie.genres.all()] == ["Horror"]
    assert (movie.rating_count, movie.rating_sum) == (1, 4.5)
    assert (user.username, user.email, user.source, user.has_usable_password()) == (
        "ada",
        "ada@example.org",
        Source.BULK,
        False,
    )
    assert (rating.user, rating.movie, rating.rating) == (user, movie, 4.5)
    assert rating.rated_at.isoformat() == "2024-05-01T20:00:00+00:00"
    assert rebuild_aggregates() == 0


def test_a_brought_movie_is_found(operator, api):
    post(operator, "movies", ALIEN)
    [found] = api.get("/api/v1/movies/?q=alein").json()["results"]
    assert found["title"] == "Alien"


def test_what_changed_is_changed_and_what_is_not_named_stays(operator):
    post(operator, "movies", ALIEN | {"overview": "In space.", "keywords": ["ship"], "directors": ["Ridley Scott"]})
    post(operator, "users", ADA)
    post(operator, "ratings", HERS)

    assert counts(post(operator, "movies", {"external_id": "m1", "title": "Alien³", "genres": ["Sci-Fi"]})) == (
        0,
        1,
        0,
        0,
    )
    assert counts(post(operator, "users", {"external_id": "u1", "email": "new@example.org"})) == (0, 1, 0, 0)
    later = HERS | {"rating": 2, "rated_at": "2024-05-02T20:00:00+02:00"}
    assert counts(post(operator, "ratings", later)) == (0, 1, 0, 0)
    assert counts(post(operator, "ratings", HERS)) == (0, 0, 1, 0)  # the later one counts

    movie = Movie.objects.get()
    assert (movie.title, movie.overview, movie.year) == ("Alien³", "In space.", 1979)
    assert [genre.name for genre in movie.genres.all()] == ["Sci-Fi"]
    assert [keyword.name for keyword in movie.keywords.all()] == ["ship"]
    assert movie.credits.get().person.name == "Ridley Scott"
    assert "alien3" in movie.search_title
    assert (movie.rating_count, movie.rating_sum) == (1, 2.0)
    assert User.objects.get(external_id="u1").username == "ada"


def test_named_lists_replace_only_bulk_links(operator):
    full = {"genres": ["Horror", "sci-fi"], "keywords": ["ship", "cat"], "cast": ["A", "B"], "directors": ["A"]}
    GenreFactory(name="Sci-Fi", slug="sci-fi")
    post(operator, "movies", ALIEN | full)
    movie = Movie.objects.get()
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name="Drama"))
    assert counts(post(operator, "movies", ALIEN | full)) == (0, 0, 1, 0)

    assert counts(post(operator, "movies", {"external_id": "m1", "genres": ["Sci-Fi"], "cast": ["B"]})) == (0, 1, 0, 0)

    assert {genre.name for genre in movie.genres.all()} == {"Sci-Fi", "Drama"}
    assert {keyword.name for keyword in movie.keywords.all()} == {"ship", "cat"}
    assert set(movie.credits.values_list("role", "person__name")) == {("cast", "B"), ("director", "A")}
    assert counts(post(operator, "movies", {"external_id": "m1", "keywords": [], "directors": []})) == (0, 1, 0, 0)
    assert (movie.keywords.count(), movie.credits.count()) == (0, 1)


def test_each_bad_line_is_named_and_the_good_ones_are_kept(operator):
    lines = [
        json.dumps(ALIEN),
        "",
        "{not json",
        json.dumps({"external_id": "m2", "year": 1999}),
        json.dumps({"external_id": "m3", "title": "Heat", "yaer": 1995}),
        json.dumps({"external_id": "m4", "title": "Heat", "year": 95, "imdb_id": "113277"}),
        json.dumps({"external_id": "m5", "title": "Other", "tmdb_id": 348}),
        json.dumps({"title": "No id"}),
        json.dumps({"external_id": "m6", "title": "NUL \x00"}),
        "[]",
    ]
    answer = post(operator, "movies", body="\n".join(lines).encode())

    assert counts(answer) == (1, 0, 0, 8)
    errors = {error["line"]: error["message"] for error in answer.json()["errors"]}
    assert list(errors) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert "Invalid JSON" in errors[3]
    assert errors[4] == "title: required for a new movie"
    assert errors[5].startswith("yaer: ")
    assert "year: " in errors[6] and "imdb_id: " in errors[6]
    assert errors[7] == "tmdb_id: 348 belongs to another movie, Alien (1979)"
    assert errors[8].startswith("external_id: ")
    assert "NUL" in errors[9]
    assert list(Movie.objects.values_list("external_id", flat=True)) == ["m1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rating": 7}, "rating: expected half stars from 0.5 to 5"),
        ({"rating": "NaN"}, "rating: "),
        ({"rated_at": "2024-05-01T20:00:00"}, "rated_at: "),
        ({"rated_at": str(timezone.now() + timedelta(days=3))}, "rated_at: expected a moment from 1970 to now"),
        ({"user": "u9"}, "user: no user has the external id 'u9'; send it first"),
        ({"movie": "m9"}, "movie: no movie has the external id 'm9'; send it first"),
    ],
)
def test_a_bad_rating_says_what_was_expected(operator, change, message):
    post(operator, "movies", ALIEN)
    post(operator, "users", ADA)
    answer = post(operator, "ratings", HERS | change)
    assert counts(answer) == (0, 0, 0, 1)
    assert answer.json()["errors"][0]["message"].startswith(message)
    assert not Rating.objects.exists()


def test_a_movie_that_is_here_already_is_known_by_its_other_ids(operator):
    here = MovieFactory(title="Alien", year=1979, tmdb_id=348, source=Source.TMDB)
    assert counts(post(operator, "movies", ALIEN | {"title": "Alien: our cut"})) == (0, 1, 0, 0)
    here.refresh_from_db()
    assert (here.external_id, here.title, here.source) == ("m1", "Alien: our cut", Source.TMDB)
    assert here.field_sources == {"title": Source.BULK}


def test_what_a_person_wrote_here_stays(operator):
    post(operator, "movies", ALIEN)
    movie = Movie.objects.get()
    movie.title = "Ours"
    movie.save()
    movie.mark_edited("title")
    reader = RatingFactory(movie=movie, user=UserFactory(source=Source.BULK, external_id="u1"), rating=1.0)

    assert counts(post(operator, "movies", ALIEN)) == (0, 0, 1, 0)
    assert counts(post(operator, "ratings", HERS | {"rated_at": "2026-11-01T00:00:00Z"})) == (0, 0, 1, 0)
    movie.refresh_from_db()
    reader.refresh_from_db()
    assert (movie.title, reader.rating) == ("Ours", 1.0)


def test_a_line_may_correct_one_before_it(operator):
    first, second = ALIEN, {"external_id": "m1", "year": 1980, "genres": ["Drama"]}
    post(operator, "movies", first, second)
    movie = Movie.objects.get()
    assert (movie.title, movie.year, [genre.name for genre in movie.genres.all()]) == ("Alien", 1980, ["Drama"])
    assert counts(post(operator, "users", ADA, ADA | {"email": ""})) == (1, 0, 0, 0)
    assert User.objects.get(external_id="u1").email == ""


def test_what_is_written_in_parts_is_counted_together(operator, monkeypatch):
    monkeypatch.setattr("catalog.api.bulk.BATCH", 2)
    answer = post(
        operator, "movies", *({"external_id": number, "title": f"Movie {number}"} for number in range(5)), ALIEN
    )
    assert counts(answer) == (6, 0, 0, 0)
    assert Movie.objects.count() == 6


def test_a_name_that_somebody_has_is_refused(operator, nora):
    answer = post(operator, "users", {"external_id": "u1", "username": nora.username.upper()}, {"external_id": 2})
    assert counts(answer) == (1, 0, 0, 1)
    assert answer.json()["errors"] == [{"line": 1, "message": f"username: {nora.username.upper()} is taken"}]
    assert User.objects.get(source=Source.BULK).username == "bulk-2"


def test_only_staff_with_the_permissions_may_bring(api, nora):
    assert post(api, "movies", ALIEN).status_code == 401
    assert post(api_client_of(nora), "movies", ALIEN).status_code == 403
    clerk = UserFactory(is_staff=True)
    assert post(api_client_of(clerk), "movies", ALIEN).status_code == 403
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["add_movie", "change_movie"]))
    assert post(api_client_of(User.objects.get(pk=clerk.pk)), "movies", ALIEN).status_code == 200
    assert post(api_client_of(clerk), "ratings", HERS).status_code == 403


@pytest.mark.wording
def test_too_much_or_nothing_is_refused_whole(operator, change_policy):
    change_policy("bulk", max_lines=2, max_upload_mb=1)
    three = post(operator, "movies", ALIEN, ALIEN, ALIEN)
    assert (three.status_code, three.json()["error"]["message"]) == (
        400,
        "The request has 3 lines. The limit is 2.",
    )
    large = post(operator, "movies", body=b" " * (1 << 20) + b"xx")
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
    assert post(operator, "movies", body=b"").status_code == 400
    assert post(operator, "movies", body=b"\n \n").json()["lines"] == 0
    wrong = operator.post("/api/v1/bulk/movies/", {"title": "x"}, format="json")
    assert wrong.status_code == 415
    assert not Movie.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_lines_twice_at_once_are_kept_once():
    operator = api_client_of(UserFactory(is_staff=True, is_superuser=True))
    lines = [{"external_id": number, "title": f"Movie {number}", "genres": ["Drama"]} for number in range(200)]

    def bring(_: int) -> int:
        try:
            client = APIClient()
            client.credentials(**operator._credentials)
            return post(client, "movies", *lines).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(bring, range(4)))

    assert set(codes) <= {200, 409}
    assert 200 in codes
    assert Movie.objects.count() == 200
    assert counts(post(operator, "movies", *lines)) == (0, 0, 200, 0)
