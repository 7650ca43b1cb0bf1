"""What changes the catalogue: ratings, watchlists, accounts, and the figures kept on each movie."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from catalog.errors import CatalogError, InvalidRating, InvalidSignUp, MovieNotFound, UserNotFound
from catalog.models import Movie, Rating, Source, User, WatchlistItem
from catalog.models.rating import RATING_STEPS
from catalog.signals import rating_recorded

__all__ = [
    "CatalogError",
    "InvalidRating",
    "InvalidSignUp",
    "MovieNotFound",
    "UserNotFound",
    "add_to_watchlist",
    "rebuild_aggregates",
    "record_rating",
    "refresh_popularity",
    "remove_from_watchlist",
    "remove_rating",
    "sign_up",
]

CLOCK_TOLERANCE = timedelta(days=1)
POPULARITY_TOLERANCE = 0.01  # of it


def record_rating(
    *, user: User, movie: Movie, rating: float, rated_at: datetime | None = None, source: str = Source.SITE
) -> Rating:
    """The user's opinion of the movie from now on; a former one is replaced.

    The movie's row is locked first, so that two calls at once keep one rating and right aggregates.
    Listeners of `rating_recorded` hear of it after the commit. Raises InvalidRating, MovieNotFound, UserNotFound.
    """
    value = _valid_rating(rating)
    moment = _valid_moment(rated_at)
    try:
        with transaction.atomic():
            _lock(movie)
            row = Rating.objects.filter(user=user, movie=movie).first()
            if row is None:
                row = Rating(user=user, movie=movie)
                _change_aggregates(movie, count=1, total=value)
            elif row.rating != value:
                _change_aggregates(movie, count=0, total=value - row.rating)
            row.rating, row.rated_at, row.source = value, moment, source
            row.save()
            _announce(user, movie, value)
    except IntegrityError:
        raise _what_is_gone(user, movie) from None
    return row


def remove_rating(*, user: User, movie: Movie) -> bool:
    """Takes the user's rating of the movie back; False when there was none."""
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
    """Idempotent. Raises MovieNotFound, UserNotFound."""
    try:
        with transaction.atomic():
            _lock(movie)
            return WatchlistItem.objects.get_or_create(user=user, movie=movie)[0]
    except IntegrityError:
        raise _what_is_gone(user, movie) from None


def remove_from_watchlist(*, user: User, movie: Movie) -> bool:
    """False when the movie was not on it."""
    return WatchlistItem.objects.filter(user=user, movie=movie).delete()[0] > 0


def sign_up(*, username: str, email: str, password: str) -> User:
    """A new account that can sign in at once. Raises InvalidSignUp with the messages of each field."""
    user = User(username=User.normalize_username(username.strip()), email=User.objects.normalize_email(email.strip()))
    errors = _sign_up_errors(user, password)
    if errors:
        raise InvalidSignUp(next(iter(errors.values()))[0], fields=errors)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody took the name a moment ago
        raise InvalidSignUp(_TAKEN, fields={"username": [_TAKEN]}) from None
    return user


def rebuild_aggregates(movie_ids: Iterable[int] | None = None) -> int:
    """Counts and sums ratings anew, of these movies or of all; returns how many movies had a wrong figure.

    On Postgres no rating may come in meanwhile: an UPDATE that waited for another one's row would write the
    count of its own older snapshot. SQLite has one writer anyway.
    """
    chosen = "" if movie_ids is None else f"WHERE movie.id IN ({', '.join(str(int(pk)) for pk in movie_ids) or 'NULL'})"
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE catalog_movie IN EXCLUSIVE MODE")
        cursor.execute(
            f"""
            UPDATE catalog_movie SET rating_count = fresh.n, rating_sum = fresh.total
            FROM (
                SELECT movie.id, COUNT(rating.id) AS n, COALESCE(SUM(rating.rating), 0) AS total
                FROM catalog_movie AS movie LEFT JOIN catalog_rating AS rating ON rating.movie_id = movie.id
                {chosen} GROUP BY movie.id
            ) AS fresh
            WHERE fresh.id = catalog_movie.id
              AND (catalog_movie.rating_count <> fresh.n OR catalog_movie.rating_sum <> fresh.total)
            """
        )
        return int(cursor.rowcount)


