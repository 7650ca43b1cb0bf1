"""The generated catalogue, written to the database as an import of its own."""

import time
from collections.abc import Iterator
from hashlib import blake2s
from typing import Any

import pandas as pd

from catalog.errors import ImportFailed
from catalog.ingest.data_set import ImportReport, write_data_set
from catalog.ingest.movies import MovieRecord
from catalog.ingest.ratings import RatingRow
from catalog.models import Source
from catalog.progress import progress_bar
from catalog.sample.generator import generate

CHUNK = 100_000


def generate_ratings(
    *, users: int, movies: int, ratings: int, seed: int = 0, show_progress: bool = False
) -> ImportReport:
    """The same numbers and seed again change nothing, or finish what was cut off; others add to what is there.

    Raises ImportFailed when the numbers do not go together.
    """
    started = time.monotonic()
    try:
        rating_frame, movie_frame = generate(users=users, movies=movies, ratings=ratings, seed=seed)
    except ValueError as error:
        raise ImportFailed(str(error)) from None
    name = f"{users} users, {movies} movies, {ratings} ratings, seed {seed}"
    prefix = blake2s(name.encode(), digest_size=3).hexdigest()
    report = ImportReport(origin=f"generated: {name}")
    write_data_set(
        report,
        source=Source.GENERATED,
        movies={record[0]: _movie(*record) for record in movie_frame[_MOVIE_COLUMNS].itertuples(index=False)},
        users={number: f"{prefix}-{number}" for number in range(1, users + 1)},
        ratings=_rows(rating_frame, shown=show_progress),
        show_progress=show_progress,
    )
    report.seconds = time.monotonic() - started
    return report


_MOVIE_COLUMNS = [
    "movie_id", "title", "release_date", "overview", "language", "genres", "keywords", "cast", "directors",
]  # fmt: skip


def _movie(_: int, title: str, released: pd.Timestamp, overview: str, language: str, *names: list[str]) -> MovieRecord:
    genres, keywords, cast, directors = map(tuple, names)
    return MovieRecord(
        title=title,
        year=released.year,
        release_date=released.date(),
        overview=overview,
        language=language,
        genres=genres,
        keywords=keywords,
        cast=cast,
        directors=directors,
    )


def _rows(frame: pd.DataFrame, *, shown: bool) -> Iterator[RatingRow]:
    columns: list[Any] = [frame[name].to_numpy() for name in ("user_id", "movie_id", "rating")]
    columns.append(frame["rated_at"].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype("int64"))
    with progress_bar(total=len(frame), description="Writing ratings", unit=" ratings", shown=shown) as bar:
        for start in range(0, len(frame), CHUNK):
            yield from map(RatingRow, *(column[start : start + CHUNK].tolist() for column in columns))
            bar.update(CHUNK)
