"""The panel with all parts of a movie's score, and its link on cards."""

import re

import pytest
from django.urls import reverse
from django.utils.html import escape

from catalog.models import Viewing
from recommender.services import attribute
from recommender.serving.profile import UserProfile
from tests.factories import MovieFactory, RatingFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, train, camps, fan):
    train(algorithm="hybrid", regularization=2.0, popularity_weight=0.1, cold_user_weight=0.0, reranker=False)
    client.force_login(fan)

    def get(movie, **headers):
        return client.get(reverse("recommender:why", args=[movie.pk]), headers=headers)

    return get


def test_a_bar_for_each_rating_and_viewing_and_their_sum(page, camps, fan):
    RatingFactory(user=fan, movie=camps["Romance"][1], rating=1.0)
    Viewing.objects.create(user=fan, movie=camps["Romance"][2])
    answer = page(camps["Science Fiction"][7])
    text = answer.content.decode()
    assert text.count('<svg class="why-bar"') == 5
    for movie in (*camps["Science Fiction"][:3], *camps["Romance"][1:3]):
        assert f'href="{movie.get_absolute_url()}"' in text
    bars = re.findall(r'class="why-points">([+-]?[\d.]+)<', text)
    shown = float(answer.context["attributed"].points)
    assert sum(map(float, bars)) == pytest.approx(shown, abs=0.05)
    assert float(bars[0]) == max(map(float, bars), key=abs) != 0
    widths = [float(width) for width in re.findall(r'width="([\d.]+)" height="8"', text)]
    assert max(widths) <= 100 and sum(width > 1 for width in widths) >= 3


def test_the_panel_is_a_fragment_for_scripts_and_a_page_without(page, camps):
    movie = camps["Science Fiction"][7]
    assert "<html" in page(movie).content.decode()
    fragment = page(movie, hx_request="true").content.decode()
    assert "<html" not in fragment
    assert "why-bars" in fragment


def test_a_movie_without_ratings_shows_its_features_too(page, camps, fan):
    new = MovieFactory(title="Fresh", year=2026)
    new.genres.add(camps["Science Fiction"][0].genres.get())
    attributed = attribute(profile=UserProfile.of(fan), movie=camps["Science Fiction"][7])
    assert not attributed.features
    assert page(new).status_code == 200


def test_each_card_links_its_reason_to_the_panel(page, client, camps):
    text = client.get("/").content.decode()
    assert text.count('class="movie-card-reason"') >= 12
    for movie in camps["Science Fiction"][4:7]:
        assert f'href="{reverse("recommender:why", args=[movie.pk])}"' in text


def test_people_without_ratings_read_why_there_is_no_panel(page, client, camps, nora):
    movie = camps["Science Fiction"][7]
    client.force_login(nora)
    assert "why-bars" not in page(movie).content.decode()
    client.logout()
    answer = page(movie)
    assert answer.status_code == 200
    assert escape(answer.context["problem"]) in answer.content.decode()
