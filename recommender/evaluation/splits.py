"""Splits a ratings log by time.

Frames have one row per rating: user_id, movie_id, rating, rated_at. Splits keep all columns and do not change the
input. Rows with equal times keep their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd


@dataclass(frozen=True)
class TimeSplit:
    """A ratings log split by time.

    Attributes
    ----------
    train : pandas.DataFrame
        Ratings before `cut`.
    test : pandas.DataFrame
        Ratings at `cut` or later.
    cut : pandas.Timestamp
        The time of the split.

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
    """Split a log at each of several times.

    Parameters
    ----------
    ratings
        Columns user_id, movie_id, rating and rated_at, with rows in any order.
    cuts
        Times, or shares of the log between 0 and 1. A share means the time of the rating at that share of the rows.
        Ratings at exactly this time belong to `test`.

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
    """Return the rows sorted by `rated_at`. Ties keep their order."""
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
    """Raise ValueError with the argument's name unless the share is between 0 and 1."""
    if not 0 < share < 1:
        raise ValueError(f"{name}: expected a share between 0 and 1, got {share!r}")
