"""Intervals by bootstrap over users: whole users are drawn, with all their rows, so that rows of one user
(several lists, several cuts) do not pass for independent evidence.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, percentile intervals; clusters as in
Field and Welsh, "Bootstrapping clustered data", 2007.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]

CHUNK_DRAWS = 4_000_000  # bounds memory: resamples of one chunk x users


@dataclass(frozen=True)
class Interval:
    """A mean over rows, its interval, and the evidence behind it. `low` and `high` are NaN below two users."""

    mean: float
    low: float
    high: float
    n_users: int
    n_rows: int
    confidence: float = 0.95

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}] n={self.n_users}"

    def to_dict(self) -> dict[str, float | int | None]:
        """JSON-able; NaN and infinity become None."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


def bootstrap_mean(
    values: Array, users: Any, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """The mean of `values` (one a row) with an interval; `users` names the user of each row. NaN rows are left out."""
    if resamples < 1000:
        raise ValueError(f"resamples: expected 1000 or more, got {resamples}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a share between 0 and 1, got {confidence}")
    values = np.asarray(values, dtype=np.float64)
    is_known = np.isfinite(values)
    codes, _ = pd.factorize(np.asarray(users)[is_known])
    sums, rows = np.bincount(codes, weights=values[is_known]), np.bincount(codes)
    if not len(rows):
        return Interval(math.nan, math.nan, math.nan, 0, 0, confidence)
    mean = float(sums.sum() / rows.sum())
    if len(rows) < 2:
        return Interval(mean, math.nan, math.nan, 1, int(rows.sum()), confidence)
    means = _resampled_means(sums, rows, resamples, np.random.default_rng(seed))
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(mean, float(low), float(high), len(rows), int(rows.sum()), confidence)


def paired_bootstrap(
    candidate: Array, reference: Array, users: Any, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Candidate less reference, where row i of both is about the same user and the same list."""
    candidate, reference = np.asarray(candidate, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if not len(candidate) == len(reference) == len(users):
        raise ValueError(f"rows do not pair: {len(candidate)}, {len(reference)} and {len(users)} users")
    return bootstrap_mean(candidate - reference, users, resamples=resamples, confidence=confidence, seed=seed)


def _resampled_means(sums: Array, rows: Array, resamples: int, rng: np.random.Generator) -> Array:
    n_users = len(rows)
    chunk = max(1, CHUNK_DRAWS // n_users)
    means = []
    for start in range(0, resamples, chunk):
        drawn = rng.integers(0, n_users, size=(min(chunk, resamples - start), n_users))
        means.append(sums[drawn].sum(axis=1) / rows[drawn].sum(axis=1))
    return np.concatenate(means)
