"""People and genres on the pages of a search, in the API and in the admin."""

import re

import pytest

from catalog.models import Credit, Movie, MovieGenre, Person
from catalog.search import names
from tests.factories import GenreFactory, MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _labels_of_this_test() -> None:
    names._names_by_label.cache_clear()


@pytest.fixture
def tom() -> Person:
    """Is in two movies, one of which is a drama."""
    person = Person.objects.create(name="Tom Hanks")
    for title, count in (("Cast Away", 50), ("Forrest Gump", 90)):
        Credit.objects.create(movie=MovieFactory(title=title, rating_count=count), person=person, role="cast")
    MovieGenre.objects.create(movie=Movie.objects.get(title="Cast Away"), genre=GenreFactory(name="Horror"))
    return person


def links(html: str) -> list[str]:
    return re.findall(r'href="(/(?:people|genres|movies/\d)[^"]*)"', html)


def results(client, query: str) -> str:
    return client.get(f"/movies/?{query}", headers={"HX-Request": "true"}).content.decode()


@pytest.mark.wording
def test_results_lead_to_the_person_and_say_whose_movies(client, tom):
    page = results(client, "q=tom+hanks")

    assert links(page)[0] == tom.get_absolute_url()
    assert "Movies with Tom Hanks</h2>" in page
    assert re.search(r'<ul [^>]*aria-label="People and genres found">', page)
    assert [movie.title for movie in client.get("/movies/?q=tom+hanks").context["page"]] == [
        "Forrest Gump",
        "Cast Away",
    ]


@pytest.mark.wording
def test_titles_and_movies_of_a_person_are_said_to_be_both(client, tom):
    MovieFactory(title="Tom Hanks: A Life")

    assert "Matching titles, and movies with Tom Hanks</h2>" in results(client, "q=tom+hanks")


@pytest.mark.wording
def test_results_lead_to_the_genre(client, tom):
    page = results(client, "q=phim+kinh+di")

    assert links(page)[0] == "/genres/horror/"
    assert "Genre: Horror</h2>" in page
    assert "Forrest Gump" not in page


def test_later_pages_do_not_repeat_the_people(client, tom):
    movies = Movie.objects.bulk_create(Movie(title=f"Movie {n}") for n in range(40))
    Credit.objects.bulk_create(Credit(movie=movie, person=tom, role="cast") for movie in movies)

    assert tom.get_absolute_url() in results(client, "q=tom+hanks")
    assert tom.get_absolute_url() not in results(client, "q=tom+hanks&page=2")


@pytest.mark.wording
def test_suggestions_name_people_and_genres_before_movies(client, tom):
    page = client.get("/suggestions/?q=tom+hanks", headers={"HX-Request": "true"}).content.decode()

    assert links(page)[0] == tom.get_absolute_url()
    assert len(links(page)) == 3
    assert "Movies with Tom Hanks" in page
    genre = client.get("/suggestions/?q=horror", headers={"HX-Request": "true"}).content.decode()
    assert links(genre)[0] == "/genres/horror/"


def test_a_person_without_movies_is_found(client):
    person = Person.objects.create(name="<b>Nobody</b>")
    page = client.get("/suggestions/?q=b+nobody+b", headers={"HX-Request": "true"}).content.decode()

    assert links(page) == [person.get_absolute_url()]
    assert "<b>" not in page


def test_the_api_returns_the_movies_of_a_person(api, tom):
    MovieFactory(title="Tom Hangs On")
    found = api.get("/api/v1/movies/", {"q": "tom hanks"}).json()

    assert [movie["title"] for movie in found["results"]] == ["Forrest Gump", "Cast Away"]
    assert found["count"] == 2


@pytest.mark.parametrize("text", ["tom", "TÓM han", "hanks tom", "4711"])
def test_staff_find_people_by_words_and_id(client, sam, tom, text):
    Person.objects.create(name="Other", tmdb_id=12)
    Person.objects.filter(pk=tom.pk).update(tmdb_id=4711)
    client.force_login(sam)

    assert list(client.get("/admin/catalog/person/", {"q": text}).context["cl"].result_list) == [tom]
