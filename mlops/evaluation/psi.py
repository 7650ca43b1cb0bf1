"""The population stability index (PSI), a distance between two distributions over the same categories."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray[Any, Any]

SMALLEST_SHARE = 0.005  # lower bound of shares, so that a few rows do not dominate the logarithm


def population_stability_index(recent: ArrayLike, before: ArrayLike) -> Array:
    """Returns the sum of (p - q) ln(p / q) over categories (Siddiqi, "Credit Risk Scorecards", 2006).

    `recent` and `before` are counts, p and q their shares. The last axis holds the categories; any other axis holds
    several distributions, each with its own index.
    """
    p, q = _shares(recent), _shares(before)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def _shares(counts: ArrayLike) -> Array:
    counts = np.asarray(counts, dtype=np.float64)
    return np.maximum(counts / counts.sum(axis=-1, keepdims=True), SMALLEST_SHARE)