def refresh_popularity() -> int:
    """Sets each movie's popularity, the sum of 2^(-age / half-life) over its ratings; returns how many changed.

    Age counts from the latest rating of the log, not from today: a historical data set has popular movies too.
    Half-life: `popularity.half_life_days`. The exponent ends at -1000, where a double would underflow. A change
    of less than POPULARITY_TOLERANCE is left: else each hour, as the latest rating moves, every row would be rewritten.
    """
    fresh, parameters = fresh_popularity()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE catalog_movie SET popularity = fresh.popularity FROM ({fresh}) AS fresh
            WHERE fresh.id = catalog_movie.id
              AND ABS(catalog_movie.popularity - fresh.popularity) > %s * fresh.popularity
            """,
            [*parameters, POPULARITY_TOLERANCE],
        )
        return int(cursor.rowcount)


def fresh_popularity() -> tuple[str, list[Any]]:
    """SQL, with its parameters, of each movie's id and what its popularity is now."""
    postgres = connection.vendor == "postgresql"
    age = (
        "EXTRACT(EPOCH FROM (latest.rated_at - rating.rated_at))::float8 / 86400"
        if postgres
        else "JULIANDAY(latest.rated_at) - JULIANDAY(rating.rated_at)"
    )
    larger = "GREATEST" if postgres else "MAX"
    return (
        f"""
        SELECT movie.id, COALESCE(rated.popularity, 0) AS popularity
        FROM catalog_movie AS movie LEFT JOIN (
            SELECT rating.movie_id, SUM(POWER(2.0, {larger}(-1000.0, -({age}) / %s))) AS popularity
            FROM catalog_rating AS rating, (SELECT MAX(rated_at) AS rated_at FROM catalog_rating) AS latest
            GROUP BY rating.movie_id
        ) AS rated ON rated.movie_id = movie.id
        """,
        [settings.POLICY.popularity.half_life_days],
    )


def _valid_rating(rating: Any) -> float:
    try:
        value = float(rating)
    except (TypeError, ValueError):
        value = 0.0
    if isinstance(rating, bool) or value not in RATING_STEPS:
        steps = ", ".join(f"{step:g}" for step in RATING_STEPS)
        raise InvalidRating(f"A rating is one of {steps}; {rating!r} is none.", fields={"rating": [f"One of {steps}."]})
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


def _lock(movie: Movie) -> None:
    """Until the end of the transaction the movie cannot go away, nor another rating of it come in."""
    if movie.pk is None or not Movie.objects.select_for_update(no_key=True).filter(pk=movie.pk).exists():
        raise MovieNotFound(f"There is no movie {movie.pk}.")


def _change_aggregates(movie: Movie, *, count: int, total: float) -> None:
    Movie.objects.filter(pk=movie.pk).update(rating_count=F("rating_count") + count, rating_sum=F("rating_sum") + total)


def _announce(user: User, movie: Movie, rating: float | None) -> None:
    event = {"user_id": user.pk, "movie_id": movie.pk, "rating": rating}
    transaction.on_commit(lambda: rating_recorded.send_robust(sender=Rating, **event))


def _what_is_gone(user: User, movie: Movie) -> CatalogError:
    if not User.objects.filter(pk=user.pk).exists():
        return UserNotFound(f"There is no user {user.pk}.")
    return MovieNotFound(f"There is no movie {movie.pk}.")


_TAKEN = "This name is taken."
_RESERVED = tuple(f"{source}-" for source in (Source.MOVIELENS, Source.GENERATED, Source.BULK))


def _sign_up_errors(user: User, password: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        errors |= error.message_dict
    if user.username.casefold().startswith(_RESERVED):
        errors["username"] = ["Names of this form belong to the users of data sets."]
    elif "username" not in errors and User.objects.filter(username__iexact=user.username).exists():
        errors["username"] = [_TAKEN]
    try:
        validate_password(password, user)
    except ValidationError as error:
        errors["password"] = list(error.messages)
    return errors
