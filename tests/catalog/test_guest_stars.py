"""Visitors' ratings on movie pages and cards. They are kept in the session, and later in the account."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from catalog.guests import KEY
from catalog.models import Movie, Rating
from catalog.throttling import AnonThrottle
from tests.factories import MovieFactory, RatingFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
SIGN_UP = {"username": "ada", "password": PASSWORD, "password_again": PASSWORD}
HTMX = {"HX-Request": "true"}


def rate(client: Client, movie: Movie, stars: object = 4, **headers: str):
    return client.post(f"/movies/{movie.pk}/rating/", {"rating": stars, "next": "/movies/"}, headers=headers)


def shown_on_cards(client: Client, address: str = "/movies/") -> dict[int, float]:
    """The stars of each card's slider, by movie."""
    cards = re.findall(r'data-movie-id="(\d+)".*?name="rating"[^>]* value="([\d.]+)"', page(client, address), re.DOTALL)
    return {int(movie): float(stars) for movie, stars in cards}


def page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_card_shows_and_keeps_the_stars_of_a_visitor(client, movie):
    other = MovieFactory()
    assert shown_on_cards(client) == {movie.pk: 0, other.pk: 0}
    assert not Session.objects.exists()  # nothing is stored for those who only look

    answer = rate(client, movie, 4.5)

    assert (answer.status_code, answer["Location"]) == (302, "/movies/")
    assert shown_on_cards(client) == {movie.pk: 4.5, other.pk: 0}
    assert not Rating.objects.exists()


def test_the_page_of_a_movie_shows_and_removes_them(client, movie):
    rate(client, movie, 3.5)
    panel = client.get(movie.get_absolute_url())
    assert panel.context["rating"] == 3.5
    assert f"/accounts/sign-up/?next={movie.get_absolute_url()}" in panel.content.decode()

    client.post(f"/movies/{movie.pk}/rating/", {"remove": "1"})

    assert client.get(movie.get_absolute_url()).context["rating"] is None


def test_htmx_gets_the_panel_or_a_sentence(client, movie):
    panel = rate(client, movie, 5, **HTMX, **{"HX-Target": f"rating-{movie.pk}"}).content.decode()
    said = rate(client, movie, 5, **HTMX).content.decode()

    assert f'id="rating-{movie.pk}"' in panel and 'value="5.0"' in panel
    assert movie.title in said and "<form" not in said


def test_visitors_get_stars_and_nothing_that_needs_an_account(client, movie, nora):
    visitor = page(client, "/movies/")
    client.force_login(nora)
    member = page(client, "/movies/")

    for address in (f"/movies/{movie.pk}/watchlist/", "/feedback/"):
        assert address in member and address not in visitor


@pytest.mark.parametrize("stars", ["", "0", "7", "4.25", "nan", "five"])
def test_stars_that_are_none_change_nothing(client, movie, stars):
    assert rate(client, movie, stars, **HTMX).status_code == 422
    assert KEY not in client.session


def test_signing_up_keeps_them(client, movie):
    rate(client, movie, 2)
    client.post("/accounts/sign-up/", SIGN_UP)

    assert list(Rating.objects.values_list("user__username", "movie", "rating")) == [("ada", movie.pk, 2.0)]
    assert KEY not in client.session


def test_signing_in_keeps_them_beside_those_of_the_account(client, movie, nora):
    old = MovieFactory()
    RatingFactory(user=nora, movie=old, rating=1.5)
    rate(client, movie, 5)
    rate(client, old, 5)
    client.post("/accounts/sign-in/", {"username": "nora", "password": PASSWORD})

    assert dict(nora.ratings.values_list("movie", "rating")) == {old.pk: 1.5, movie.pk: 5.0}


def test_another_visitor_does_not_see_them(client, movie):
    rate(client, movie, 5)

    assert shown_on_cards(Client()) == {movie.pk: 0}


def test_they_are_limited_by_address_and_members_stars_are_not(client, movie, nora, monkeypatch):
    monkeypatch.setattr(AnonThrottle, "THROTTLE_RATES", {"anon": "2/min"})
    answers = [rate(client, movie, stars) for stars in (1, 2, 3)]

    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert shown_on_cards(client) == {movie.pk: 2}
    client.force_login(nora)
    assert [rate(client, movie, stars).status_code for stars in (1, 2, 3)] == [302, 302, 302]


def test_a_form_of_another_site_is_refused(movie):
    client = Client(enforce_csrf_checks=True)
    assert rate(client, movie).status_code == 403
    assert not Session.objects.exists()
