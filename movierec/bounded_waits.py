"""Limits how long a web process waits for Postgres.

libpq waits forever, so a server that hangs with open connections would block all threads. Workers are not limited,
because their queries may take long. psycopg2 does not support COPY and large objects with a wait callback, so the site
uses neither.
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

import psycopg2
from django.core.signals import request_finished, request_started
from psycopg2.extensions import POLL_OK, POLL_READ, connection, set_wait_callback

WAIT_SECONDS = 10.0  # time limit for a response
HUNG_SECONDS = 2.0  # time limit if the previous wait timed out
AGAIN_SECONDS = 0.2  # time limit if a wait of the same request has already timed out
_is_hung = False
_own = local()


def install() -> None:
    """Limit the waits of all connections of this process and its forks."""
    set_wait_callback(wait)
    request_started.connect(_begin_request, dispatch_uid="bounded_waits")
    request_finished.connect(_end_request, dispatch_uid="bounded_waits")


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Limit the total time of all waits of this thread within the context."""
    _own.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        del _own.deadline


def wait(connection: connection) -> None:
    """Wait for the connection's operation. Raises OperationalError on timeout, after which psycopg2 closes it."""
    global _is_hung
    started, patience = time.monotonic(), _patience()
    deadline = min(started + patience, getattr(_own, "deadline", started + patience))
    while (state := connection.poll()) != POLL_OK:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            _is_hung = _is_hung or deadline == started + patience  # a shorter limit may only mean a slow query
            _own.gave_up = getattr(_own, "in_request", False)
            raise psycopg2.OperationalError(f"the database did not answer within {deadline - started:.3g} s")
    _is_hung = _own.gave_up = False


def _patience() -> float:
    """Return the time limit of the next wait.

    It is short after a timeout in the same request. A page runs several queries and can do without some of them.
    Together they should not take much longer than one.
    """
    if getattr(_own, "gave_up", False):
        return AGAIN_SECONDS
    return HUNG_SECONDS if _is_hung else WAIT_SECONDS


def _begin_request(**_: object) -> None:
    _own.in_request, _own.gave_up = True, False


def _end_request(**_: object) -> None:
    """Reset the time limit. The site's own threads, and work between requests, wait like a first query."""
    _own.in_request = _own.gave_up = False
