"""Measures the latency of the recommendation API: `python -m benchmarks.serving [--requests N]`.

Serves the site of this environment (VAR_DIR, DATABASE_URL), which must have a champion, from a new gunicorn worker on a
free port, and sends one request after another over one connection. The requests come from temporary users with copies
of real users' ratings. They are deleted at the end with their impressions.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from tqdm import tqdm

from benchmarks.chaos.processes import free_port
from benchmarks.site import load
from benchmarks.tables import render

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 40
PATHS = ("recommendations/?k=10", "recommendations/?k=10&include_new=true", "recommendations/new/?k=10")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description="Measure the API's latency.")
    parser.add_argument("--requests", type=int, default=500, help="for each address (default 500)")
    options = parser.parse_args(arguments)
    if options.requests < 1:
        parser.error(f"--requests: expected 1 or more, got {options.requests}")
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "movierec.settings")
    users = load("benchmarks.serving_users", {"DJANGO_SETTINGS_MODULE": settings})
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each request
    with users.temporary_users() as tokens, served() as address:
        rows = [measure(address, path, tokens, options.requests) for path in tqdm(PATHS, unit="address")]
    print(render("One gunicorn worker, one client with keep-alive", rows, {"p50 ms": 1, "p99 ms": 1, "requests/s": 1}))


def measure(address: str, path: str, tokens: list[str], n_requests: int) -> dict[str, Any]:
    seconds = []
    fallbacks = 0
    with httpx.Client(base_url=f"{address}/api/v1/", timeout=30) as client:
        users = cycle(tokens)
        for number in range(WARM_UP + n_requests):
            headers = {"Authorization": f"Token {next(users)}"}
            started = time.perf_counter()
            answer = client.get(path, headers=headers)
            if number >= WARM_UP:
                seconds.append(time.perf_counter() - started)
                fallbacks += is_fallback(answer)
    milliseconds = np.array(seconds) * 1000
    return {
        "GET /api/v1/": path,
        "p50 ms": float(np.median(milliseconds)),
        "p99 ms": float(np.quantile(milliseconds, 0.99)),
        "requests/s": float(1000 / milliseconds.mean()),
        "fallbacks": fallbacks,
    }


def is_fallback(answer: httpx.Response) -> bool:
    """Returns whether the list is a fallback. Only lists of new movies may be, as some algorithms lack them."""
    if answer.status_code != 200:
        raise SystemExit(f"{answer.url}: {answer.status_code} {answer.text[:300]}")
    body = answer.json()
    fallback = body["model_version"] is None or bool(body["fallback"])
    if fallback and "recommendations/new/" not in answer.url.path:
        raise SystemExit("The list did not come from a champion: train and promote a model first (make train).")
    return fallback


@contextmanager
def served(workers: int = 1, **variables: str) -> Iterator[str]:
    """Serves the site from that many gunicorn workers and yields its address. `variables` extend the environment."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        # A separate folder, because the start would delete the metrics of another running site.
        own = {"PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": folder, "OPENBLAS_NUM_THREADS": "1"}
        own |= {"WEB_WORKERS": str(workers), "HEALTH_PORT": str(free_port())} | variables
        command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.py"]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | own)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(address: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/readyz", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"The site did not become ready at {address} within {seconds:g} s.")


if __name__ == "__main__":
    main()
