"""Splits of a log by time.

Frames hold one row a rating: user_id, movie_id, rating, rated_at. Every split returns whole rows; the caller's frame is
not changed. Ties in time keep the order of the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd


@dataclass(frozen=True)
class TimeSplit:
    """A log divided by time.

    Attributes
    ----------
    train : pandas.DataFrame
        The ratings before `cut`.
    test : pandas.DataFrame
        Those from it on.
    cut : pandas.Timestamp
        The moment.

    Examples
    --------
    >>> [split] = temporal_cuts(ratings, [0.8])
    >>> str(split.cut)
    '2026-01-09 00:00:00+00:00'
    """

    train: pd.DataFrame
    test: pd.DataFrame
    cut: pd.Timestamp


def temporal_cuts(ratings: pd.DataFrame, cuts: Sequence[float | datetime] = (0.7, 0.8, 0.9)) -> list[TimeSplit]:
    """Split a log at moments, everything before each against everything from it on.

    Parameters
    ----------
    ratings
        user_id, movie_id, rating and rated_at, in any order.
    cuts
        Each is a moment, or a share of the log between 0 and 1: the time of the rating at that share of the rows.
        Ratings at that very time all belong to `test`.

    Returns
    -------
    list of TimeSplit
        One per cut.

    Raises
    ------
    ValueError
        A share is not between 0 and 1, or a side of a cut has no ratings.

    Examples
    --------
    >>> [(len(split.train), len(split.test)) for split in temporal_cuts(ratings, [0.5, 0.8])]
    [(5, 5), (8, 2)]
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
    check_share(cut, "cut")
    if log.empty:
        raise ValueError("cuts: there are no ratings")
    moment: pd.Timestamp = log["rated_at"].iloc[int(cut * len(log))]
    return moment


def check_share(share: float, name: str) -> None:
    """Raises ValueError, naming the argument."""
    if not 0 < share < 1:
        raise ValueError(f"{name}: expected a share between 0 and 1, got {share!r}")
