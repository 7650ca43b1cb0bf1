"""Generates a catalogue and users with learnable preferences, and imports them into the database."""

from collections.abc import Iterator
from hashlib import blake2s
from typing import Any

import numpy as np
import pandas as pd

from catalog.errors import ImportFailed
from catalog.ingest.data_set import write_data_set
from catalog.ingest.movies import MovieRecord
from catalog.ingest.ratings import RatingRow
from catalog.ingest.report import ImportReport
from catalog.models import Source
from catalog.progress import progress_bar
from catalog.sample.catalogue import make_catalogue
from catalog.sample.preferences import make_ratings

CHUNK = 100_000


def generate(*, users: int, movies: int, ratings: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns ratings (user_id, movie_id, rating, rated_at) sorted by time, and movies with all their metadata.

    Deterministic for the same arguments. Raises ValueError if the numbers are inconsistent.
    """
    if users < 1 or movies < 1 or ratings < 0:
        raise ValueError(f"expected at least 1 user, 1 movie and 0 ratings; got {users}, {movies} and {ratings}")
    if ratings > (most := users * max(movies // 2, 1)):
        raise ValueError(
            f"{ratings:,} ratings are too many: {users:,} users rate half of {movies:,} movies, {most:,} in all"
        )
    rng = np.random.default_rng(seed)
    catalogue = make_catalogue(movies, rng)
    return make_ratings(catalogue, users=users, ratings=ratings, rng=rng), catalogue.frame


def generate_ratings(
    *, users: int, movies: int, ratings: int, seed: int = 0, show_progress: bool = False
) -> ImportReport:
    """Generates a catalogue and writes it to the database. Raises ImportFailed if the numbers are inconsistent.

    A second run with the same arguments changes nothing, or completes an interrupted run. Other numbers add data.
    """
    name = f"{users} users, {movies} movies, {ratings} ratings, seed {seed}"
    report = ImportReport(origin=f"generated: {name}")
    try:
        rating_frame, movie_frame = generate(users=users, movies=movies, ratings=ratings, seed=seed)
    except ValueError as error:
        raise ImportFailed(str(error)) from None
    prefix = blake2s(name.encode(), digest_size=3).hexdigest()
    write_data_set(
        report,
        source=Source.GENERATED,
        movies={row["movie_id"]: _movie(row) for row in movie_frame.to_dict("records")},
        users={number: f"{prefix}-{number}" for number in range(1, users + 1)},
        ratings=_rows(rating_frame, shown=show_progress),
        show_progress=show_progress,
    )
    return report


def _movie(row: dict[Any, Any]) -> MovieRecord:
    fields = {name: value for name, value in row.items() if name != "movie_id"}
    released = row["release_date"].date()
    return MovieRecord(**fields | {"release_date": released, "year": released.year})


def _rows(frame: pd.DataFrame, *, shown: bool) -> Iterator[RatingRow]:
    columns: list[Any] = [frame[name].to_numpy() for name in ("user_id", "movie_id", "rating")]
    columns.append(frame["rated_at"].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype("int64"))
    with progress_bar(total=len(frame), description="Writing ratings", unit=" ratings", shown=shown) as bar:
        for start in range(0, len(frame), CHUNK):
            yield from map(RatingRow, *(column[start : start + CHUNK].tolist() for column in columns))
            bar.update(CHUNK)
