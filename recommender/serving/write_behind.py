"""A buffer of rows that a background thread writes, so that requests do not wait."""

import atexit
import logging
import os
import threading
from collections.abc import Callable, Hashable
from itertools import islice
from typing import Generic, TypeVar

from django.db import Error

from recommender.logs import log_once_a_minute
from recommender.serving.periodic import PeriodicThread

logger = logging.getLogger(__name__)

FLUSH_AT = 100  # number of buffered rows that wakes the thread early
BATCH = 500

Row = TypeVar("Row")


class WriteBehindBuffer(Generic[Row]):
    """Holds at most `capacity` rows. A row replaces an unwritten one with the same key.

    Rows wait in order while the database rejects them. If the buffer is full, the oldest rows are dropped.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[list[Row]], None],
        *,
        seconds: float,
        capacity: int,
        on_drop: Callable[[int], object] | None = None,
    ) -> None:
        self.name = name
        self.write = write
        self.capacity = capacity
        self._on_drop = on_drop
        self.thread = PeriodicThread(f"write {name}", self.flush, lambda: seconds)
        self.clear()
        os.register_at_fork(after_in_child=self.clear)  # a forked process must not write its parent's rows
        atexit.register(self.flush_at_exit)

    def clear(self) -> None:
        """Remove all rows, as in a new process."""
        self._rows: dict[Hashable, Row] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, key: Hashable, row: Row) -> None:
        with self._lock:
            self._rows[key] = row
            self._drop_oldest()
            is_due = len(self._rows) >= FLUSH_AT
        self.thread.ensure_started()
        if is_due:
            self.thread.wake()

    def flush(self) -> None:
        """Write the buffered rows. Keeps them after a database error."""
        with self._flushing:
            while batch := self._take():
                try:
                    self.write(list(batch.values()))
                except Error:
                    self._put_back(batch)
                    log_once_a_minute(logger.exception, "Cannot write %s to the database; will retry", self.name)
                    return
                except Exception:  # a retry would fail as well
                    self._dropped(len(batch))
                    raise
                if len(batch) < BATCH:  # rows added meanwhile wait for the next flush
                    return

    def flush_at_exit(self) -> None:
        try:
            self.flush()
        except Exception:
            log_once_a_minute(logger.exception, "Lost %s at exit", self.name)

    def _take(self) -> dict[Hashable, Row]:
        with self._lock:
            return {key: self._rows.pop(key) for key in list(islice(self._rows, BATCH))}

    def _put_back(self, batch: dict[Hashable, Row]) -> None:
        with self._lock:
            self._rows = batch | self._rows  # newer rows with the same key win
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        excess = list(islice(self._rows, max(len(self._rows) - self.capacity, 0)))
        for key in excess:
            del self._rows[key]
        self._dropped(len(excess))

    def _dropped(self, count: int) -> None:
        if count and self._on_drop is not None:
            self._on_drop(count)
