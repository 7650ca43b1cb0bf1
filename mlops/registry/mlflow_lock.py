"""A lock for writing to MLflow. Without it, a second writer would delete an incomplete run as a leftover."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.db import connection

from mlops.errors import MirrorBusy

KEY = 7002  # key of Postgres' advisory lock
PAUSE_SECONDS = 0.2


@contextmanager
def sole_writer(*, wait_seconds: float = 0) -> Iterator[None]:
    """Prevents other processes from writing to MLflow. The lock is released if the process is killed.

    Raises MirrorBusy if another process still holds the lock after `wait_seconds`.
    """
    locked = _locked_in_postgres if connection.vendor == "postgresql" else _locked_file
    with ExitStack() as stack:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                stack.enter_context(locked())
                break
            except MirrorBusy:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE_SECONDS)
        yield


@contextmanager
def _locked_in_postgres() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
        if not cursor.fetchone()[0]:
            raise MirrorBusy
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [KEY])


@contextmanager
def _locked_file() -> Iterator[None]:
    """Locks a file. This suffices with SQLite, because all processes are on one host."""
    with (settings.VAR_DIR / "mlflow.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MirrorBusy from None
        yield
