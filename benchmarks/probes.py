"""Measures operators' pages while threads are busy: `python -m benchmarks.probes [--workers N ...] [--seconds N]`.

Serves the site of this environment (VAR_DIR, DATABASE_URL) like `benchmarks.serving`. One client requests each page on
each port in turn over new connections, first on an idle site, then while twice as many clients as threads request
lists. The exit code is 1 if a page is too slow.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from django.conf import settings

from benchmarks.chaos.processes import free_port
from benchmarks.serving import PATHS, served
from benchmarks.site import load
from benchmarks.tables import render

PAGES = ("/healthz", "/readyz", "/metrics")
BAR_MS = 200.0
PAUSE = 0.02  # seconds between two requests
THREADS = 4  # threads per process
DIGITS = dict.fromkeys(("idle p50 ms", "p50 ms", "p99 ms", "max ms", "ratio of p50", "lists/s"), 1)
Times = dict[tuple[str, str], list[float]]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probes", description="Measure pages for operators.")
    parser.add_argument("--seconds", type=float, default=20, help="for each measurement (default 20)")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4], help="web processes (default 2 and 4)")
    options = parser.parse_args(arguments)
    module = os.environ.get("DJANGO_SETTINGS_MODULE", "movierec.settings")
    users = load("benchmarks.serving_users", {"DJANGO_SETTINGS_MODULE": module})
    with users.temporary_users() as tokens:
        rows = [row for n in options.workers for row in measure(n, tokens, options.seconds)]
    print(render(f"Pages for operators while {THREADS} threads of each web process make lists", rows, DIGITS))
    if slow := [row for row in rows if row["p99 ms"] > BAR_MS]:
        raise SystemExit(f"{len(slow)} of {len(rows)} took longer than {BAR_MS:g} ms.")


def measure(workers: int, tokens: list[str], seconds: float) -> list[dict[str, Any]]:
    own = free_port()
    with served(workers, HEALTH_PORT=str(own), WEB_THREADS=str(THREADS)) as address:
        ports = {"own": own, "site": urlsplit(address).port or 80}
        ask(ports, 2)  # warm-up
        idle = ask(ports, seconds)
        with busy(ports["site"], 2 * workers * THREADS, tokens) as n_lists:
            time.sleep(2)
            before, started = n_lists.value, time.monotonic()
            times = ask(ports, seconds)
            rate = (n_lists.value - before) / (time.monotonic() - started)
    return [
        {"processes": workers, "port": port, "page": page} | _figures(times[port, page], idle[port, page], rate)
        for port, page in times
    ]


def _figures(times: list[float], idle: list[float], rate: float) -> dict[str, float]:
    p50 = float(np.median(times))
    return {
        "requests": len(times),
        "idle p50 ms": float(np.median(idle)),
        "p50 ms": p50,
        "p99 ms": float(np.quantile(times, 0.99)),
        "max ms": max(times),
        "ratio of p50": p50 / float(np.median(idle)),
        "lists/s": rate,
    }


def ask(ports: dict[str, int], seconds: float) -> Times:
    """Returns the milliseconds of each response, by port and page."""
    times: Times = {(port, page): [] for port in ports for page in PAGES}
    headers = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for port, page in times:
            started = time.perf_counter()
            connection = HTTPConnection("127.0.0.1", ports[port], timeout=30)
            connection.request("GET", page, headers=headers)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            times[port, page].append((time.perf_counter() - started) * 1000)
            if answer.status != 200:
                raise SystemExit(f"{page}: {answer.status}")
            time.sleep(PAUSE)
    return times


@contextmanager
def busy(port: int, clients: int, tokens: list[str]) -> Iterator[Any]:
    """Yields the number of lists so far. The clients run in another process, so as not to affect the measurement."""
    context = get_context("spawn")
    stopped, n_lists = context.Event(), context.Value("i", 0)
    process = context.Process(target=_ask_for_lists, args=(port, clients, tokens, stopped, n_lists))
    process.start()
    try:
        yield n_lists
    finally:
        stopped.set()
        process.join()


def _ask_for_lists(port: int, clients: int, tokens: list[str], stopped: Event, n_lists: Any) -> None:
    def ask_again(number: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        users = cycle(tokens[number % len(tokens) :] + tokens[: number % len(tokens)])
        while not stopped.is_set():
            connection.request("GET", f"/api/v1/{PATHS[1]}", headers={"Authorization": f"Token {next(users)}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"A list: {answer.status}")
            with n_lists:
                n_lists.value += 1

    threads = [Thread(target=ask_again, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
