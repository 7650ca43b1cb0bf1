"""Accuracy of lists and ratings, vectorised over lists.

The relevant pairs of n lists are given as two arrays of one length: `owners`, the list (0..n-1) that each
relevant movie belongs to, and `ranks`, its rank in that list from 1, or 0 where the list does not show it. A list
without a relevant movie has no figure: NaN.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

METRICS = ("ndcg", "recall", "precision")
"""Names of the accuracy metrics, each from 0 to 1."""


def accuracy(owners: Any, ranks: Any, n_lists: int, k: int) -> dict[str, Array]:
    """Compute METRICS of many lists at k.

    nDCG is binary: the sum of 1 / log2(1 + rank) over the hits, divided by that sum for the first min(k, relevant)
    ranks (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, with gains 0 and 1).
    Recall is the share of the relevant movies that the first k show. Precision is hits / k, also where a list is
    shorter than k.

    Parameters
    ----------
    owners
        For each relevant movie the list (0 to n_lists - 1) that it belongs to.
    ranks
        Its rank in that list from 1; 0 where the list does not show it. As long as `owners`.
    n_lists
        Number of lists.
    k
        Cut-off.

    Returns
    -------
    dict of str to numpy.ndarray of shape (n_lists,)
        From 0 to 1; NaN for a list without a relevant movie.

    Examples
    --------
    >>> accuracy(owners=[0, 0], ranks=[1, 0], n_lists=1, k=10)["recall"]
    array([0.5])
    """
    owners, ranks = np.asarray(owners, dtype=np.int64), np.asarray(ranks, dtype=np.int64)
    is_hit = (ranks >= 1) & (ranks <= k)
    gained = np.bincount(owners[is_hit], weights=1 / np.log2(1 + ranks[is_hit]), minlength=n_lists)
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    n_relevant = np.bincount(owners, minlength=n_lists)
    n_hits = np.bincount(owners[is_hit], minlength=n_lists)
    return {
        "ndcg": _ratio(gained, ideal[np.minimum(n_relevant, k)]),
        "recall": _ratio(n_hits, n_relevant),
        "precision": np.where(n_relevant > 0, n_hits / k, np.nan),
    }


def rmse(predicted: Array, actual: Array) -> float:
    """Compute the root of the mean squared difference.

    Parameters
    ----------
    predicted, actual
        Ratings in stars, paired by position.

    Returns
    -------
    float
        Stars; NaN for empty arrays.

    Examples
    --------
    >>> rmse(np.array([4.0, 3.0]), np.array([4.5, 3.5]))
    0.5
    """
    return float(np.sqrt(np.mean((predicted - actual) ** 2))) if len(actual) else float("nan")


def _ratio(part: Array, whole: Array) -> Array:
    part, whole = part.astype(np.float64), whole.astype(np.float64)
    ratio: Array = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
