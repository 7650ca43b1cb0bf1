"""The user a list is made for: their ratings, viewings and dismissals at this moment."""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Self

from django.conf import settings
from django.db.models import Value
from django.http import HttpRequest

from catalog.guests import guest_ratings
from catalog.models import Rating, Viewing
from recommender.models import Dismissal
from recommender.reasons import LIKED


@dataclass(frozen=True)
class UserProfile:
    """A user's ratings (latest first), dismissed movies, and movies watched without a rating. Empty for a visitor."""

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
        for movie_id, kind in dismissed.union(watched):  # one query, because every list waits for it
            without_rating[kind].add(movie_id)
        return cls(
            user_id=user.pk,
            ratings=rated,
            dismissed=frozenset(without_rating["dismissed"]),
            watched=frozenset(without_rating["watched"]).difference(rated),
        )

    @classmethod
    def of_request(cls, request: HttpRequest) -> Self:
        """The user's profile, or a visitor's with the ratings of their session."""
        if request.user.is_authenticated:
            return cls.of(request.user)
        return cls(ratings=guest_ratings(request.session))

    @property
    def seen(self) -> frozenset[int]:
        """Movies rated or watched."""
        return self.watched.union(self.ratings)

    @property
    def excluded(self) -> frozenset[int]:
        """Movies that no list shows this user: seen and dismissed ones."""
        return self.dismissed.union(self.seen)

    def history(self, known: frozenset[int]) -> dict[int, float]:
        """Input for a model that knows these movies: the ratings, with watched movies counted as liked.

        A watched movie gets the user's own mean rating, but at least the threshold of a like: people mostly watch what
        they like. `python -m benchmarks.watched` measures the alternatives.
        """
        mean = fmean(self.ratings.values()) if self.ratings else LIKED
        watched = dict.fromkeys(self.watched, max(mean, settings.POLICY.training.implicit_threshold or 0.0))
        return {movie: rating for movie, rating in (watched | self.ratings).items() if movie in known}

    def liked(self) -> list[int]:
        """Movies rated highly, the latest first."""
        return [movie for movie, rating in self.ratings.items() if rating >= LIKED]
