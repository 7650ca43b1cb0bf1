"""Why a movie is in a list, in terms of what the person rated and of what the movie is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from catalog.models import Movie
from recommender.serving import Served
from recommender.viewer import Viewer

SHOWN = 3  # reasons a movie
EXPLAINED = 20  # movies a list; each costs the score of a list for every rating that the person gave


@dataclass(frozen=True)
class Reason:
    """`contribution` is by how much the movie's score would fall without it."""

    kind: str
    id: int | None
    name: str
    contribution: float


def explain_movies(served: Served, viewer: Viewer, movie_ids: Iterable[int]) -> dict[int, list[Reason]]:
    """The largest reasons for each of the first movies."""
    history = viewer.history(served.known)
    found = {
        movie: strongest(contributions(served, history, movie))
        for movie in list(movie_ids)[:EXPLAINED]
        if movie in served.known
    }
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
