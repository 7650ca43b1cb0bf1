"""One process writes to MLflow at a time: a second would take a run that is being written for a leftover."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from mlops.errors import MirrorBusy

KEY = 7002  # of Postgres' advisory lock


@contextmanager
def sole_writer() -> Iterator[None]:
    """Within it no other process writes to MLflow. Never waits: raises MirrorBusy. A killed process holds no lock."""
    held = _locked_in_postgres() if connection.vendor == "postgresql" else _locked_file()
    with held:
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
    """With SQLite all processes are on one host."""
    with (settings.VAR_DIR / "mlflow.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MirrorBusy from None
        yield
