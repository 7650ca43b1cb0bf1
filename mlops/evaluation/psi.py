"""The population stability index: the distance of two distributions over the same categories."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, Any]

SMALLEST_SHARE = 0.005  # smaller shares count as this: otherwise a handful of rows dominates through the logarithm


def population_stability_index(recent: ArrayLike, before: ArrayLike) -> Array:
    """sum over categories of (p - q) ln(p / q), p and q their shares (Siddiqi, "Credit Risk Scorecards", 2006).

    The categories are the last axis: rows of several distributions give an index for each.
    """
    p, q = _shares(recent), _shares(before)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def _shares(counts: ArrayLike) -> Array:
    counts = np.asarray(counts, dtype=np.float64)
    return np.maximum(counts / counts.sum(axis=-1, keepdims=True), SMALLEST_SHARE)
