"""Cached movies follow changes: at once in this process, within seconds from others."""

import json
from typing import Any

import pytest

from catalog.models import Genre, Movie, MovieGenre
from catalog.services import record_rating
from recommender.serving import movies
from recommender.serving.movies import MovieCache, listed_movies
from tests.factories import GenreFactory, MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def movie() -> Movie:
    found = MovieFactory(title="Solaris", year=1972)
    MovieGenre.objects.create(movie=found, genre=GenreFactory(name="Drama", slug="drama"))
    return found


def card(movie: Movie) -> dict[str, Any]:
    return json.loads(movie.card)


def test_a_movie_is_read_once(movie, django_assert_num_queries):
    first = listed_movies.get([movie.pk, 10**9])
    with django_assert_num_queries(0):
        again = listed_movies.get([movie.pk])
    assert [*first] == [*again] == [movie.pk]
    assert card(again[movie.pk])["genres"] == ["Drama"]


def test_marks_of_one_user_are_not_seen_by_another(movie):
    listed_movies.get([movie.pk])[movie.pk].marks = "mine"
    assert listed_movies.get([movie.pk])[movie.pk].marks is None


@pytest.mark.parametrize("change", ["title", "deleted", "rated", "genre"])
def test_own_changes_take_hold_at_once(movie, nora, change):
    pk = movie.pk
    listed_movies.get([pk])
    if change == "title":
        movie.title = "Stalker"
        movie.save()
    elif change == "deleted":
        movie.delete()
    elif change == "rated":
        record_rating(user=nora, movie=movie, rating=4.0)
        listed_movies.forget(pk)  # which the signal does after the commit that this test never makes
    else:
        Genre.objects.get().delete()
    found = listed_movies.get([pk]).get(pk)
    seen = found and (found.title, card(found)["rating_count"], card(found)["genres"])
    assert (
        seen
        == {
            "title": ("Stalker", 0, ["Drama"]),
            "deleted": None,
            "rated": ("Solaris", 1, ["Drama"]),
            "genre": ("Solaris", 0, []),
        }[change]
    )


@pytest.mark.django_db(transaction=True)
def test_a_rating_shows_in_the_next_card(movie, nora):
    listed_movies.get([movie.pk])
    record_rating(user=nora, movie=movie, rating=4.0)
    assert card(listed_movies.get([movie.pk])[movie.pk])["mean_rating"] == 4.0


def test_changes_of_other_processes_show_after_a_refresh(movie, django_assert_num_queries):
    other = MovieCache()
    other.get([movie.pk])
    Movie.objects.filter(pk=movie.pk).update(title="Stalker")
    assert other.get([movie.pk])[movie.pk].title == "Solaris"
    other.refresh()
    with django_assert_num_queries(0):
        assert other.get([movie.pk])[movie.pk].title == "Stalker"


def test_a_movie_that_no_list_shows_any_more_is_forgotten(movie, monkeypatch, django_assert_num_queries):
    listed_movies.get([movie.pk])
    later = movies.time.monotonic() + movies.KEPT_SECONDS + 1
    monkeypatch.setattr(movies.time, "monotonic", lambda: later)
    with django_assert_num_queries(0):
        listed_movies.refresh()
    assert not listed_movies._listed


def test_a_change_during_a_refresh_is_not_lost(movie, monkeypatch):
    listed_movies.get([movie.pk])
    read = movies._read

    def change_after(wanted: set[int]) -> dict[int, movies.Listed]:
        found = read(wanted)
        movie.title = "Stalker"
        movie.save()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(movies, "_read", change_after)
        listed_movies.refresh()
    assert listed_movies.get([movie.pk])[movie.pk].title == "Stalker"


def test_an_old_movie_is_read_again_without_the_thread(movie, monkeypatch):
    listed_movies.get([movie.pk])
    Movie.objects.filter(pk=movie.pk).update(title="Stalker")
    later = movies.time.monotonic() + 60
    monkeypatch.setattr(movies.time, "monotonic", lambda: later)
    assert listed_movies.get([movie.pk])[movie.pk].title == "Stalker"


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(movies, "CAPACITY", 3)
    for made in MovieFactory.create_batch(5):
        assert [*listed_movies.get([made.pk])] == [made.pk]
    assert len(listed_movies._listed) <= 3
