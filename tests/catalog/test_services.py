from datetime import UTC, datetime

import pytest

from catalog.aggregates import rebuild_aggregates
from catalog.errors import InvalidSignUp, MovieNotFound
from catalog.models import Movie, Rating, Source, User, WatchlistItem
from catalog.services import add_to_watchlist, remove_from_watchlist
from catalog.sign_ups import sign_up
from tests.factories import MovieFactory, RatingFactory, UserFactory

NOW = datetime(2020, 5, 1, 12, tzinfo=UTC)
GOOD = {"username": "mia", "email": "mia@example.org", "password": "correct horse battery"}


def test_watchlist_holds_a_movie_once(nora):
    movie = MovieFactory()
    assert add_to_watchlist(user=nora, movie=movie) == add_to_watchlist(user=nora, movie=movie)
    assert remove_from_watchlist(user=nora, movie=movie) is True
    assert remove_from_watchlist(user=nora, movie=movie) is False
    assert not WatchlistItem.objects.exists()


def test_watchlist_refuses_a_movie_that_is_gone(nora):
    movie = MovieFactory()
    Movie.objects.all().delete()
    with pytest.raises(MovieNotFound):
        add_to_watchlist(user=nora, movie=movie)


def test_sign_up_makes_an_account_that_can_sign_in(db):
    user = sign_up(**GOOD)
    assert User.objects.get(username="mia").check_password(GOOD["password"])
    assert (user.source, user.is_staff) == (Source.SITE, False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "Nora"}, "username"),  # taken, whatever the case
        ({"username": "no spaces please"}, "username"),
        ({"username": ""}, "username"),
        ({"username": "movielens-7"}, "username"),
        ({"email": "nobody"}, "email"),
        ({"password": "12345678"}, "password"),
        ({"password": "mia"}, "password"),
    ],
)
def test_sign_up_says_which_field_is_wrong(nora, change, field):
    with pytest.raises(InvalidSignUp) as error:
        sign_up(**GOOD | change)
    assert list(error.value.fields) == [field]
    assert User.objects.count() == 1


def test_rebuild_puts_wrong_aggregates_right(alice):
    rated = Movie.objects.get(pk=alice.ratings.first().movie_id)
    unrated = MovieFactory(rating_count=3, rating_sum=9)
    assert rebuild_aggregates() == 11
    assert rebuild_aggregates() == 0
    rated.refresh_from_db()
    unrated.refresh_from_db()
    assert (rated.rating_count, rated.rating_sum) == (1, alice.ratings.get(movie=rated).rating)
    assert (unrated.rating_count, unrated.rating_sum) == (0, 0)


def test_training_takes_active_users_ratings_in_order(bob):
    first, second = Rating.objects.order_by("rated_at")
    RatingFactory(user=UserFactory(is_active=False))
    assert list(Rating.objects.for_training()) == [first, second]
