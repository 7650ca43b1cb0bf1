"""Threads that work beside the requests of one process."""

import logging
import os
import threading
from collections.abc import Callable

from django.db import connections

from recommender.logs import log_once_a_minute

logger = logging.getLogger(__name__)


class Worker:
    """Calls `work` every `seconds()` in a daemon thread, which starts when first needed.

    Each process has its own: after a fork the child's starts anew with its first request. Database connections
    are closed after each call, and a call that fails does not end the thread.
    """

    def __init__(self, name: str, work: Callable[[], object], seconds: Callable[[], float]) -> None:
        self.name = name
        self.work = work
        self.seconds = seconds
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def ensure_started(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._stopped = False
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Work now instead of when the time is up."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread and wait for it."""
        thread, self._thread = self._thread, None
        self._stopped = True
        self._wake.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(self.seconds())
            self._wake.clear()
            if self._stopped:
                return
            try:
                self.work()
            except Exception:
                log_once_a_minute(logger, "%s failed, it will be tried again", self.name)
            finally:
                connections.close_all()
