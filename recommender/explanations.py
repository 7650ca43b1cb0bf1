"""Leave-one-out explanations: by how much a score falls without each rating or feature."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catalog.models import Movie

if TYPE_CHECKING:
    from recommender.estimators import Recommender

N_REASONS = 3  # shown for each movie
EXPLAIN_SECONDS = 0.5  # for a list: each movie costs one score per rating, and some users have thousands


@dataclass(frozen=True)
class Reason:
    """A reason for a score. `contribution` is the fall of the score without it, for the same user weights."""

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
    rows = model.with_weights_of(history).explanation(history, movie_id)
    return [Reason(kind, _id(row), name, float(value)) for kind, row, name, value in rows]


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
