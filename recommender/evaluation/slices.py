"""Slices of the data with separate metrics, by history length and popularity, and groups for fairness."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

Groups = Mapping[str, frozenset[Any]]

HISTORY_SLICES: dict[str, tuple[int, float]] = {  # lowest and highest number of earlier ratings
    "history_0": (0, 0),
    "history_1_4": (1, 4),
    "history_5_19": (5, 19),
    "history_20_plus": (20, np.inf),
}
NEW_MOVIES = "movies_new"
MOVIE_SLICES = ("movies_head", "movies_middle", "movies_tail", NEW_MOVIES)
SLICES = (*HISTORY_SLICES, *MOVIE_SLICES)
"""Names of the slices, by number of a user's earlier ratings and by popularity of the movie."""

HEAD_SHARE = 0.5  # the head consists of the most-rated movies with half of all ratings
MIDDLE_SHARE = 0.8  # the middle consists of the next movies, up to four fifths of all ratings
TOP_SHARE = 0.1
FEATURES = ("genres", "keywords", "cast", "directors", "countries", "overview", "language", "release_date")


def movie_slices(train: pd.DataFrame) -> pd.Series:
    """Return the slice of each movie in `train`, keyed by movie id. Movies are sorted by number of ratings, then id.

    A movie belongs to the slice of its first rating in that order, so the most-rated movie is always in the head.
    """
    counts = train.groupby("movie_id").size().sort_index().sort_values(ascending=False, kind="stable")
    before = (counts.cumsum() - counts) / max(counts.sum(), 1)
    names = np.select([before < HEAD_SHARE, before < MIDDLE_SHARE], MOVIE_SLICES[:2], MOVIE_SLICES[2])
    return pd.Series(names, index=counts.index, dtype=object)


def slice_of(movie_ids: pd.Series, slices: pd.Series) -> pd.Series:
    """Return the slice of each movie. Movies without ratings in the training data are new."""
    return movie_ids.map(slices).fillna(NEW_MOVIES)


def in_history_slice(n_history: pd.Series, name: str) -> pd.Series:
    """Return a mask of the numbers of earlier ratings that belong to the slice, one of HISTORY_SLICES."""
    low, high = HISTORY_SLICES[name]
    return n_history.between(low, high)


def movie_groups(movies: pd.DataFrame, min_share: float = 0.0) -> dict[str, frozenset[Any]]:
    """Return the movie ids of groups such as `language fr`, `genre Drama` and `decade 1990s`, keyed by group.

    Excludes groups with less than `min_share` of all movies.
    """
    groups: dict[str, set[Any]] = {}
    for name in ("language", "genres", "release_date"):
        if name in movies:
            for movie, value in zip(movies["movie_id"], movies[name], strict=True):
                for group in _groups_of(name, value):
                    groups.setdefault(group, set()).add(movie)
    return {name: frozenset(ids) for name, ids in sorted(groups.items()) if len(ids) >= min_share * len(movies)}


def shares(counts: pd.Series, groups: Groups) -> dict[str, float]:
    """Return each group's share of `counts`, keyed by movie id. A movie counts once for each genre."""
    total = float(counts.sum())
    return {name: float(counts[counts.index.isin(ids)].sum()) / total if total else 0.0 for name, ids in groups.items()}


def _groups_of(name: str, value: Any) -> list[str]:
    if name == "genres":
        return [f"genre {genre}" for genre in value] if isinstance(value, list) else []
    if name == "language":
        return [f"language {value}"] if isinstance(value, str) and value else []
    return [] if pd.isna(value) else [f"decade {pd.Timestamp(value).year // 10 * 10}s"]


def data_facts(ratings: pd.DataFrame, movies: pd.DataFrame) -> dict[str, Any]:
    """Return JSON-compatible facts about the data.

    Shares are from 0 to 1: `rated` movies, movies `with` each feature, and ratings of the `top` tenth of rated movies.
    Movies of both frames count.
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
