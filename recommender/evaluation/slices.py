"""Parts of the data that have metrics of their own: slices by history and popularity, groups to treat fairly."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

Groups = Mapping[str, frozenset[Any]]

HISTORY_SLICES: dict[str, tuple[int, float]] = {  # earlier ratings, from and to
    "history_0": (0, 0),
    "history_1_4": (1, 4),
    "history_5_19": (5, 19),
    "history_20_plus": (20, np.inf),
}
NEW_MOVIES = "movies_new"
MOVIE_SLICES = ("movies_head", "movies_middle", "movies_tail", NEW_MOVIES)
SLICES = (*HISTORY_SLICES, *MOVIE_SLICES)
"""Names of the slices: users by number of earlier ratings, and movies by popularity."""

HEAD_SHARE = 0.5  # the most rated movies that together hold half of the ratings
MIDDLE_SHARE = 0.8  # and those that follow, up to four fifths
TOP_SHARE = 0.1
FEATURES = ("genres", "keywords", "cast", "directors", "overview", "language", "release_date")


def movie_slices(train: pd.DataFrame) -> pd.Series:
    """The slice of each movie in `train`, by movie id; ties in number of ratings go by id.

    A movie belongs to the slice that the first of its ratings falls into, so that the most rated one is head.
    """
    counts = train.groupby("movie_id").size().sort_index().sort_values(ascending=False, kind="stable")
    before = (counts.cumsum() - counts) / max(counts.sum(), 1)
    names = np.select([before < HEAD_SHARE, before < MIDDLE_SHARE], MOVIE_SLICES[:2], MOVIE_SLICES[2])
    return pd.Series(names, index=counts.index, dtype=object)


def slice_of(movie_ids: pd.Series, slices: pd.Series) -> pd.Series:
    """The slice of each movie; one without a rating in train is new."""
    return movie_ids.map(slices).fillna(NEW_MOVIES)


def in_history_slice(n_history: pd.Series, name: str) -> pd.Series:
    """Which numbers of earlier ratings belong to the slice, one of HISTORY_SLICES."""
    low, high = HISTORY_SLICES[name]
    return n_history.between(low, high)


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


def data_facts(ratings: pd.DataFrame, movies: pd.DataFrame) -> dict[str, Any]:
    """JSON-able shares, from 0 to 1: of movies `rated` and `with` each feature, and of ratings on the `top` tenth.

    Movies are those of either frame.
    """
    counts = ratings["movie_id"].value_counts()
    n_movies = len(set(counts.index) | set(movies["movie_id"]))
    top = counts.head(max(round(TOP_SHARE * len(counts)), 1))
    features = [name for name in FEATURES if name in movies]
    return {
        "n_movies": n_movies,
        "rated": len(counts) / n_movies,
        "top": float(top.sum() / counts.sum()),
        "ratings_per_user": float(ratings["user_id"].value_counts().median()),
        "with": {name: float(movies[name].map(_is_given).sum() / n_movies) for name in features},
    }


def _is_given(value: Any) -> bool:
    return len(value) > 0 if isinstance(value, list | str) else not pd.isna(value)
