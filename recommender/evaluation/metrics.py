"""How right lists, scores and stars are; vectorised over lists.

The relevant pairs of n lists are given as two arrays of one length: `owners`, the list (0..n-1) that each
relevant movie belongs to, and `ranks`, its rank in that list from 1, or 0 where the list does not show it.
Lists without a relevant movie have no figure: NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata

Array = np.ndarray[Any, Any]


def ndcg_at_k(owners: Array, ranks: Array, n_lists: int, k: int) -> Array:
    """Binary nDCG: sum of 1 / log2(1 + rank) of the hits, over that of the first min(k, relevant) ranks.

    Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", 2002, with gains 0 and 1.
    """
    shown = _shown(ranks, k)
    gained = np.bincount(owners[shown], weights=1 / np.log2(1 + ranks[shown]), minlength=n_lists)
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    return _ratio(gained, ideal[np.minimum(_relevant(owners, n_lists), k)])


def recall_at_k(owners: Array, ranks: Array, n_lists: int, k: int) -> Array:
    """Share of the relevant movies that the first k show."""
    return _ratio(_hits(owners, ranks, n_lists, k), _relevant(owners, n_lists))


def precision_at_k(owners: Array, ranks: Array, n_lists: int, k: int) -> Array:
    """Hits over k, also where a list is shorter than k."""
    hits = _hits(owners, ranks, n_lists, k) / k
    return np.where(_relevant(owners, n_lists) > 0, hits, np.nan)


def auc(scores: Array, is_relevant: Array) -> Array:
    """Per row of (users, movies): the chance that a relevant movie scores above another, ties counting half.

    The rank sum form of Mann and Whitney, 1947. NaN where a row has no relevant movie or nothing else.
    """
    relevant = is_relevant.sum(axis=1)
    others = is_relevant.shape[1] - relevant
    rank_sum = (rankdata(scores, axis=1) * is_relevant).sum(axis=1)
    return _ratio(rank_sum - relevant * (relevant + 1) / 2, relevant * others)


def rmse(predicted: Array, actual: Array) -> float:
    """Root of the mean squared difference, in stars; NaN of nothing."""
    return float(np.sqrt(np.mean((predicted - actual) ** 2))) if len(actual) else float("nan")


def _shown(ranks: Array, k: int) -> Array:
    shown: Array = (ranks >= 1) & (ranks <= k)
    return shown


def _relevant(owners: Array, n_lists: int) -> Array:
    return np.bincount(owners, minlength=n_lists)


def _hits(owners: Array, ranks: Array, n_lists: int, k: int) -> Array:
    return np.bincount(owners[_shown(ranks, k)], minlength=n_lists)


def _ratio(part: Array, whole: Array) -> Array:
    part, whole = part.astype(np.float64), whole.astype(np.float64)
    ratio: Array = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
