"""Returns 503 immediately if a web process has more requests than it can handle in time, to keep the others fast."""

import json
import time
from collections import deque
from contextlib import suppress
from socket import socket

FEW = 4  # requests per thread that may always wait, such as those for the pictures of a page
MAX_WAIT = 1.0  # seconds that a request may wait for a thread
RETRY_AFTER = 1  # seconds after which the waiting requests have been handled
SHARE = 0.05  # weight of the latest request in the moving average
SLOWEST = 1.0  # seconds at which a request's duration is capped, so that a few slow ones do not cause long refusals
SENTENCE = "The site has more to do than it can at the moment. Try again in a second."
PAGE = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Busy</title>
<h1>Busy</h1><p>{SENTENCE}</p></html>
"""
ERROR = json.dumps({"error": {"code": "busy", "message": SENTENCE, "fields": {}}})


class Backlog:
    """The requests that wait for a thread of one process, first in, first out.

    The loop that accepts requests calls `add`, and the threads call `begin` and `end`.
    """

    def __init__(self, n_threads: int) -> None:
        self._n_threads = n_threads
        self._arrived: deque[float] = deque()
        self._seconds = 0.0  # moving average of a request's duration

    @property
    def is_full(self) -> bool:
        """Whether another request would wait too long, at the current speed or because earlier ones already do."""
        n_waiting = len(self._arrived)
        if n_waiting <= FEW * self._n_threads:
            return False
        try:
            oldest = time.monotonic() - self._arrived[0]
        except IndexError:  # threads have taken all of them in the meantime
            return False
        return max(oldest, n_waiting * self._seconds / self._n_threads) > MAX_WAIT

    def add(self) -> None:
        self._arrived.append(time.monotonic())

    def begin(self) -> float:
        """Return the start time, to be passed to `end`."""
        self._arrived.popleft()
        return time.monotonic()

    def end(self, began: float) -> None:
        seconds = min(time.monotonic() - began, SLOWEST)
        self._seconds += SHARE * (seconds - self._seconds)


def refuse(client: socket, path: bytes) -> None:
    """Send a 503. The connection is closed, so that a client that reconnects may reach a less busy process."""
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
    with suppress(OSError):  # the client is gone; one that reads its responses has buffer space for this
        client.send("\r\n".join((*head, "", "")).encode() + body)
