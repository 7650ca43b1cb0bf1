"""What a list must know of the person it is for, read from the database when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from catalog.models import Rating
from recommender.models import Dismissal

LIKED = 4.0  # stars from which on a movie is named as liked


@dataclass(frozen=True)
class Viewer:
    """Somebody's ratings, latest first, and the movies they do not want; both empty for who is not signed in."""

    user_id: int | None = None
    ratings: dict[int, float] = field(default_factory=dict)
    dismissed: frozenset[int] = frozenset()

    @classmethod
    def of(cls, user: Any) -> Self:
        if user is None or not user.is_authenticated:
            return cls()
        ratings = Rating.objects.filter(user=user).order_by("-rated_at", "-id")
        dismissed = Dismissal.objects.filter(user=user)
        return cls(
            user_id=user.pk,
            ratings=dict(ratings.values_list("movie_id", "rating")),
            dismissed=frozenset(dismissed.values_list("movie_id", flat=True)),
        )

    @property
    def hidden(self) -> frozenset[int]:
        """What no list shows them: seen (whatever the rating) and dismissed."""
        return self.dismissed.union(self.ratings)

    def history(self, known: frozenset[int]) -> dict[int, float]:
        """The ratings that a model which knows these movies can be asked with."""
        return {movie: rating for movie, rating in self.ratings.items() if movie in known}

    def liked(self) -> list[int]:
        """Movies they rated highly, the latest first."""
        return [movie for movie, rating in self.ratings.items() if rating >= LIKED]
