"""The current ratings, viewings and dismissals of the user for whom a list is made."""

from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Self

from django.conf import settings
from django.db.models import F, FloatField, QuerySet, Value, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest

from catalog.guests import guest_ratings
from catalog.models import Rating, User, Viewing
from catalog.prepared import PreparedQuery
from recommender.models import Dismissal
from recommender.reasons import LIKED

_DISMISSED, _WATCHED, _USER = -1.0, -2.0, -3.0  # markers in the rating column


def _rows_of(user_id: int) -> QuerySet[Any, Any]:
    """Return a query for all that a list needs to know about a user.

    It is a single query because every list waits for it. Its rows are (movie, rating, place), with place 1 for the
    latest rating, and one row for the user. The database computes the place: reading the timestamp of every rating
    would take longer than the rest of the query.
    """
    place = Window(RowNumber(), order_by=[F("rated_at").desc(), F("id").desc()])
    ratings = Rating.objects.filter(user_id=user_id).order_by().annotate(place=place)

    def of_kind(rows: QuerySet[Any, Any], column: str, kind: float) -> QuerySet[Any, Any]:
        return rows.order_by().values_list(column, Value(kind, FloatField()), Value(0))

    others = (
        of_kind(Dismissal.objects.filter(user_id=user_id), "movie_id", _DISMISSED),
        of_kind(Viewing.objects.filter(user_id=user_id), "movie_id", _WATCHED),
        of_kind(User.objects.filter(pk=user_id), "pk", _USER),
    )
    return ratings.values_list("movie_id", "rating", "place").union(*others, all=True).order_by("place")


def _n_others(rows: list[tuple[int, float, int]]) -> int:
    """Return how many rows are not ratings. They have place 0, so they come first."""
    return next((number for number, row in enumerate(rows) if row[2]), len(rows))


_ROWS = PreparedQuery(_rows_of, example=-9, converts=False)


@dataclass(frozen=True)
class UserProfile:
    """A user's ratings (latest first), dismissed movies, and movies watched but not rated. Empty for a visitor."""

    user_id: int | None = None
    ratings: dict[int, float] = field(default_factory=dict)
    dismissed: frozenset[int] = frozenset()
    watched: frozenset[int] = frozenset()

    @classmethod
    def of(cls, user: Any) -> Self:
        if user is None or not user.is_authenticated:
            return cls()
        return cls._of_rows(user.pk, _ROWS.rows(user.pk))

    @classmethod
    def of_id(cls, user_id: int) -> Self | None:
        """Return the profile of the user, or None if the user does not exist."""
        rows = _ROWS.rows(user_id)
        return cls._of_rows(user_id, rows) if any(kind == _USER for _, kind, _ in rows[: _n_others(rows)]) else None

    @classmethod
    def _of_rows(cls, user_id: int, rows: list[tuple[int, float, int]]) -> Self:
        n_others = _n_others(rows)
        others, ratings = rows[:n_others], {movie: rating for movie, rating, _ in rows[n_others:]}
        return cls(
            user_id=user_id,
            ratings=ratings,
            dismissed=frozenset(movie for movie, kind, _ in others if kind == _DISMISSED),
            watched=frozenset(movie for movie, kind, _ in others if kind == _WATCHED).difference(ratings),
        )

    @classmethod
    def of_request(cls, request: HttpRequest) -> Self:
        """Return the profile of the signed-in user or, for a visitor, one with the ratings in their session."""
        if request.user.is_authenticated:
            return cls.of(request.user)
        return cls(ratings=guest_ratings(request.session))

    @property
    def seen(self) -> frozenset[int]:
        """Movies that the user has rated or watched."""
        return self.watched.union(self.ratings)

    @property
    def excluded(self) -> frozenset[int]:
        """Seen and dismissed movies, which lists leave out."""
        return self.dismissed.union(self.seen)

    def history(self, known: frozenset[int]) -> dict[int, float]:
        """Return the input for a model that knows these movies: the ratings, with watched movies counted as liked.

        A watched movie gets the user's mean rating, but at least the threshold for a like, because people mostly watch
        movies that they like. `python -m benchmarks.watched` compares the alternatives.
        """
        mean = fmean(self.ratings.values()) if self.ratings else LIKED
        watched = dict.fromkeys(self.watched, max(mean, settings.POLICY.training.implicit_threshold or 0.0))
        return {movie: rating for movie, rating in (watched | self.ratings).items() if movie in known}

    def liked(self) -> list[int]:
        """Return the highly rated movies, latest rating first."""
        return [movie for movie, rating in self.ratings.items() if rating >= LIKED]
