"""Accuracy metrics of lists and ratings, vectorized over lists.

Two arrays of equal length describe the relevant movies of n lists. `owners` is the list (0..n-1) of each relevant
movie. `ranks` is the movie's rank in that list from 1, or 0 if it is not in the list. The metrics of a list without
relevant movies are NaN.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

METRICS = ("ndcg", "recall", "precision")
"""Names of the accuracy metrics, each from 0 to 1."""


def accuracy(owners: Any, ranks: Any, n_lists: int, k: int) -> dict[str, Array]:
    """Compute METRICS at k for many lists.

    nDCG is binary: the sum of 1 / log2(1 + rank) over the hits, divided by the same sum over the first
    min(k, relevant) ranks (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, with
    gains 0 and 1). Recall is the share of relevant movies among the first k. Precision is hits / k, even for a list
    shorter than k.

    Parameters
    ----------
    owners
        The list (0 to n_lists - 1) of each relevant movie.
    ranks
        The rank of each relevant movie in its list, from 1, or 0 if the list does not show it.
    n_lists
        Number of lists.
    k
        Cut-off.

    Returns
    -------
    dict of str to numpy.ndarray of shape (n_lists,)
        Values from 0 to 1, NaN for a list without relevant movies.

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
    """Compute the root mean squared error.

    Parameters
    ----------
    predicted, actual
        Ratings in stars, paired by position.

    Returns
    -------
    float
        The error in stars, NaN for empty arrays.

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
