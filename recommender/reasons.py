"""Why a movie is recommended, in terms of the user's ratings and the movie's features.

Each movie of a personal list has a main reason, by the model's attribution at fixed weights. `explain_movies` gives
leave-one-out differences, which cost a score for each rating.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from django.conf import settings
from django.db.models import TextChoices
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from catalog.models import Movie

if TYPE_CHECKING:
    from recommender.estimators import Recommender
    from recommender.estimators.attribution import Attribution

LIKED = 4.0  # lowest rating of a movie shown as liked
N_REASONS = 3  # shown for each movie
EXPLAIN_SECONDS = 0.5  # for a list: each movie costs one score per rating, and some users have thousands


class ReasonCode(TextChoices):
    """The label is the sentence for people."""

    LIKED = "liked", _("Because you liked %(name)s")
    RATED = "rated", _("Because you rated %(name)s")
    WATCHED = "watched", _("Because you watched %(name)s")
    RATINGS = "ratings", _("From your ratings overall")
    POPULAR = "popular", _("Popular with everyone here")


class MainReason(NamedTuple):
    """The largest contributor that a person finds plausible; with code RATINGS there is none, and no movie."""

    code: ReasonCode
    movie_id: int | None = None
    name: str = ""
    contribution: float | None = None  # how much the score falls without the movie, at the same weights

    @property
    def sentence(self) -> str:
        return str(self.code.label) % {"name": self.name}

    @property
    def as_html(self) -> str:
        """The sentence with the movie's title marked as one."""
        return format_html(str(self.code.label).replace("%(name)s", "<cite>{}</cite>"), self.name)

    def named(self, movies: dict[int, Movie]) -> MainReason:
        """With the movie's current title: the model's may be older, or not trainable."""
        if self.movie_id is None:
            return self
        movie = movies.get(self.movie_id)
        return MainReason(ReasonCode.RATINGS) if movie is None else self._replace(name=movie.title)


def main_reasons(
    model: Recommender, ratings: dict[int, float], history: dict[int, float], movie_ids: list[int]
) -> dict[int, MainReason]:
    """Of each movie: the rating that adds most to its score, among those of liked or watched movies that are near it.

    `history` is what the model is given for the user's `ratings`. Without such a rating the reason is "From your
    ratings overall": a movie may owe its place to many ratings together.
    """
    attribution: Attribution = model.attribute(history, movie_ids)
    if not attribution.parts.any():
        return dict.fromkeys(movie_ids, MainReason(ReasonCode.POPULAR))
    threshold = settings.POLICY.training.implicit_threshold
    lowest = LIKED if threshold is None else threshold
    rated = attribution.rated_ids.tolist()
    is_liked = np.array([ratings.get(movie, lowest) >= lowest for movie in rated], dtype=bool)
    parts = np.where(attribution.is_near & is_liked, attribution.parts, 0.0)
    best = parts.argmax(axis=1)
    return {
        movie: _reason(ratings, rated[at], float(falls[at])) if part[at] > 0 else MainReason(ReasonCode.RATINGS)
        for movie, at, part, falls in zip(movie_ids, best.tolist(), parts, attribution.falls, strict=True)
    }


def _reason(ratings: dict[int, float], movie_id: int, contribution: float) -> MainReason:
    rating = ratings.get(movie_id)
    code = ReasonCode.WATCHED if rating is None else ReasonCode.LIKED if rating >= LIKED else ReasonCode.RATED
    return MainReason(code, movie_id, "", contribution)


@dataclass(frozen=True)
class Reason:
    """`contribution` is how much the movie's score would fall without it, for the same user weights."""

    kind: str
    id: int | None
    name: str
    contribution: float

    def __str__(self) -> str:
        return "interaction of several ratings" if self.kind == "interaction" else f"{self.kind}: {self.name}"


def explain_movies(model: Recommender, history: dict[int, float], movie_ids: Iterable[int]) -> dict[int, list[Reason]]:
    """The strongest reasons for each movie, until EXPLAIN_SECONDS are over; at least those for the first movie."""
    end = time.monotonic() + EXPLAIN_SECONDS
    reasons: dict[int, list[Reason]] = {}
    for movie in movie_ids:
        if reasons and time.monotonic() > end:
            break
        reasons[movie] = _strongest(contributions(model, history, movie))
    return _with_titles(reasons)


def contributions(model: Recommender, history: dict[int, float], movie_id: int) -> list[Reason]:
    """All rows of the model's explanation; they sum to the score.

    With the user's weights held: else each of a few ratings would seem to lower the score of every movie.
    """
    frame = model.with_weights_of(history).explain(history, movie_id)
    columns = [frame[name].tolist() for name in ("kind", "id", "name", "contribution")]
    return [Reason(kind, _id(row), name, float(value)) for kind, row, name, value in zip(*columns, strict=True)]


def _strongest(reasons: list[Reason]) -> list[Reason]:
    positive = [reason for reason in reasons if reason.kind != "interaction" and reason.contribution > 0]
    return sorted(positive, key=lambda reason: -reason.contribution)[:N_REASONS]


def _id(value: Any) -> int | None:
    return int(value) if isinstance(value, int) or hasattr(value, "dtype") else None


def _with_titles(by_movie: dict[int, list[Reason]]) -> dict[int, list[Reason]]:
    """With the movies' current titles: the model's titles may be older, or not trainable."""
    movies = [reason.id for reasons in by_movie.values() for reason in reasons if reason.id and reason.kind == "movie"]
    titles = dict(Movie.objects.filter(pk__in=set(movies)).values_list("pk", "title"))

    def with_title(reason: Reason) -> Reason:
        is_known = reason.kind == "movie" and reason.id in titles
        return replace(reason, name=titles[reason.id or 0]) if is_known else reason

    return {movie: [with_title(reason) for reason in reasons] for movie, reasons in by_movie.items()}
