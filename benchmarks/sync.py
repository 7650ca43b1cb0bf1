"""Tests a full sync with workers that are killed at random: `python -m benchmarks.sync --data DIR`.

A stand-in for TMDB serves the documents of DIR/tmdb_movies.jsonl.gz. `--workers` processes of `manage.py sync_tmdb`
load them into an empty site. At `--kills` random points, one process is killed and started again. Then every movie is
compared with its document, field by field. The site is embedded, or on `--postgres` (a new database on that server,
dropped at the end) and `--redis`.
"""

from __future__ import annotations

import argparse
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.data import TMDB
from benchmarks.postgres import new_database
from benchmarks.site import load
from benchmarks.tables import render
from tests.tmdb_stand_in import TOKEN, TMDBStandIn, read_documents

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "manage.py", "sync_tmdb", "--new-releases"]


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    documents = read_documents(options.data / TMDB)[: options.movies]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tmdb = stack.enter_context(TMDBStandIn(documents, latency=options.latency))
        environment = _environment(folder, tmdb.url, options)
        if options.postgres:
            environment["DATABASE_URL"] = stack.enter_context(new_database(options.postgres))
        site = load("benchmarks.sync_site", environment)
        site.create()
        row = _measure(tmdb, documents, site.has_succeeded, options, folder)
        wrong = site.differences(documents)
        print(render("Full sync", [row | wrong], {"minutes": 1}))


def _measure(
    tmdb: TMDBStandIn,
    documents: list[dict[str, Any]],
    has_succeeded: Callable[[], bool],
    options: Any,
    folder: Path,
) -> dict[str, Any]:
    started = time.monotonic()
    n_killed = _run_workers(tmdb, len(documents), has_succeeded, options, folder)
    undated = [str(movie["id"]) for movie in documents if not movie.get("release_date")]
    if undated:  # not contained in any list of releases
        subprocess.run([*COMMAND[:3], "--ids", *undated], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return {
        "movies": len(documents),
        "workers": options.workers,
        "kills": n_killed,
        "minutes": (time.monotonic() - started) / 60,
        "requests": len(tmdb.arrivals),
        "busiest second": tmdb.busiest_second(),
    }


def _run_workers(
    tmdb: TMDBStandIn, n_movies: int, has_succeeded: Callable[[], bool], options: Any, folder: Path
) -> int:
    """Runs workers until the sync has ended. Returns how many were killed while working."""
    kills = sorted(random.randrange(n_movies) for _ in range(options.kills))  # requests before each kill
    n_killed = 0
    log = (folder / "workers.log").open("wb")
    workers = [_start(log) for _ in range(options.workers)]
    try:
        with tqdm(total=n_movies, unit="request", disable=None) as bar:
            while not has_succeeded():
                bar.update(len(tmdb.arrivals) - bar.n)
                alive = [number for number, worker in enumerate(workers) if worker.poll() is None]
                if kills and alive and len(tmdb.arrivals) > kills[0]:
                    kills.pop(0)
                    target = random.choice(alive)
                    n_killed += 1
                    workers[target].kill()
                    workers[target].wait()
                    workers[target] = _start(log)
                if all(worker.poll() is not None for worker in workers):
                    break
                time.sleep(0.2)
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
        log.close()
    if not has_succeeded():
        raise SystemExit(f"The sync failed:\n{(folder / 'workers.log').read_text()[-3000:]}")
    return n_killed


def _start(log: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(COMMAND, cwd=ROOT, stdout=log, stderr=log)


def _environment(folder: Path, url: str, options: Any) -> dict[str, str]:
    (folder / "config.yaml").write_text("tmdb: {min_votes: 0}\n", encoding="utf-8")
    return {
        "DJANGO_SETTINGS_MODULE": "movierec.settings",
        "ENV_FILE": str(folder / "no.env"),
        "CONFIG_FILE": str(folder / "config.yaml"),
        "VAR_DIR": str(folder),
        "DATABASE_URL": "",
        "REDIS_URL": options.redis,
        "REDIS_PREFIX": f"movierec-benchmark-{secrets.token_hex(4)}",
        "SECRET_KEY": secrets.token_hex(),
        "METRICS_TOKEN": secrets.token_hex(),
        "TMDB_API_URL": url,
        "TMDB_READ_TOKEN": TOKEN,
        "LOG_LEVEL": "WARNING",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync", description="Measure a full sync with TMDB.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {TMDB}")
    parser.add_argument("--movies", type=int, default=None, help="only so many (default: all)")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds before each answer (default 0.02)")
    parser.add_argument("--postgres", default="", help="postgres://user@host:port/postgres")
    parser.add_argument("--redis", default="", help="redis://host:port/0")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
