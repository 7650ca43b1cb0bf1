"""Measures latency and quality of search among 100,000 movies: `python -m benchmarks.search --data DIR`.

Creates a database on `--postgres` (dropped at the end) with the movies of DIR/ml-latest-small and generated ones. Runs
the queries of pages, suggestions and the API (filters, count and rows of a page) without rendering. Prints the time of
each kind of query, whether the plans use the intended indexes, and how many well-known titles with one wrong letter are
found first. The exit code is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.data import MOVIELENS
from benchmarks.postgres import new_database
from benchmarks.site import load
from benchmarks.tables import render

MAX_P95_MS = 50
MIN_FOUND_FIRST = 95


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = _environment(folder, stack.enter_context(new_database(options.postgres)))
        measure = load("benchmarks.search.measure", environment)
        measure.fill(options.data / MOVIELENS, options.movies)
        rows = measure.latency_rows(options.requests)
        load_average = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        title = f"{options.movies:,} movies on Postgres, {load_average}"
        print(render(title, rows, dict.fromkeys(("p50", "p95", "max", "p95 CPU"), 1)))
        plans = measure.plan_rows()
        print(render("Indexes in the plans", plans))
        typos = measure.typo_rows(options.titles)
        print(render(f"One wrong letter in each of the {options.titles} most rated titles", typos))
    slow = [row["kind"] for row in rows if row["p95"] > MAX_P95_MS]
    missed = [row["question"] for row in plans if row["found"] != "yes"]
    unsure = [row["letter"] for row in typos if row["found first"] < MIN_FOUND_FIRST / 100 * row["titles"]]
    if slow or missed or unsure:
        sys.exit(f"Missed: slower than {MAX_P95_MS} ms: {slow}; without index: {missed}; not found first: {unsure}")


def _environment(folder: str, database: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "movierec.settings",
        "ENV_FILE": f"{folder}/no.env",
        "VAR_DIR": folder,
        "DATABASE_URL": database,
        "REDIS_URL": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
        "REDIS_PREFIX": f"movierec-benchmark-{secrets.token_hex(4)}",
        "SECRET_KEY": secrets.token_hex(),
        "METRICS_TOKEN": secrets.token_hex(),
        "TMDB_READ_TOKEN": "",
        "LOG_LEVEL": "WARNING",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description="Measure search and browsing.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ml-latest-small/")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432/postgres", help="server and its user")
    parser.add_argument("--movies", type=int, default=100_000, help="in the catalogue (default 100,000)")
    parser.add_argument("--requests", type=int, default=200, help="of each kind (default 200)")
    parser.add_argument("--titles", type=int, default=100, help="misspelt, the most rated (default 100)")
    options = parser.parse_args(arguments)
    if not (options.data / MOVIELENS).is_dir():
        parser.error(f"--data: expected a folder with {MOVIELENS}/ in it, got {options.data}")
    return options


if __name__ == "__main__":
    main()
