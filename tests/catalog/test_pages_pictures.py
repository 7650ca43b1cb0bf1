"""Pictures from Commons on pages and in the API are always shown with author and licence."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from catalog.models import Credit, Movie, Person, Picture
from tests.factories import MovieFactory, PictureFactory

pytestmark = pytest.mark.django_db

COMMONS = "https://upload.wikimedia.org"


@pytest.fixture
def movie() -> Movie:
    return MovieFactory(title="Alien", year=1979)


@pytest.fixture
def person(movie) -> Person:
    person = Person.objects.create(name="Ridley Scott")
    Credit.objects.create(movie=movie, person=person, role=Credit.Role.DIRECTOR)
    return person


def page_of(client, row: Movie | Person, language: str = "en") -> str:
    return client.get(row.get_absolute_url(), headers={"Accept-Language": language}).content.decode()


def figure_of(page: str) -> str:
    assert page.count('<figure class="picture">') == 1
    return page.partition('<figure class="picture">')[2].partition("</figure>")[0]


@pytest.mark.wording
def test_each_picture_has_its_credit_beside_it(client, movie, person):
    PictureFactory(movie=movie)
    PictureFactory(person=person, author="", licence="CC0")

    figure = figure_of(page_of(client, movie))
    assert f'src="{COMMONS}/wikipedia/commons/thumb/a/ab/Portrait.jpg/330px-Portrait.jpg"' in figure
    assert 'alt="Alien (1979)" width="330" height="440" loading="lazy"' in figure
    assert "Photo: <bdi>Ada Photographer</bdi>, " in figure
    assert 'href="https://creativecommons.org/licenses/by-sa/4.0" rel="noreferrer license">CC BY-SA 4.0</a>' in figure
    assert 'href="https://commons.wikimedia.org/wiki/File:Portrait.jpg" rel="noreferrer">Wikimedia' in figure
    figure = figure_of(page_of(client, person))
    assert 'alt="Ridley Scott" width="330" height="440" decoding' in figure
    assert "Photo: <a" in figure
    assert "Ảnh: " in figure_of(page_of(client, movie, "vi"))


def test_a_credit_is_text_whatever_it_holds(client, person):
    author = '<script>alert("Ada")</script>'
    PictureFactory(person=person, author=author, licence=author)

    figure = figure_of(page_of(client, person))
    assert "<script" not in figure and figure.count(escape(author)) == 2


@pytest.mark.parametrize("state", Picture.State.values)
def test_a_row_without_address_shows_nothing(client, movie, person, state):
    PictureFactory(movie=movie, state=state, url="")
    PictureFactory(person=person, state=state, url="")

    assert not any("<figure" in page_of(client, row) for row in (movie, person))
    assert client.get(f"/api/v1/movies/{movie.pk}/").json()["picture"] is None


def test_cards_show_no_pictures(client, movie, person):
    PictureFactory(movie=movie)
    PictureFactory(person=person)

    for address in ("/", "/movies/", "/movies/?q=alien"):
        assert COMMONS not in client.get(address).content.decode()
    assert page_of(client, person).count("Portrait.jpg/") == 1  # its own, not that of the movie's card


def test_the_poster_of_tmdb_comes_first(client, movie, settings):
    settings.TMDB_READ_TOKEN = "token"
    PictureFactory(movie=movie)
    Movie.objects.update(poster_path="/alien.jpg")

    assert "<figure" not in page_of(client, movie)
    settings.TMDB_READ_TOKEN = ""
    assert "<figure" in page_of(client, movie)


def test_only_these_pages_may_load_pictures_of_commons(client, movie, person, settings):
    def policy(address: str) -> str:
        return client.get(address)["Content-Security-Policy"]

    shown = (movie.get_absolute_url(), person.get_absolute_url())
    assert all(f"img-src 'self' data: {COMMONS};" in policy(address) + ";" for address in shown)
    assert not any(COMMONS in policy(address) for address in ("/", "/movies/", f"/api/v1/movies/{movie.pk}/"))
    settings.TMDB_READ_TOKEN = "token"
    assert all(f"https://image.tmdb.org {COMMONS};" in policy(address) + ";" for address in shown)
    assert COMMONS not in policy("/movies/")


def test_a_picture_takes_no_query_more(client, movie, person):
    def queries_of(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        return len(queries)

    addresses = [movie.get_absolute_url(), person.get_absolute_url(), f"/api/v1/movies/{movie.pk}/"]
    client.get(addresses[0])
    before = [queries_of(address) for address in addresses]
    PictureFactory(movie=movie)
    PictureFactory(person=person)

    assert [queries_of(address) for address in addresses] == before


def test_the_api_tells_whom_to_credit(client, movie):
    PictureFactory(movie=movie)

    assert client.get(f"/api/v1/movies/{movie.pk}/").json()["picture"] == {
        "url": f"{COMMONS}/wikipedia/commons/thumb/a/ab/Portrait.jpg/330px-Portrait.jpg",
        "width": 330,
        "height": 440,
        "author": "Ada Photographer",
        "licence": "CC BY-SA 4.0",
        "licence_url": "https://creativecommons.org/licenses/by-sa/4.0",
        "page_url": "https://commons.wikimedia.org/wiki/File:Portrait.jpg",
    }
