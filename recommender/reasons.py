"""Why a movie is in a list, in terms of what the person rated and of what the movie is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from catalog.models import Movie
from recommender.serving.model_server import Served
from recommender.serving.profile import Viewer

SHOWN = 3  # reasons a movie
EXPLAIN_SECONDS = 0.5  # for a list: a movie costs a score for every rating, of which some people have thousands


@dataclass(frozen=True)
class Reason:
    """`contribution` is by how much the movie's score would fall without it."""

    kind: str
    id: int | None
    name: str
    contribution: float


def explain_movies(served: Served, viewer: Viewer, movie_ids: Iterable[int]) -> dict[int, list[Reason]]:
    """The largest reasons for each movie, best first, for as many as there is time for; for the first in any case."""
    history = viewer.history(served.known)
    end = time.monotonic() + EXPLAIN_SECONDS
    found: dict[int, list[Reason]] = {}
    for movie in movie_ids:
        if found and time.monotonic() > end:
            break
        if movie in served.known:
            found[movie] = strongest(contributions(served, history, movie))
    return _named(found)


def contributions(served: Served, history: dict[int, float], movie_id: int) -> list[Reason]:
    """All rows of the model's explanation; they sum to the score."""
    frame = served.model.explain(history, movie_id)
    columns = [frame[name].tolist() for name in ("kind", "id", "name", "contribution")]
    return [Reason(kind, _id(row), name, float(value)) for kind, row, name, value in zip(*columns, strict=True)]


def strongest(reasons: list[Reason]) -> list[Reason]:
    for_it = [reason for reason in reasons if reason.kind != "interaction" and reason.contribution > 0]
    return sorted(for_it, key=lambda reason: -reason.contribution)[:SHOWN]


def _id(value: Any) -> int | None:
    return int(value) if isinstance(value, int) or hasattr(value, "dtype") else None


def _named(found: dict[int, list[Reason]]) -> dict[int, list[Reason]]:
    """With the movies' titles of today: those in the model may be older, or left out of training."""
    movies = [reason.id for reasons in found.values() for reason in reasons if reason.id and reason.kind == "movie"]
    titles = dict(Movie.objects.filter(pk__in=set(movies)).values_list("pk", "title"))

    def named(reason: Reason) -> Reason:
        is_known = reason.kind == "movie" and reason.id in titles
        return replace(reason, name=titles[reason.id or 0]) if is_known else reason

    return {movie: [named(reason) for reason in reasons] for movie, reasons in found.items()}
