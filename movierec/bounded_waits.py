"""A web process waits for Postgres a bounded time: one that hangs, but keeps its connections, would take every thread.

libpq itself waits for an answer forever. Not for workers: theirs may be long. psycopg2 refuses COPY and large objects
where it waits like this, so the site uses neither.
"""

import select
import time

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, connection, set_wait_callback

WAIT_SECONDS = 10.0  # for an answer
HUNG_SECONDS = 2.0  # while the last wait timed out
_is_hung = False


def install() -> None:
    """For every connection of this process and of those that it forks."""
    set_wait_callback(wait)


def wait(connection: connection) -> None:
    """Waits for the connection's operation. Raises OperationalError after too long; psycopg2 then closes it."""
    global _is_hung
    seconds = HUNG_SECONDS if _is_hung else WAIT_SECONDS
    deadline = time.monotonic() + seconds
    while (state := connection.poll()) != POLL_OK:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            _is_hung = True
            raise psycopg2.OperationalError(f"the database did not answer within {seconds:g} s")
    _is_hung = False
