"""The figures of the database in /metrics, read before a scrape asks for them."""

import logging
import math
import time

from django.db import DatabaseError
from prometheus_client import CollectorRegistry, generate_latest

from mlops.dashboard.metrics import RowsCollector
from recommender.serving.periodic import PeriodicThread

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 10.0
MAX_AGE_SECONDS = 60.0  # of figures that are shown while the database does not answer


class LatestRows:
    """The figures as text, as a thread of this process last read them: a scrape waits for no query.

    Its queries would wait at each step for the process's busy threads, and for a database that hangs.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(RowsCollector())
        self._text = b""
        self._read_at = -math.inf
        self.thread = PeriodicThread("read figures for /metrics", self._read, lambda: REFRESH_SECONDS)

    def start(self) -> None:
        self.thread.ensure_started()
        self.thread.wake()

    def text(self) -> bytes:
        """In Prometheus' format; empty while the last figures are too old. Reads them where no thread has."""
        if not self._text or not self.thread.is_alive():
            try:
                self._read()
            except DatabaseError as error:
                logger.error("Figures of the database are missing from /metrics: %s", error)
                return b""
        return self._text if time.monotonic() - self._read_at < MAX_AGE_SECONDS else b""

    def _read(self) -> None:
        self._text = generate_latest(self._registry)
        self._read_at = time.monotonic()


latest_rows = LatestRows()
