"""Statistics of a user's taste, compared with all users."""

from datetime import date

import pytest
from django.core.cache import cache

from catalog import taste
from catalog.diary import record_viewing
from catalog.models import Credit, Genre, Movie, MovieGenre, Person
from catalog.services import record_rating
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def movies() -> list[Movie]:
    """Two horrors of the seventies, a comedy of the nineties and a movie without any facts."""
    cache.clear()
    horror, comedy = (Genre.objects.create(name=name, slug=name.lower()) for name in ("Horror", "Comedy"))
    rows = [(1970, horror, "en"), (1979, horror, "fr"), (1990, comedy, "en"), (None, None, "")]
    found = [MovieFactory(year=year, language=language) for year, _, language in rows]
    for movie, (_, genre, _) in zip(found, rows, strict=True):
        if genre:
            MovieGenre.objects.create(movie=movie, genre=genre)
    return found


def rate(user, movies, *stars):
    for movie, rating in zip(movies, stars, strict=False):
        record_rating(user=user, movie=movie, rating=rating)


def test_shares_are_beside_everybodys(nora, bob, movies):
    rate(nora, movies, 5, 4, 3, 2)
    for user in (bob,):
        rate(user, movies[2:], 1)
    # Of all five ratings of movies with a year, two are of each decade of hers, and one more of the nineties.
    assert taste.decades(nora) == [("1970s", 50, pytest.approx(200 / 3)), ("1990s", 50, pytest.approx(100 / 3))]
    assert taste.genres(nora) == [("Horror", 50, pytest.approx(200 / 3)), ("Comedy", 50, pytest.approx(100 / 3))]
    assert [label for label, *_ in taste.languages(nora)] == ["en", "fr"]
    assert taste.favourite_genres(nora) == ["Horror", "Comedy"]
    assert taste.summary(nora) == {"n": 4, "mean": 3.5, "others": pytest.approx((5 + 4 + 2 + 2) / 4)}


def test_people_are_those_of_several_movies(nora, bob, movies):
    rate(nora, movies, 5, 4, 3)
    rate(bob, movies, 1, 1, 1)
    ada, one = Person.objects.create(name="Ada"), Person.objects.create(name="One")
    for movie in movies[:2]:
        Credit.objects.create(movie=movie, person=ada, role="director")
    Credit.objects.create(movie=movies[2], person=one, role="director")

    [row] = taste.people(nora, "director")
    assert (row["person__name"], row["n"], row["mean"]) == ("Ada", 2, 4.5)
    assert taste.people(nora, "cast") == []


def test_months_begin_with_the_first_that_has_anything(nora, movies):
    record_viewing(user=nora, movie=movies[0], watched_on=date(2026, 3, 31))
    record_viewing(user=nora, movie=movies[1], watched_on=date(2026, 5, 1))
    record_viewing(user=nora, movie=movies[2], watched_on=date(1999, 5, 1))

    found = taste.months(nora, date(2026, 5, 31))
    assert found == [(date(2026, 3, 1), 1, 0), (date(2026, 4, 1), 0, 0), (date(2026, 5, 1), 1, 0)]


def test_the_page_draws_what_there_is(client, nora, movies):
    rate(nora, movies, 5, 4, 3, 2)
    client.force_login(nora)
    page = client.get("/statistics/")

    assert page.content.decode().count('<svg class="plot"') == 4  # genres, decades, months, languages
    assert page.context["difference"] == 0
    assert "style=" not in page.content.decode()


def test_without_ratings_the_page_says_what_to_do(client, nora):
    client.force_login(nora)

    assert 'href="/movies/"' in client.get("/statistics/").content.decode()


def test_statistics_need_somebody(client):
    assert client.get("/statistics/")["Location"] == "/accounts/sign-in/?next=/statistics/"
