"""Empty lists are counted and logged with their reason."""

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from catalog.models import Movie
from recommender.models import Dismissal
from recommender.services import newest, popular, recommend, recommend_new
from recommender.serving import fallback_chain
from recommender.serving.lists import RecommendationList
from recommender.serving.model_server import server
from tests.factories import GenreFactory, MovieFactory, RatingFactory

pytestmark = pytest.mark.django_db


def n_empty(surface: str, reason: str) -> float:
    return REGISTRY.get_sample_value("movierec_empty_lists_total", {"surface": surface, "reason": reason}) or 0.0


def assert_empty(make: Callable[[], RecommendationList], reason: str) -> None:
    before = n_empty("test", reason)
    assert make().results == []
    assert n_empty("test", reason) == before + 1


def test_a_site_without_movies(nora):
    assert_empty(lambda: recommend(user=nora, surface="test"), "no_movies")
    assert_empty(lambda: newest(surface="test"), "no_movies")


def test_a_genre_without_movies(nora):
    GenreFactory(name="Western", slug="western")
    MovieFactory()
    assert_empty(lambda: recommend(user=nora, genre="western", surface="test"), "no_match")


def test_a_user_who_has_seen_or_dismissed_everything(nora):
    RatingFactory(user=nora)
    Dismissal.objects.create(user=nora, movie=MovieFactory())
    assert_empty(lambda: recommend(user=nora, surface="test"), "all_excluded")
    assert_empty(lambda: popular(user=nora, surface="test"), "all_excluded")


def test_a_site_without_new_movies(train, camps, fan, nora):
    train()
    for user in (fan, nora):
        assert_empty(lambda user=user: recommend_new(user=user, surface="test"), "no_new_movies")


def test_new_movies_that_were_deleted_meanwhile(train, camps, nora):
    train()
    movie = MovieFactory()
    server.refresh()
    Movie.objects.filter(pk=movie.pk).delete()
    assert_empty(lambda: recommend_new(user=nora, surface="test"), "movies_deleted")


def test_sources_that_fail(nora, monkeypatch):
    MovieFactory()
    monkeypatch.setattr(fallback_chain.stored_order, "_first", None)
    assert_empty(lambda: recommend(user=nora, surface="test"), "source_failed")


def test_the_log_names_surface_reason_and_user_once_a_minute(nora, caplog):
    for _ in range(3):
        recommend(user=nora, surface="test")
    assert caplog.text.count("Empty list") == 1
    assert f"Empty list on test for user {nora.pk}: no_movies (popular: no_movies, newest: no_movies)" in caplog.text
    recommend(user=nora, surface="another")
    assert "Empty list on another" in caplog.text


def test_a_list_with_movies_is_not_counted(nora):
    MovieFactory()
    reasons = ("no_movies", "all_excluded", "source_failed")
    before = [n_empty("test", reason) for reason in reasons]
    assert recommend(user=nora, surface="test").results
    assert [n_empty("test", reason) for reason in reasons] == before
