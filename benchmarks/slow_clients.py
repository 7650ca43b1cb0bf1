"""Measures lists while other clients are slow: `python -m benchmarks.slow_clients [--seconds N] [--clients N ...]`.

Serves the site of this environment (VAR_DIR, DATABASE_URL) like `benchmarks.serving`. One client requests lists, first
without other clients, then together with clients that are slow in one way each.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from benchmarks.serving import PATHS, is_fallback, served
from benchmarks.site import load
from benchmarks.tables import render

GET = b"GET /movies/ HTTP/1.1\r\nHost: localhost\r\n"
POST = (
    b"POST /api/v1/token/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
)
# data that a client sends at first, and each second
KINDS = {
    "nothing": (b"", b""),
    "half a header": (GET, b""),
    "half a body": (POST + b'{"username": ', b""),
    "a header byte by byte": (GET + b"X: ", b"x"),
    "a body byte by byte": (POST, b"x"),
}
TIMEOUT = 5.0


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_clients", description="Measure lists beside them.")
    parser.add_argument("--seconds", type=float, default=8, help="for each measurement (default 8)")
    parser.add_argument("--clients", type=int, nargs="+", default=[12, 100], help="slow ones (default 12 and 100)")
    options = parser.parse_args(arguments)
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "movierec.settings")
    users = load("benchmarks.serving_users", {"DJANGO_SETTINGS_MODULE": settings})
    with users.temporary_users() as tokens, served() as address:
        ask(address, tokens, options.seconds)  # warm-up
        rows = [measure(address, tokens, kind, n, options.seconds) for n in options.clients for kind in KINDS]
    print(render("Lists beside slow clients", rows, {"alone p95 ms": 1, "p50 ms": 1, "p95 ms": 1, "ratio of p95": 2}))


def measure(address: str, tokens: list[str], kind: str, n: int, seconds: float) -> dict[str, Any]:
    alone, _ = ask(address, tokens, seconds)
    with slow_clients(address, kind, n):
        beside, n_failed = ask(address, tokens, seconds)
    p95 = [float(np.quantile(times, 0.95)) * 1000 for times in (alone, beside)]
    return {
        "clients send": kind,
        "clients": n,
        "alone p95 ms": p95[0],
        "p50 ms": float(np.median(beside)) * 1000,
        "p95 ms": p95[1],
        "ratio of p95": p95[1] / p95[0],
        "failed": n_failed,
    }


def ask(address: str, tokens: list[str], seconds: float) -> tuple[list[float], int]:
    """Returns the time of each request on a new connection, and the number without a response."""
    times, n_failed = [], 0
    users, end = cycle(tokens), time.monotonic() + seconds
    with httpx.Client(base_url=f"{address}/api/v1/", timeout=TIMEOUT, limits=httpx.Limits(max_connections=1)) as client:
        while time.monotonic() < end:
            headers = {"Authorization": f"Token {next(users)}", "Connection": "close"}
            started = time.perf_counter()
            try:
                is_fallback(client.get(PATHS[0], headers=headers))
            except httpx.TransportError:
                n_failed += 1
            times.append(time.perf_counter() - started)
    return times, n_failed


@contextmanager
def slow_clients(address: str, kind: str, n: int) -> Iterator[None]:
    """Keeps `n` slow clients connected. Reconnects those that the site disconnects."""
    stopped = Event()
    thread = Thread(target=_be_slow, args=(urlsplit(address).port, *KINDS[kind], n, stopped))
    thread.start()
    time.sleep(1)
    yield
    stopped.set()
    thread.join()


def _be_slow(port: int, first: bytes, more: bytes, n: int, stopped: Event) -> None:
    clients: dict[int, socket.socket] = {}
    while not stopped.wait(1 if clients else 0):
        for number in range(n):
            with suppress(OSError):  # connects again in a second
                clients[number] = _go_on(clients.pop(number, None), more) or _connect(port, first)
    for client in clients.values():
        client.close()


def _go_on(client: socket.socket | None, more: bytes) -> socket.socket | None:
    if client is None:
        return None
    try:
        client.sendall(more)
        if client.recv(1, socket.MSG_PEEK) == b"":
            client.close()
            return None
    except BlockingIOError:  # no response yet
        pass
    except OSError:
        return None
    return client


def _connect(port: int, first: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    client.sendall(first)
    client.setblocking(False)
    return client


if __name__ == "__main__":
    main()
