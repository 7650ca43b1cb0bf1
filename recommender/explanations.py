"""Leave-one-out explanations: how much a score falls without each rating or feature."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catalog.models import Movie

if TYPE_CHECKING:
    from recommender.estimators import Recommender

N_REASONS = 3  # reasons shown per movie
EXPLAIN_SECONDS = 0.5  # time limit per list: each movie needs one score per rating


@dataclass(frozen=True)
class Reason:
    """A reason for a score. `contribution` is the drop in the score without it, with fixed user weights."""

    kind: str
    id: int | None
    name: str
    contribution: float

    def __str__(self) -> str:
        return "interaction of several ratings" if self.kind == "interaction" else f"{self.kind}: {self.name}"


def explain_movies(model: Recommender, history: dict[int, float], movie_ids: Iterable[int]) -> dict[int, list[Reason]]:
    """Return the strongest reasons for each movie, keyed by movie.

    Skips the remaining movies after EXPLAIN_SECONDS. The first movie always has reasons.
    """
    end = time.monotonic() + EXPLAIN_SECONDS
    reasons: dict[int, list[Reason]] = {}
    for movie in movie_ids:
        if reasons and time.monotonic() > end:
            break
        reasons[movie] = _strongest(contributions(model, history, movie))
    return _with_titles(reasons)


def contributions(model: Recommender, history: dict[int, float], movie_id: int) -> list[Reason]:
    """Return all rows of the model's explanation. Their contributions sum to the score.

    The user's weights are fixed. Otherwise, with few ratings, each would seem to lower the scores of all movies.
    """
    rows = model.with_weights_of(history).explanation(history, movie_id)
    return [Reason(kind, _id(row), name, float(value)) for kind, row, name, value in rows]


def _strongest(reasons: list[Reason]) -> list[Reason]:
    positive = [reason for reason in reasons if reason.kind != "interaction" and reason.contribution > 0]
    return sorted(positive, key=lambda reason: -reason.contribution)[:N_REASONS]


def _id(value: Any) -> int | None:
    return int(value) if isinstance(value, int) or hasattr(value, "dtype") else None


def _with_titles(by_movie: dict[int, list[Reason]]) -> dict[int, list[Reason]]:
    """Return the reasons with the movies' current titles.

    The model's titles may be outdated, or missing because the site may not train on them.
    """
    movies = [reason.id for reasons in by_movie.values() for reason in reasons if reason.id and reason.kind == "movie"]
    titles = dict(Movie.objects.filter(pk__in=set(movies)).values_list("pk", "title"))

    def with_title(reason: Reason) -> Reason:
        is_known = reason.kind == "movie" and reason.id in titles
        return replace(reason, name=titles[reason.id or 0]) if is_known else reason

    return {movie: [with_title(reason) for reason in reasons] for movie, reasons in by_movie.items()}
