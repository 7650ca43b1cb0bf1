"""How each model does in this process, counted in memory and written once in some seconds by a background thread.

What all processes wrote, added up, is what an automatic roll-back is decided on: a process's own metrics reach nobody.
"""

from __future__ import annotations

import atexit
import os
import socket
import threading
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from uuid import uuid4

from django.db import Error
from django.utils import timezone

from recommender.models import ServedMinute
from recommender.serving.background import Worker

FLUSH_SECONDS = 5.0
# Upper ends of the classes of time; the last one has none.
CLASS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)
KEPT_MINUTES = 60  # while the database takes nothing


@dataclass
class Count:
    n_served: int = 0
    n_failed: int = 0
    seconds: list[int] = field(default_factory=lambda: [0] * (len(CLASS_SECONDS) + 1))
    is_written: bool = False


Key = tuple[int, datetime]


class Tally:
    def __init__(self) -> None:
        self.worker = Worker("count what models serve", self.flush, lambda: FLUSH_SECONDS)
        self.reset()
        os.register_at_fork(after_in_child=self.reset)

    def reset(self) -> None:
        """As in a process that has counted nothing yet."""
        self._process = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid4().hex[:8]}"
        self._counts: dict[Key, Count] = {}
        self._lock = threading.Lock()

    def served(self, version: int, seconds: float) -> None:
        with self._lock:
            count = self._count(version)
            count.n_served += 1
            count.seconds[bisect_left(CLASS_SECONDS, seconds)] += 1
        self.worker.ensure_started()

    def failed(self, version: int) -> None:
        with self._lock:
            self._count(version).n_failed += 1
        self.worker.ensure_started()

    def flush(self) -> None:
        """Write what changed; a minute's row is replaced until the minute is over."""
        with self._lock:
            changed = {key: count for key, count in self._counts.items() if not count.is_written}
            rows = [self._row(key, count) for key, count in changed.items()]
            for count in changed.values():
                count.is_written = True
        try:
            _write(rows)
        except Error:
            with self._lock:
                for count in changed.values():
                    count.is_written = False
            raise
        finally:
            self._forget()

    def flush_at_exit(self) -> None:
        try:
            self.flush()
        except Exception:  # the process ends: the counts of its last seconds are no reason to hold it up
            return

    def _count(self, version: int) -> Count:
        key = (version, timezone.now().replace(second=0, microsecond=0))
        count = self._counts.setdefault(key, Count())
        count.is_written = False
        return count

    def _row(self, key: Key, count: Count) -> ServedMinute:
        version, minute = key
        return ServedMinute(
            process=self._process,
            version=version,
            minute=minute,
            n_served=count.n_served,
            n_failed=count.n_failed,
            seconds=list(count.seconds),
        )

    def _forget(self) -> None:
        """What is written and over, and beyond KEPT_MINUTES what could not be written."""
        now = timezone.now().replace(second=0, microsecond=0)
        with self._lock:
            for key in [key for key, count in self._counts.items() if count.is_written and key[1] < now]:
                del self._counts[key]
            for key in sorted(self._counts, key=lambda key: key[1])[:-KEPT_MINUTES]:
                del self._counts[key]


def _write(rows: list[ServedMinute]) -> None:
    if rows:
        ServedMinute.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["version", "minute", "process"],
            update_fields=["n_served", "n_failed", "seconds"],
        )


@dataclass(frozen=True)
class Service:
    """What the processes counted of one model between two moments."""

    n_served: int
    n_failed: int
    seconds: tuple[int, ...]

    @property
    def n_requests(self) -> int:
        return self.n_served + self.n_failed

    def quantile(self, share: float) -> float | None:
        """Seconds below which this share of the lists was made: the upper end of its class. None without a list."""
        if not self.n_served:
            return None
        place = next(n for n, total in enumerate(accumulate(self.seconds)) if total >= share * self.n_served)
        return CLASS_SECONDS[place] if place < len(CLASS_SECONDS) else float("inf")


def service_of(version: int, *, since: datetime, until: datetime) -> Service:
    """Whole minutes: the one that `since` falls into does not count."""
    rows = ServedMinute.objects.filter(version=version, minute__gte=since, minute__lt=until)
    counts = list(rows.values_list("n_served", "n_failed", "seconds"))
    classes = zip(*(seconds for _, _, seconds in counts), strict=True)
    return Service(
        n_served=sum(served for served, _, _ in counts),
        n_failed=sum(failed for _, failed, _ in counts),
        seconds=tuple(sum(column) for column in classes),
    )


tally = Tally()
atexit.register(tally.flush_at_exit)
