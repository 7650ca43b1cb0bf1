"""Background threads of a web process."""

import logging
import os
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import connections
from django.urls import set_script_prefix

from recommender.logs import log_once_a_minute

logger = logging.getLogger(__name__)


class PeriodicThread:
    """Calls `work` every `seconds()` in a daemon thread that starts on first use.

    A forked process starts its own thread on its first request. The thread closes its database connections after each
    call and survives exceptions.
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

    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def ensure_started(self) -> None:
        if self.is_alive():
            return
        with self._lock:
            if not self.is_alive():
                self._stopped = False
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Run the work now instead of at the end of the interval."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread and wait for it."""
        thread, self._thread = self._thread, None
        self._stopped = True
        self._wake.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        set_script_prefix(settings.FORCE_SCRIPT_NAME or "/")  # Django sets it only in the main thread and for requests
        while not self._stopped:
            self._wake.wait(self.seconds())
            self._wake.clear()
            if self._stopped:
                return
            try:
                self.work()
            except Exception:
                log_once_a_minute(logger.exception, "Background thread %r failed and will retry", self.name)
            finally:
                connections.close_all()
