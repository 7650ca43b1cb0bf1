"""Train and test splits: those of published protocols and those of the site's own gate.

Frames hold one row a rating: user_id, movie_id, rating and, where time matters, rated_at.
Every split returns whole rows; the caller's frame is not changed. Ties in time keep the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]

WEEK = pd.Timedelta(days=7)


@dataclass(frozen=True)
class Split:
    train: pd.DataFrame
    test: pd.DataFrame


@dataclass(frozen=True)
class ColdSplit(Split):
    """`cold_movies` (sorted ids) have all their rows in `test`, the others all theirs in `train`."""

    cold_movies: Array


@dataclass(frozen=True)
class TimeSplit(Split):
    """`train` is everything before `cut`, `test` everything from it on (up to the next week, for weeks)."""

    cut: pd.Timestamp


def leave_ratings_out(ratings: pd.DataFrame, train_share: float = 0.75, seed: int = 42) -> Split:
    """Of each movie's c ratings the first round(train_share * c), in random order, train; the rest test.

    Random numbers are drawn by NumPy's legacy generator, one a row in the order of the rows; halves round to even.
    """
    _check_share(train_share, "train_share")
    draws = np.random.RandomState(seed).rand(len(ratings))
    movies, _ = pd.factorize(ratings["movie_id"], sort=True)
    order = np.lexsort((draws, movies))
    counts = np.bincount(movies)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    in_movie = np.arange(len(ratings)) - first[movies[order]]
    is_train = np.empty(len(ratings), dtype=bool)
    is_train[order] = in_movie < np.round(train_share * counts)[movies[order]]
    return Split(train=ratings[is_train], test=ratings[~is_train])


def hide_cold_movies(positives: pd.DataFrame, share: float = 0.2, seed: int = 0) -> ColdSplit:
    """All rows of a random share of the movies are hidden, as if those movies had come out after training."""
    _check_share(share, "share")
    movies = np.sort(positives["movie_id"].unique())
    cold = np.random.default_rng(seed).permutation(len(movies))[: int(share * len(movies))]
    is_cold = positives["movie_id"].isin(movies[cold])
    return ColdSplit(train=positives[~is_cold], test=positives[is_cold], cold_movies=np.sort(movies[cold]))


def rolling_weeks(ratings: pd.DataFrame, n_weeks: int = 8) -> list[TimeSplit]:
    """The last weeks of the log, oldest first, each with everything before it; the last ends at the last rating."""
    log = in_time_order(ratings)
    if log.empty:
        return []
    end = log["rated_at"].iloc[-1]
    splits = []
    for weeks_left in range(n_weeks, 0, -1):
        start = end - weeks_left * WEEK
        before, until = log["rated_at"] <= start, log["rated_at"] <= start + WEEK
        if before.any() and (until & ~before).any():
            splits.append(TimeSplit(train=log[before], test=log[until & ~before], cut=start))
    return splits


def temporal_cuts(ratings: pd.DataFrame, cuts: Sequence[float | datetime] = (0.7, 0.8, 0.9)) -> list[TimeSplit]:
    """Everything before each cut against everything from it on.

    A cut is a moment, or a share of the log: the time of the rating at that share of the rows. Ratings given at
    that very time all belong to `test`.
    """
    log = in_time_order(ratings)
    splits = []
    for cut in cuts:
        moment = _moment(log, cut)
        is_train = log["rated_at"] < moment
        if not is_train.any() or is_train.all():
            raise ValueError(
                f"cut {cut}: expected ratings on both sides of {moment}, got {int(is_train.sum())} "
                f"of {len(log)} before it"
            )
        splits.append(TimeSplit(train=log[is_train], test=log[~is_train], cut=moment))
    return splits


def in_time_order(ratings: pd.DataFrame) -> pd.DataFrame:
    """The rows sorted by `rated_at`; ties keep their order."""
    return ratings.sort_values("rated_at", kind="stable")


def _moment(log: pd.DataFrame, cut: float | datetime) -> pd.Timestamp:
    if isinstance(cut, datetime):
        return pd.Timestamp(cut)
    _check_share(cut, "cut")
    if log.empty:
        raise ValueError("cuts: there are no ratings")
    moment: pd.Timestamp = log["rated_at"].iloc[int(cut * len(log))]
    return moment


def _check_share(share: float, name: str) -> None:
    if not 0 < share < 1:
        raise ValueError(f"{name}: expected a share between 0 and 1, got {share!r}")
