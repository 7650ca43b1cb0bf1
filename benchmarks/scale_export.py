"""Measures the export of one size from a new SQLite database. Started by benchmarks.scale."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django
import pandas as pd

django.setup()

from django.core.management import call_command  # noqa: E402 - models exist after setup
from django.db import connection, transaction  # noqa: E402

from benchmarks.measure import Figures, peak_mb, timed  # noqa: E402
from benchmarks.scale_data import read  # noqa: E402
from catalog.models import Movie, Rating, User  # noqa: E402
from mlops.services import export_snapshot  # noqa: E402

CHUNK = 100_000


def measure(folder: Path) -> Figures:
    ratings, movies = read(folder)
    _fill(ratings, movies)
    figures: Figures = {}
    with timed(figures, "export"):
        snapshot = export_snapshot()
    if snapshot.n_ratings != len(ratings):
        raise SystemExit(f"{snapshot.n_ratings} of {len(ratings)} ratings were exported")
    return figures | {"peak MB": peak_mb()}


def _fill(ratings: pd.DataFrame, movies: pd.DataFrame) -> None:
    """Writes the rows of an import without the ORM, because filling is not measured."""
    call_command("migrate", verbosity=0)
    Movie.objects.bulk_create(
        [Movie(pk=row.movie_id, title=row.title, release_date=row.release_date.date()) for row in movies.itertuples()],
        batch_size=CHUNK,
    )
    users = ratings["user_id"].unique().tolist()
    User.objects.bulk_create([User(pk=pk, username=f"user-{pk}", password="!") for pk in users], batch_size=CHUNK)
    statement = (
        f"INSERT INTO {Rating._meta.db_table} (user_id, movie_id, rating, rated_at, source) VALUES (%s, %s, %s, %s, %s)"
    )
    with connection.cursor() as cursor:
        for start in range(0, len(ratings), CHUNK):
            with transaction.atomic():
                cursor.executemany(statement, _rows(ratings[start : start + CHUNK]))


def _rows(ratings: pd.DataFrame) -> list[tuple[Any, ...]]:
    times = ratings["rated_at"].dt.strftime("%Y-%m-%d %H:%M:%S")
    columns = (ratings[name].tolist() for name in ("user_id", "movie_id", "rating"))
    return list(zip(*columns, times.tolist(), ["generated"] * len(ratings), strict=True))


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
