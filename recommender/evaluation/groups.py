"""Languages, genres and decades: groups of movies that a model must treat fairly, by ids, for any metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

Groups = Mapping[str, frozenset[Any]]


def movie_groups(movies: pd.DataFrame, min_share: float = 0.0) -> dict[str, frozenset[Any]]:
    """`language fr`, `genre Drama`, `decade 1990s` with the ids of their movies; only those with that share of all."""
    groups: dict[str, set[Any]] = {}
    for name in ("language", "genres", "release_date"):
        if name in movies:
            for movie, value in zip(movies["movie_id"], movies[name], strict=True):
                for group in _groups_of(name, value):
                    groups.setdefault(group, set()).add(movie)
    return {name: frozenset(ids) for name, ids in sorted(groups.items()) if len(ids) >= min_share * len(movies)}


def shares(counts: pd.Series, groups: Groups) -> dict[str, float]:
    """Each group's share of `counts` (by movie id); a movie of several genres counts for each."""
    total = float(counts.sum())
    return {name: float(counts[counts.index.isin(ids)].sum()) / total if total else 0.0 for name, ids in groups.items()}


def _groups_of(name: str, value: Any) -> list[str]:
    if name == "genres":
        return [f"genre {genre}" for genre in value] if isinstance(value, list) else []
    if name == "language":
        return [f"language {value}"] if isinstance(value, str) and value else []
    return [] if pd.isna(value) else [f"decade {pd.Timestamp(value).year // 10 * 10}s"]
