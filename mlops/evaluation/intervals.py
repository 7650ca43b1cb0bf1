"""95 % intervals for the paired difference between two models, and for a share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

Z_95 = 1.96  # standard deviations


@dataclass(frozen=True)
class PairedInterval:
    """A paired difference in a metric, with its 95 % interval. Values are None if there are too few users."""

    mean: float | None
    low: float | None
    high: float | None
    n_users: int

    @classmethod
    def from_dict(cls, interval: Mapping[str, Any]) -> Self:
        """Creates the interval from the dict that `recommender.evaluation` writes to a version's figures."""
        return cls(interval["mean"], interval["low"], interval["high"], interval["n_users"])

    @property
    def interval(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (self.low, self.high)


def is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Returns the 95 % score interval for a share (Wilson, 1927)."""
    if not n:
        return 0.0, 1.0
    share, z2 = hits / n, Z_95 * Z_95
    middle = share + z2 / (2 * n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z2 / n)), min(1.0, (middle + half) / (1 + z2 / n))
