"""Reconnects to the database, so that a short outage does not end a job."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

LOST_CONNECTION = (OperationalError, InterfaceError)
PATIENCE_SECONDS = 600.0
LONGEST_PAUSE = 5.0

T = TypeVar("T")


def reconnecting(work: Callable[[], T], *, patience: float = PATIENCE_SECONDS) -> T:
    """Repeats idempotent work on a new connection until the database is back, for at most `patience` seconds."""
    deadline, pause = time.monotonic() + patience, 0.1
    while True:
        try:
            return work()
        except LOST_CONNECTION as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("the database is away, trying again in %.1f s: %s", pause, error)
            connection.close()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
