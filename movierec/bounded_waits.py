"""A web process waits for Postgres a bounded time: one that hangs, but keeps its connections, would take every thread.

libpq itself waits for an answer forever. Not for workers: theirs may be long. psycopg2 refuses COPY and large objects
where it waits like this, so the site uses neither.
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

import psycopg2
from django.core.signals import request_finished, request_started
from psycopg2.extensions import POLL_OK, POLL_READ, connection, set_wait_callback

WAIT_SECONDS = 10.0  # for an answer
HUNG_SECONDS = 2.0  # while the last wait timed out
AGAIN_SECONDS = 0.2  # after a wait of the same request timed out
_is_hung = False
_own = local()


def install() -> None:
    """For every connection of this process and of those that it forks."""
    set_wait_callback(wait)
    request_started.connect(_begin_request, dispatch_uid="bounded_waits")
    request_finished.connect(_end_request, dispatch_uid="bounded_waits")


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """All waits of this thread within, together."""
    _own.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        del _own.deadline


def wait(connection: connection) -> None:
    """Waits for the connection's operation. Raises OperationalError after too long; psycopg2 then closes it."""
    global _is_hung
    started, patience = time.monotonic(), _patience()
    deadline = min(started + patience, getattr(_own, "deadline", started + patience))
    while (state := connection.poll()) != POLL_OK:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            _is_hung = _is_hung or deadline == started + patience  # less may be too short for a slow query
            _own.gave_up = getattr(_own, "in_request", False)
            raise psycopg2.OperationalError(f"the database did not answer within {deadline - started:.3g} s")
    _is_hung = _own.gave_up = False


def _patience() -> float:
    """A page asks for several things in turn, and shows less where one is missing: together they take no longer."""
    if getattr(_own, "gave_up", False):
        return AGAIN_SECONDS
    return HUNG_SECONDS if _is_hung else WAIT_SECONDS


def _begin_request(**_: object) -> None:
    _own.in_request, _own.gave_up = True, False


def _end_request(**_: object) -> None:
    """Threads of the site's own, and what a thread does between requests, wait as long as a first query."""
    _own.in_request = _own.gave_up = False
