"""Answers 503 at once when a web process has more requests than it can answer in time, so that the others are fast."""

import json
import time
from collections import deque
from contextlib import suppress
from socket import socket

FEW = 4  # requests for each thread that may always wait: the pictures of a page are as many
MAX_WAIT = 1.0  # seconds that a request may wait for a thread
RETRY_AFTER = 1  # seconds: by then those that wait have been answered
SHARE = 0.05  # of the last request in the mean
SLOWEST = 1.0  # seconds that a request counts for at most, so that a few long ones do not close the door for long
SENTENCE = "The site has more to do than it can at the moment. Try again in a second."
PAGE = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Busy</title>
<h1>Busy</h1><p>{SENTENCE}</p></html>
"""
ERROR = json.dumps({"error": {"code": "busy", "message": SENTENCE, "fields": {}}})


class Backlog:
    """Requests that wait for a thread of one process, first in, first out.

    `add` is called by the loop that accepts requests, `begin` and `end` by the threads.
    """

    def __init__(self, n_threads: int) -> None:
        self._n_threads = n_threads
        self._arrived: deque[float] = deque()
        self._seconds = 0.0  # that a thread takes for a request

    @property
    def is_full(self) -> bool:
        """Whether another request would wait too long: at this pace, or because those before it already do."""
        n_waiting = len(self._arrived)
        if n_waiting <= FEW * self._n_threads:
            return False
        try:
            oldest = time.monotonic() - self._arrived[0]
        except IndexError:  # threads took all of them meanwhile
            return False
        return max(oldest, n_waiting * self._seconds / self._n_threads) > MAX_WAIT

    def add(self) -> None:
        self._arrived.append(time.monotonic())

    def begin(self) -> float:
        """Returns what `end` is given."""
        self._arrived.popleft()
        return time.monotonic()

    def end(self, began: float) -> None:
        seconds = min(time.monotonic() - began, SLOWEST)
        self._seconds += SHARE * (seconds - self._seconds)


def refuse(client: socket, path: bytes) -> None:
    """Answers 503 and closes; a client that connects again may find another process, which has time."""
    is_api = b"/api/" in path
    body = (ERROR if is_api else PAGE).encode()
    head = (
        "HTTP/1.1 503 Service Unavailable",
        f"Retry-After: {RETRY_AFTER}",
        f"Content-Type: {'application/json' if is_api else 'text/html; charset=utf-8'}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    with suppress(OSError):  # the client is gone; a client that reads its answers has room for this one
        client.send("\r\n".join((*head, "", "")).encode() + body)
