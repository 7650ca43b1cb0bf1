"""Sends more requests than the site can answer: `python -m benchmarks.overload [--seconds N] [--connections N]`.

Serves the site of this environment (VAR_DIR, DATABASE_URL), which must have a champion, from two web processes. First,
8 clients request lists one after another, to measure the capacity. Then many clients request at least ten times as
much, while one requests the operators' pages. The exit code is 1 if a limit is exceeded.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

from benchmarks.peers.generator import Load, Result
from benchmarks.peers.rotation import generate
from benchmarks.serving import served
from benchmarks.site import load
from benchmarks.tables import render

N_USERS = 100
PAGES = ("/healthz", "/readyz")
PAUSE = 0.05  # seconds between two requests for operators' pages
POLICY = "limits: {user: 1000000/min}\n"  # so that only overload causes refusals
QUIET_SECONDS, USUAL_SECONDS = 2.0, 5.0
TIMES = 10  # requests relative to the capacity


class Bar(NamedTuple):
    name: str
    found: float
    least: float = -np.inf
    most: float = np.inf

    @property
    def is_met(self) -> bool:
        return self.least <= self.found <= self.most


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description="Ask for more than can be done.")
    parser.add_argument("--seconds", type=float, default=30, help="of overload (default 30)")
    parser.add_argument("--connections", type=int, default=400, help="that ask at once (default 400)")
    options = parser.parse_args(arguments)
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "movierec.settings")
    users = load("benchmarks.serving_users", {"DJANGO_SETTINGS_MODULE": settings})
    with tempfile.TemporaryDirectory() as folder, users.temporary_users(N_USERS) as tokens:
        requests, policy = Path(folder) / "requests", Path(folder) / "config.yaml"
        policy.write_text(POLICY)
        requests.write_text("\n".join(map(_request, tokens)))
        with served(workers=2, CONFIG_FILE=str(policy)) as address:
            bars = _measure(address, str(requests), options.connections, options.seconds)
    rows = [{"": bar.name, "found": bar.found, "met": "yes" if bar.is_met else "NO"} for bar in bars]
    print(render(f"{options.connections} clients that wait for nothing, {options.seconds:g} s", rows, {"found": 1}))
    if not all(bar.is_met for bar in bars):
        raise SystemExit("A bar is not met.")


def _request(token: str) -> str:
    """Returns the request as a line of the generator's file."""
    lines = ("GET /api/v1/recommendations/?k=10 HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Token {token}", "", "")
    return json.dumps("\r\n".join(lines))


def _measure(address: str, requests: str, connections: int, seconds: float) -> list[Bar]:
    generate(Load(address, requests, 8, USUAL_SECONDS))  # warm-up
    before = generate(Load(address, requests, 8, USUAL_SECONDS))
    capacity = len(before.latencies) / before.seconds
    with _operators(address) as pages:
        during = generate(Load(address, requests, connections, seconds))
    time.sleep(QUIET_SECONDS)
    after = generate(Load(address, requests, 8, USUAL_SECONDS))
    asked = during.n_sent / seconds
    return [
        Bar("lists/s with 8 clients (capacity)", capacity),
        Bar("requests/s asked for, as a multiple of it", asked / capacity, least=TIMES),
        Bar("lists/s meanwhile, as a multiple of it", len(during.latencies) / during.seconds / capacity),
        Bar("lists meanwhile, ms, 99 %", _milliseconds(during.latencies, 0.99)),
        Bar("refusals with Retry-After", len(during.refused), least=1),
        Bar("refusals, ms, 99 %", _milliseconds(during.refused, 0.99), most=100),
        Bar("other answers, or none", sum(during.statuses.values()), most=0),
        Bar("pages for operators, ms, the slowest", 1000 * max(pages), most=200),
        Bar("lists 2 s later, p50, as a multiple of before", _ratio(after, before), most=1.5),
    ]


@contextmanager
def _operators(address: str) -> Iterator[list[float]]:
    """Yields the response times of operators' pages during the body. Each request uses a new connection."""
    times: list[float] = []
    stopped, port = Event(), urlsplit(address).port

    def ask() -> None:
        while not stopped.wait(PAUSE):
            for page in PAGES:
                started = time.perf_counter()
                connection = HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request("GET", page)
                answer = connection.getresponse()
                answer.read()
                connection.close()
                times.append(time.perf_counter() - started)
                if answer.status != 200:
                    raise SystemExit(f"{page}: {answer.status}")

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield times
        finally:
            stopped.set()
        asking.result()


def _milliseconds(seconds: list[float], quantile: float) -> float:
    return 1000 * float(np.quantile(seconds, quantile)) if seconds else float("nan")


def _ratio(after: Result, before: Result) -> float:
    return float(np.median(after.latencies) / np.median(before.latencies))


if __name__ == "__main__":
    main()
