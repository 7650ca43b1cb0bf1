"""Safe use of the database by threads in a process that forks.

A fork copies everything that other threads hold at that moment. SQLite connections must not be open in two processes,
and a lock held by SQLite's library would remain locked in the child.
"""

import os
import threading
from types import TracebackType

from django.db import connection

FORK_PATIENCE = 25.0  # seconds that a fork waits for a thread to finish its current work


class ForkGate:
    """A context manager for a thread's database work. Forks wait until it ends and the connection is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._was_taken = False
        os.register_at_fork(before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            connection.close()
        finally:
            self._lock.release()

    def _before(self) -> None:
        self._was_taken = self._lock.acquire(timeout=FORK_PATIENCE)

    def _in_parent(self) -> None:
        if self._was_taken:
            self._lock.release()

    def _in_child(self) -> None:
        self._lock = threading.Lock()
