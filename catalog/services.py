"""Services for ratings and watchlists."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import F, FloatField, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.errors import CatalogError, InvalidRating, MovieNotFound, UserNotFound
from catalog.models import Movie, Rating, Source, User, WatchlistItem
from catalog.models.movie import Marks
from catalog.models.rating import CLOCK_TOLERANCE, RATING_STEPS
from catalog.signals import rating_recorded


def record_rating(
    *, user: User, movie: Movie, rating: float, rated_at: datetime | None = None, source: str = Source.SITE
) -> Rating:
    """Records a rating, replacing any earlier one by the same user.

    Removes the movie from the user's watchlist. Sends `rating_recorded` after the commit. Raises InvalidRating,
    MovieNotFound, UserNotFound.
    """
    value = _valid_rating(rating)
    moment = _valid_moment(rated_at)
    with changing(user, movie):
        row = Rating.objects.filter(user=user, movie=movie).first()
        if row is None:
            row = Rating(user=user, movie=movie)
            _change_aggregates(movie, count=1, total=value)
        elif row.rating != value:
            _change_aggregates(movie, count=0, total=value - row.rating)
        row.rating, row.rated_at, row.source = value, moment, source
        row.save()
        remove_from_watchlist(user=user, movie=movie)
        _announce(user, movie, value)
    return row


def remove_rating(*, user: User, movie: Movie) -> bool:
    """Deletes the user's rating of the movie. Returns False if there was none."""
    with transaction.atomic():
        if not Movie.objects.select_for_update(no_key=True).filter(pk=movie.pk).exists():
            return False
        row = Rating.objects.filter(user=user, movie=movie).first()
        if row is None:
            return False
        row.delete()
        _change_aggregates(movie, count=-1, total=-row.rating)
        _announce(user, movie, None)
    return True


def add_to_watchlist(*, user: User, movie: Movie) -> WatchlistItem:
    """Adds the movie to the watchlist. Idempotent. Raises MovieNotFound, UserNotFound."""
    with changing(user, movie):
        return WatchlistItem.objects.get_or_create(user=user, movie=movie)[0]


def remove_from_watchlist(*, user: User, movie: Movie) -> bool:
    """Removes the movie from the watchlist. Returns False if it was not on it."""
    return WatchlistItem.objects.filter(user=user, movie=movie).delete()[0] > 0


def is_wanted_by(user: User | AnonymousUser, movie: Movie) -> bool:
    """Returns whether the movie is on the user's watchlist. Guests have none."""
    return user.is_authenticated and WatchlistItem.objects.filter(user=user, movie=movie).exists()


def mark_movies(user: User, movies: Iterable[Movie]) -> None:
    """Sets `marks` of these movies for the user with one query. `guests.mark_for` also handles guests."""
    by_id = defaultdict(list)
    for movie in movies:
        movie.marks = Marks()
        by_id[movie.pk].append(movie.marks)
    ratings = Rating.objects.filter(user=user, movie__in=by_id).order_by().values_list("movie_id", "rating")
    no_rating = Value(0.0, FloatField())
    wanted = WatchlistItem.objects.filter(user=user, movie__in=by_id).order_by().values_list("movie_id", no_rating)
    for movie_id, rating in ratings.union(wanted, all=True):
        for marks in by_id[movie_id]:
            if rating:
                marks.rating = rating
            else:
                marks.in_watchlist = True


def _valid_rating(rating: Any) -> float:
    try:
        value = float(rating)
    except (TypeError, ValueError):
        value = 0.0
    if isinstance(rating, bool) or value not in RATING_STEPS:
        steps = ", ".join(f"{step:g}" for step in RATING_STEPS)
        text = _("The rating must be one of %(steps)s; got %(rating)r.") % {"steps": steps, "rating": rating}
        raise InvalidRating(text, fields={"rating": [_("Must be one of %(steps)s.") % {"steps": steps}]})
    return value


def _valid_moment(rated_at: datetime | None) -> datetime:
    now = timezone.now()
    if rated_at is None:
        return now
    if timezone.is_naive(rated_at) or rated_at > now + CLOCK_TOLERANCE:
        expected = "A past moment with a time zone."
        raise InvalidRating(
            f"rated_at is {rated_at.isoformat()}: expected a past moment with a time zone.",
            fields={"rated_at": [expected]},
        )
    return rated_at


@contextmanager
def changing(user: User, movie: Movie) -> Iterator[None]:
    """A transaction that locks the movie, which prevents its deletion and serialises changes to a user's rows.

    Raises MovieNotFound, UserNotFound if another request has deleted them.
    """
    try:
        with transaction.atomic():
            if movie.pk is None or not Movie.objects.select_for_update(no_key=True).filter(pk=movie.pk).exists():
                raise MovieNotFound(_("Movie %(id)d does not exist.") % {"id": movie.pk})
            yield
    except IntegrityError:
        raise _not_found(user, movie) from None


def _change_aggregates(movie: Movie, *, count: int, total: float) -> None:
    Movie.objects.filter(pk=movie.pk).update(rating_count=F("rating_count") + count, rating_sum=F("rating_sum") + total)


def _announce(user: User, movie: Movie, rating: float | None) -> None:
    event = {"user_id": user.pk, "movie_id": movie.pk, "rating": rating}
    transaction.on_commit(lambda: rating_recorded.send_robust(sender=Rating, **event))


def _not_found(user: User, movie: Movie) -> CatalogError:
    if not User.objects.filter(pk=user.pk).exists():
        return UserNotFound(_("User %(id)d does not exist.") % {"id": user.pk})
    return MovieNotFound(_("Movie %(id)d does not exist.") % {"id": movie.pk})
