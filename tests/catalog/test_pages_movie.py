import json
import re
from datetime import date

import pytest

from catalog.models import Credit, Keyword, MovieGenre, MovieKeyword, Person
from catalog.services import record_rating
from tests.factories import GenreFactory, MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alien():
    movie = MovieFactory(
        title="Alien",
        original_title="Xénomorphe",
        release_date=date(1979, 5, 25),
        overview="In space <no one> can hear you scream.",
        language="en",
        runtime_minutes=117,
        imdb_id="tt0078748",
    )
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name="Horror"))
    MovieKeyword.objects.create(movie=movie, keyword=Keyword.objects.create(name="space freighter"))
    for name, role, character in [("Ridley Scott", "director", ""), ("Sigourney Weaver", "cast", "Ripley")]:
        Credit.objects.create(movie=movie, person=Person.objects.create(name=name), role=role, character=character)
    return movie


@pytest.mark.wording
def test_the_page_shows_what_is_known_of_the_movie(client, alien, bob):
    record_rating(user=bob, movie=alien, rating=4.5)
    text = client.get(alien.get_absolute_url()).content.decode()

    for known in (
        "<h1>Alien",
        "Xénomorphe",
        "25 May 1979",
        "117 minutes",
        "English",
        "Horror",
        "space freighter",
        "Ridley Scott",
        "Sigourney Weaver",
        "Ripley",
        "4.5</strong>",
        "from 1 rating<",
        "In space &lt;no one&gt; can",
        f"/movies/{alien.pk}/similar/",
    ):
        assert known in text, known


@pytest.mark.wording
def test_a_movie_of_which_nothing_is_known_has_a_page(client):
    movie = MovieFactory(title="?", year=None, language="xx")

    text = client.get(movie.get_absolute_url()).content.decode()

    assert movie.get_absolute_url() == f"/movies/{movie.pk}-movie/"
    assert "No ratings yet" in text
    assert "histogram" not in text


def test_ratings_are_drawn_as_a_histogram(client, alien, bob, nora):
    record_rating(user=bob, movie=alien, rating=4.5)
    record_rating(user=nora, movie=alien, rating=4.5)

    bars = re.findall(r"<title>(.*?)</title>", client.get(alien.get_absolute_url()).content.decode())[1:]

    assert bars == [f"{step / 2:g} ★: {2 if step == 9 else 0}" for step in range(1, 11)]


@pytest.mark.wording
def test_known_movies_of_its_genre_and_decade_are_near(client, alien):
    def of(genre: str, year: int) -> str:
        movie = MovieFactory(year=year)
        MovieGenre.objects.create(movie=movie, genre=GenreFactory(name=genre))
        return movie.title

    near, _too_late, _other_genre = of("Horror", 1973), of("Horror", 1980), of("Comedy", 1975)
    response = client.get(alien.get_absolute_url())

    assert [movie.title for movie in response.context["related"]] == [near]
    assert "Horror of the 1970s" in response.content.decode()
    assert "/movies/?year_min=1970&amp;year_max=1979" in response.content.decode()


def test_search_engines_read_the_movie_as_data(client, alien, bob):
    record_rating(user=bob, movie=alien, rating=4.5)
    text = client.get(alien.get_absolute_url()).content.decode()
    written = re.search(r'<script type="application/ld\+json">(.*?)</script>', text).group(1)
    data = json.loads(written)

    assert "<" not in written
    assert data["@type"] == "Movie"
    assert (data["name"], data["duration"], data["datePublished"]) == ("Alien", "PT117M", "1979-05-25")
    assert data["description"] == alien.overview
    assert data["url"] == f"http://testserver{alien.get_absolute_url()}"
    assert [person["name"] for person in data["director"] + data["actor"]] == ["Ridley Scott", "Sigourney Weaver"]
    assert (data["aggregateRating"]["ratingValue"], data["aggregateRating"]["ratingCount"]) == (4.5, 1)
    assert f'<link rel="canonical" href="http://testserver{alien.get_absolute_url()}">' in text
    assert '<meta property="og:title" content="Alien (1979)">' in text


@pytest.mark.parametrize("slug", ["-old-name", ""])
def test_another_slug_leads_to_the_right_one(client, alien, slug):
    response = client.get(f"/movies/{alien.pk}{slug}/?from=mail")

    assert response.status_code == 302
    assert response["Location"] == f"/movies/{alien.pk}-alien/?from=mail"


@pytest.mark.wording
@pytest.mark.parametrize("address", ["/movies/987654/", "/movies/987654-alien/", f"/movies/{10**30}-alien/"])
def test_an_unknown_movie_is_not_found_in_the_look_of_the_site(client, address):
    response = client.get(address)

    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_visitors_get_stars_and_the_way_to_an_account(client, alien):
    text = client.get(alien.get_absolute_url()).content.decode()

    assert f"/accounts/sign-in/?next=/movies/{alien.pk}-alien/" in text
    assert "star-input" in text
    assert "watchlist-button" not in text


def test_the_viewers_own_rating_is_shown(client, alien, bob, nora):
    record_rating(user=bob, movie=alien, rating=4.5)
    client.force_login(bob)
    assert 'aria-valuetext="4.5 / 5"' in client.get(alien.get_absolute_url()).content.decode()
    client.force_login(nora)
    assert 'value="0"' in client.get(alien.get_absolute_url()).content.decode()
