"""Compares two sets of lists of the same users, ignoring swaps of movies with nearly equal scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

Scores = dict[Any, float]  # movie -> score, best first


@dataclass(frozen=True)
class Swap:
    """A rank where one list has `movie` and the other `other`. `gap` is the relative difference in score."""

    user: Any
    rank: int
    movie: Any
    other: Any
    gap: float

    def __str__(self) -> str:
        return f"user {self.user}, rank {self.rank}: {self.movie} or {self.other}, scores differ by {self.gap:.2g}"


@dataclass
class ListComparison:
    n_users: int = 0
    n_equal: int = 0
    near_ties: list[Swap] = field(default_factory=list)
    changes: list[Swap] = field(default_factory=list)
    largest_gap: float = 0.0  # between the two scores of one movie


def compare_lists(before: Path, after: Path, *, k: int, near_tie: float) -> ListComparison:
    """Compares the first k movies of each list. A swap is a near-tie if both models' scores say so."""
    old, new = _scores(before), _scores(after)
    found = ListComparison(n_users=len(old.keys() | new.keys()))
    for user in old.keys() | new.keys():
        a, b = old.get(user, {}), new.get(user, {})
        found.largest_gap = max([found.largest_gap, *(_gap(a[m], b[m]) for m in a.keys() & b.keys())])
        pairs = [(rank, *pair) for rank, pair in enumerate(zip(list(a)[:k], list(b)[:k], strict=False), 1)]
        swapped = [(rank, movie, other) for rank, movie, other in pairs if movie != other]
        found.n_equal += not swapped and len(a) == len(b)
        for rank, movie, other in swapped:
            swap = Swap(user, rank, movie, other, min(_between(a, movie, other), _between(b, movie, other)))
            (found.near_ties if swap.gap <= near_tie else found.changes).append(swap)
    return found


def _scores(path: Path) -> dict[Any, Scores]:
    lists = pd.read_pickle(path)
    groups = lists.sort_values(["user_id", "rank"]).groupby("user_id")
    return {user: dict(zip(rows["movie_id"], rows["score"], strict=True)) for user, rows in groups}


def _between(scores: Scores, movie: Any, other: Any) -> float:
    return _gap(scores[movie], scores[other]) if movie in scores and other in scores else float("inf")


def _gap(a: float, b: float) -> float:
    """Returns the difference relative to the larger score."""
    return abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0
