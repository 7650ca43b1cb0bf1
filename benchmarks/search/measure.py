"""Fills the catalogue and measures each kind of query."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management import call_command
from django.db import connection
from tqdm import tqdm

from benchmarks.search.plans import plan_rows
from benchmarks.search.questions import Questions, ask
from benchmarks.search.typos import typo_rows
from catalog.ingest.movielens import import_movielens
from catalog.models import Movie
from catalog.sample.generated import generate_ratings

__all__ = ["fill", "latency_rows", "plan_rows", "typo_rows"]

RATINGS_A_MOVIE = 5
USERS = 5_000


def latency_rows(n_requests: int) -> list[dict[str, Any]]:
    kinds = Questions(random.Random(0)).kinds()
    return [_row(kind, made, n_requests) for kind, made in kinds.items()]


def _row(kind: str, made: Callable[[], Any], n_requests: int) -> dict[str, Any]:
    wall, cpu = [], []
    for _ in tqdm(range(n_requests), desc=kind, disable=None):
        question = made()
        started, used = time.perf_counter(), _cpu_seconds()
        ask(question)
        wall.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (_cpu_seconds() - used))
    p50, p95 = np.percentile(wall, [50, 95])
    row = {"kind": kind, "requests": n_requests, "p50": p50, "p95": p95, "max": max(wall)}
    return row | {"p95 CPU": float(np.percentile(cpu, 95))}


def _cpu_seconds() -> float:
    """Returns the CPU time of this process and its Postgres backend, which other load does not affect."""
    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.get_backend_pid()}/schedstat")
    return time.process_time() + (int(backend.read_text().split()[0]) / 1e9 if backend.is_file() else 0)


def fill(movielens: Path, n_movies: int) -> None:
    """Imports the movies, then runs VACUUM as autovacuum would a minute later."""
    call_command("migrate", verbosity=0)
    import_movielens(path=movielens)
    missing = n_movies - Movie.objects.count()
    if missing > 0:
        generate_ratings(users=USERS, movies=missing, ratings=RATINGS_A_MOVIE * missing)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
