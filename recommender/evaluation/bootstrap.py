"""Bootstrap intervals over users.

Whole users are resampled with all their rows, because the rows of one user (several lists, several cuts) are not
independent. Percentile intervals follow Efron and Tibshirani, "An Introduction to the Bootstrap", 1993. Clusters follow
Field and Welsh, "Bootstrapping clustered data", 2007.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]

CHUNK_DRAWS = 4_000_000  # draws per chunk (resamples x users); bounds memory


@dataclass(frozen=True)
class Interval:
    """A mean with its interval and sample sizes.

    Attributes
    ----------
    mean, low, high : float
        The mean and the bounds, in the unit of the values. `low` and `high` are NaN with fewer than two users.
    n_users, n_rows : int
        Number of users and rows.
    confidence : float
        Coverage of the interval, such as 0.95.

    Examples
    --------
    >>> print(Interval(0.01, -0.002, 0.022, n_users=310, n_rows=420))
    +0.0100 [-0.0020, +0.0220] n=310
    """

    mean: float
    low: float
    high: float
    n_users: int
    n_rows: int
    confidence: float = 0.95

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}] n={self.n_users}"

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the fields as JSON-compatible values.

        Returns
        -------
        dict
            The fields by name. NaN and infinity become None.

        Examples
        --------
        >>> Interval(0.5, float("nan"), float("nan"), 1, 1).to_dict()["low"] is None
        True
        """
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


def bootstrap_mean(
    values: Array, users: Any, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Compute a mean and its percentile interval by resampling whole users.

    Parameters
    ----------
    values
        One value per row. NaN rows are left out.
    users
        The user of each row.
    resamples
        Number of resamples, 1000 or more.
    confidence
        Coverage of the interval, between 0 and 1.
    seed
        Seed of the resamples.

    Returns
    -------
    Interval
        The mean over rows, with its interval.

    Raises
    ------
    ValueError
        `resamples` or `confidence` is out of range.

    Examples
    --------
    >>> print(bootstrap_mean([0.1, 0.3, 0.2, 0.4], ["ann", "ann", "bob", "cleo"]))
    +0.2500 [+0.2000, +0.4000] n=3
    """
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
    """Compute the mean of candidate minus reference, and its interval.

    Parameters
    ----------
    candidate, reference
        Values of two models. Row i of both belongs to the same user and list.
    users
        The user of each row.
    resamples
        Number of resamples, 1000 or more.
    confidence
        Coverage of the interval, between 0 and 1.
    seed
        Seed of the resamples.

    Returns
    -------
    Interval
        Positive if the candidate is better.

    Raises
    ------
    ValueError
        The arguments differ in length, or an option is out of range.

    Examples
    --------
    >>> print(paired_bootstrap([0.2, 0.5, 0.3], [0.1, 0.3, 0.3], ["ann", "bob", "cleo"]))
    +0.1000 [+0.0000, +0.2000] n=3
    """
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
