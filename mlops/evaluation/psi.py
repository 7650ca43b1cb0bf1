"""The population stability index: the distance of two distributions over the same categories."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SMALLEST_SHARE = 0.005  # smaller shares count as this: otherwise a handful of rows dominates through the logarithm


def population_stability_index(recent: Array, before: Array) -> float:
    """sum over categories of (p - q) ln(p / q), p and q their shares (Siddiqi, "Credit Risk Scorecards", 2006)."""
    return float(
        psi_of_shares(np.asarray(recent, dtype=np.float64)[None], np.asarray(before, dtype=np.float64)[None])[0]
    )


def psi_of_shares(recent: Array, before: Array) -> Array:
    p = np.maximum(recent / recent.sum(axis=1, keepdims=True), SMALLEST_SHARE)
    q = np.maximum(before / before.sum(axis=1, keepdims=True), SMALLEST_SHARE)
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=1))
