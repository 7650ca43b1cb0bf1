"""Shown lists are kept without a request waiting for it: gathered in memory, written by a background thread."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque

from django.db import DataError, Error, IntegrityError, transaction

from recommender.logs import log_once_a_minute
from recommender.metrics import IMPRESSIONS_DROPPED
from recommender.models import Impression
from recommender.serving.background import Worker

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
FLUSH_AT = 100
CAPACITY = 10_000
BATCH = 500


class ImpressionBuffer:
    """Holds at most CAPACITY lists; when the database does not take them for so long, the oldest are dropped."""

    def __init__(self) -> None:
        self.worker = Worker("keep shown lists", self.flush, lambda: FLUSH_SECONDS)
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._waiting: deque[Impression] = deque()  # of this process alone: a fork must not write its parent's
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def add(self, impression: Impression) -> None:
        with self._lock:
            self._waiting.append(impression)
            self._drop_beyond_capacity()
            is_full = len(self._waiting) >= FLUSH_AT
        self.worker.ensure_started()
        if is_full:
            self.worker.wake()

    def flush(self) -> None:
        """Write what waits; what the database cannot take now waits on, in its order."""
        with self._flushing:
            while batch := self._take():
                try:
                    write(batch)
                except Error:
                    with self._lock:
                        self._waiting.extendleft(reversed(batch))
                        self._drop_beyond_capacity()
                    log_once_a_minute(logger, "Shown lists cannot be written now and wait")
                    return
                except Exception:  # no later attempt would go better
                    IMPRESSIONS_DROPPED.inc(len(batch))
                    raise

    def flush_at_exit(self) -> None:
        if self._waiting:
            try:
                self.flush()
            except Exception:
                log_once_a_minute(logger, "Shown lists were lost at exit")

    def _take(self) -> list[Impression]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _drop_beyond_capacity(self) -> None:
        while len(self._waiting) > CAPACITY:
            self._waiting.popleft()
            IMPRESSIONS_DROPPED.inc()


def write(batch: list[Impression]) -> None:
    """All of them, or, where somebody's account is gone by now, all the others."""
    try:
        with transaction.atomic():
            Impression.objects.bulk_create(batch)
    except (DataError, IntegrityError):
        for impression in batch:
            _write_alone(impression)


def _write_alone(impression: Impression) -> None:
    try:
        with transaction.atomic():
            Impression.objects.bulk_create([impression])
    except (DataError, IntegrityError):
        IMPRESSIONS_DROPPED.inc()


buffer = ImpressionBuffer()
atexit.register(buffer.flush_at_exit)
