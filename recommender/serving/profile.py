"""What a list must know of the person it is for, read from the database when it is made."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Self

from django.conf import settings
from django.db.models import Value

from catalog.models import Rating, Viewing
from recommender.models import Dismissal

LIKED = 4.0  # stars from which on a movie is named as liked


@dataclass(frozen=True)
class Viewer:
    """Somebody's ratings, latest first, the movies they do not want, and those they watched and did not rate; all of
    it empty for who is not signed in."""

    user_id: int | None = None
    ratings: dict[int, float] = field(default_factory=dict)
    dismissed: frozenset[int] = frozenset()
    watched: frozenset[int] = frozenset()

    @classmethod
    def of(cls, user: Any) -> Self:
        if user is None or not user.is_authenticated:
            return cls()
        ratings = Rating.objects.filter(user=user).order_by("-rated_at", "-id")
        rated = dict(ratings.values_list("movie_id", "rating"))
        dismissed = Dismissal.objects.filter(user=user).values_list("movie_id", Value("dismissed"))
        watched = Viewing.objects.filter(user=user).order_by().values_list("movie_id", Value("watched"))
        without_rating: dict[str, set[int]] = defaultdict(set)
        for movie_id, what in dismissed.union(watched):  # in one query: every list waits for it
            without_rating[what].add(movie_id)
        return cls(
            user_id=user.pk,
            ratings=rated,
            dismissed=frozenset(without_rating["dismissed"]),
            watched=frozenset(without_rating["watched"]).difference(rated),
        )

    @property
    def seen(self) -> frozenset[int]:
        """Whatever the rating, or without one."""
        return self.watched.union(self.ratings)

    @property
    def hidden(self) -> frozenset[int]:
        """What no list shows them: seen and dismissed."""
        return self.dismissed.union(self.seen)

    def history(self, known: frozenset[int]) -> dict[int, float]:
        """What a model which knows these movies can be asked with: the ratings, and what was watched as just liked."""
        watched = dict.fromkeys(self.watched, self._stars_of_watched)
        return {movie: rating for movie, rating in (watched | self.ratings).items() if movie in known}

    @property
    def _stars_of_watched(self) -> float:
        """Their own mean, but not below what counts as liked: people mostly watch what they like. What other ways to
        count it cost is measured by `python -m benchmarks.watched`."""
        threshold = settings.POLICY.training.implicit_threshold or 0.0
        return max(fmean(self.ratings.values()) if self.ratings else LIKED, threshold)

    def liked(self) -> list[int]:
        """Movies they rated highly, the latest first."""
        return [movie for movie, rating in self.ratings.items() if rating >= LIKED]
