from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from catalog.errors import InvalidRating, MovieNotFound, UserNotFound
from catalog.models import Movie, Rating, Source, User
from catalog.services import record_rating, remove_rating
from catalog.signals import rating_recorded
from tests.factories import MovieFactory, RatingFactory, UserFactory


@pytest.fixture
def heard():
    events = []

    def listen(sender, signal, **event):
        events.append(event)

    rating_recorded.connect(listen)
    yield events
    rating_recorded.disconnect(listen)


def aggregates(movie):
    return Movie.objects.values_list("rating_count", "rating_sum").get(pk=movie.pk)


def test_records_and_counts_a_rating(nora):
    movie = MovieFactory()
    before = timezone.now()
    row = record_rating(user=nora, movie=movie, rating=4.5)
    assert (row.rating, row.source) == (4.5, Source.SITE)
    assert before <= row.rated_at <= timezone.now()
    assert aggregates(movie) == (1, 4.5)


def test_replaces_the_former_rating(nora):
    movie = MovieFactory()
    record_rating(user=nora, movie=movie, rating=2)
    record_rating(user=nora, movie=movie, rating=5)
    assert [row.rating for row in nora.ratings.all()] == [5]
    assert aggregates(movie) == (1, 5)


def test_same_rating_again_changes_only_its_time(nora):
    movie = MovieFactory()
    first = record_rating(user=nora, movie=movie, rating=3, rated_at=datetime(2026, 1, 1, tzinfo=UTC))
    again = record_rating(user=nora, movie=movie, rating=3)
    assert again.pk == first.pk
    assert again.rated_at > first.rated_at
    assert aggregates(movie) == (1, 3)


@pytest.mark.parametrize("rating", [0, 0.4, 5.5, 7, 3.3, -1, True, "four", None, float("nan"), float("inf")])
def test_refuses_what_is_no_half_star_and_says_what_is(nora, rating):
    movie = MovieFactory()
    with pytest.raises(InvalidRating, match=r"0\.5, 1, 1\.5, 2, 2\.5, 3, 3\.5, 4, 4\.5, 5") as error:
        record_rating(user=nora, movie=movie, rating=rating)
    assert error.value.status == 400
    assert "rating" in error.value.fields
    assert aggregates(movie) == (0, 0)


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), timezone.now() + timedelta(days=2)])  # noqa: DTZ001
def test_refuses_a_moment_without_zone_or_in_the_future(nora, moment):
    with pytest.raises(InvalidRating, match="past moment with a time zone"):
        record_rating(user=nora, movie=MovieFactory(), rating=3, rated_at=moment)


def test_refuses_a_movie_that_is_gone(nora):
    movie = MovieFactory()
    Movie.objects.all().delete()
    with pytest.raises(MovieNotFound) as error:
        record_rating(user=nora, movie=movie, rating=3)
    assert error.value.status == 404


@pytest.mark.django_db(transaction=True)
def test_refuses_a_user_that_is_gone():
    user, movie = UserFactory(), MovieFactory()
    User.objects.filter(pk=user.pk).delete()
    with pytest.raises(UserNotFound):
        record_rating(user=user, movie=movie, rating=3)
    assert aggregates(movie) == (0, 0)


def test_tells_listeners_after_the_commit(nora, heard, django_capture_on_commit_callbacks):
    movie = MovieFactory()
    with django_capture_on_commit_callbacks(execute=True):
        record_rating(user=nora, movie=movie, rating=4)
        remove_rating(user=nora, movie=movie)
        assert heard == []
    ids = {"user_id": nora.pk, "movie_id": movie.pk}
    assert heard == [ids | {"rating": 4.0}, ids | {"rating": None}]


def test_a_listener_that_fails_does_not_lose_the_rating(nora, django_capture_on_commit_callbacks):
    def fail(**event):
        raise RuntimeError("listener is broken")

    rating_recorded.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            record_rating(user=nora, movie=MovieFactory(), rating=4)
    finally:
        rating_recorded.disconnect(fail)
    assert nora.ratings.count() == 1


def test_removes_a_rating_once(nora):
    movie = MovieFactory()
    record_rating(user=nora, movie=movie, rating=4)
    assert remove_rating(user=nora, movie=movie) is True
    assert remove_rating(user=nora, movie=movie) is False
    assert aggregates(movie) == (0, 0)
    assert not Rating.objects.exists()


def test_removing_a_rating_of_a_movie_that_is_gone_is_no_error(bob):
    movie = RatingFactory(user=bob).movie
    Movie.objects.filter(pk=movie.pk).delete()
    assert remove_rating(user=bob, movie=movie) is False


@pytest.mark.django_db(transaction=True)
def test_concurrent_ratings_keep_one_row_and_right_aggregates():
    movie, users = MovieFactory(), UserFactory.create_batch(4)

    def rate(number):
        try:
            record_rating(user=users[number % 4], movie=movie, rating=(number % 10 + 1) / 2)
            if number % 7 == 0:
                remove_rating(user=users[number % 4], movie=movie)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(rate, range(40)))
    kept = list(Rating.objects.values_list("rating", flat=True))
    assert 1 <= len(kept) <= 4
    assert aggregates(movie) == (len(kept), sum(kept))
