"""Per-minute counts and latencies of the lists made by each model, written through a write-behind buffer.

Automatic rollback uses the sum over all processes' rows, because a process cannot read another one's Prometheus
metrics.
"""

import os
import socket
import threading
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Self
from uuid import uuid4

from django.utils import timezone

from recommender.models import ServingStatsMinute
from recommender.serving.write_behind import WriteBehindBuffer

LATENCY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)  # upper bounds


@dataclass
class ServingStats:
    """Counts of lists that a model made or failed to make.

    The histogram has one more bucket than LATENCY_BUCKETS. The last one has no upper bound.
    """

    n_failed: int = 0
    latency_histogram: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BUCKETS) + 1))

    @classmethod
    def between(cls, since: datetime, until: datetime, *, version: int) -> Self:
        """Return the sum over all processes for whole minutes, without the minute that contains `since`."""
        rows = ServingStatsMinute.objects.filter(version=version, minute__gte=since, minute__lt=until)
        total = cls()
        for n_failed, histogram in rows.values_list("n_failed", "latency_histogram"):
            total.n_failed += n_failed
            total.latency_histogram = [a + b for a, b in zip(total.latency_histogram, histogram, strict=True)]
        return total

    @property
    def n_served(self) -> int:
        return sum(self.latency_histogram)

    @property
    def n_requests(self) -> int:
        return self.n_served + self.n_failed

    def quantile(self, share: float) -> float | None:
        """Return the upper bound of the bucket with this quantile of the latencies, or None without lists."""
        n_served = self.n_served
        if not n_served:
            return None
        bucket = next(n for n, total in enumerate(accumulate(self.latency_histogram)) if total >= share * n_served)
        return LATENCY_BUCKETS[bucket] if bucket < len(LATENCY_BUCKETS) else float("inf")


Minute = tuple[int, datetime, ServingStats]  # model version, start of the minute, counts so far


class ServingStatsRecorder(WriteBehindBuffer[Minute]):
    """Counts the lists of this process. The row of the current minute is replaced until the minute is over."""

    def __init__(self) -> None:
        super().__init__("serving stats", self._upsert, seconds=5.0, capacity=60)

    def clear(self) -> None:
        """Reset all counts, as in a new process."""
        super().clear()
        self._process = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid4().hex[:8]}"
        self._current: dict[int, Minute] = {}
        self._counting = threading.Lock()

    def record_served(self, version: int, seconds: float) -> None:
        with self._counting:
            self._this_minute(version).latency_histogram[bisect_left(LATENCY_BUCKETS, seconds)] += 1
            self._put_minute(version)

    def record_failure(self, version: int) -> None:
        with self._counting:
            self._this_minute(version).n_failed += 1
            self._put_minute(version)

    def _this_minute(self, version: int) -> ServingStats:
        start = timezone.now().replace(second=0, microsecond=0)
        current = self._current.get(version)
        if current is None or current[1] != start:
            current = self._current[version] = (version, start, ServingStats())
        return current[2]

    def _put_minute(self, version: int) -> None:
        minute = self._current[version]
        self.put(minute[:2], minute)

    def _upsert(self, minutes: list[Minute]) -> None:
        ServingStatsMinute.objects.bulk_create(
            [self._row(*minute) for minute in minutes],
            update_conflicts=True,
            unique_fields=["version", "minute", "process"],
            update_fields=["n_served", "n_failed", "latency_histogram"],
        )

    def _row(self, version: int, minute: datetime, stats: ServingStats) -> ServingStatsMinute:
        histogram = list(stats.latency_histogram)  # a copy, because requests keep counting
        return ServingStatsMinute(
            process=self._process,
            version=version,
            minute=minute,
            n_served=sum(histogram),
            n_failed=stats.n_failed,
            latency_histogram=histogram,
        )


serving_stats = ServingStatsRecorder()
