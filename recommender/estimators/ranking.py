"""Cutting score matrices to ranked lists."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
EXCLUDED = -np.inf


def check_k(k: Any) -> int:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"k: expected a positive whole number, got {k!r}")
    return int(k)


def top_k(scores: Array, k: int) -> Array:
    """Positions of the k highest scores, best first, of equal scores the lower position first.

    Excluded positions hold -inf and never come back, so the answer may be shorter than k.
    """
    allowed = np.flatnonzero(scores > _threshold(scores, k))
    return allowed[np.argsort(-scores[allowed], kind="stable")][:k]


def _threshold(scores: Array, k: int) -> float:
    """Just below the k-th highest score: all ties with it stay in, so that the cut among them is exact."""
    if k >= len(scores):
        return EXCLUDED
    kth = np.partition(scores, len(scores) - k)[len(scores) - k]
    return float(np.nextafter(kth, EXCLUDED)) if kth > EXCLUDED else EXCLUDED
