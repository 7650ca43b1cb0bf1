"""Writes ratings in bulk. Inserts each batch into a temporary table and merges it with one statement."""

from typing import NamedTuple, Self

from django.db import connection, transaction

from catalog.ingest.report import RatingCounts
from catalog.models import Source

# A transaction on SQLite blocks all other writers. 25,000 rows take well under a second.
BATCH = {"sqlite": 25_000, "postgresql": 100_000}
_STAGED = "staged_rating"


class RatingRow(NamedTuple):
    """A rating with the ids of the file. `rated_at` is in seconds since 1970."""

    user: int
    movie: int
    rating: float
    rated_at: int


class RatingWriter:
    """Writes the latest rating per user and movie. If times are equal, the last one added is used.

    Keeps ratings of other sources. Does not update aggregates, so call `rebuild_aggregates` afterwards.
    """

    def __init__(self, source: Source) -> None:
        self.counts = RatingCounts()
        self._source = source
        self._size = BATCH[connection.vendor]
        self._batch: dict[tuple[int, int], tuple[float, int]] = {}

    def add(self, user_id: int, movie_id: int, rating: float, rated_at: int) -> None:
        """Adds a rating. `rated_at` is in seconds since 1970."""
        key = (user_id, movie_id)
        former = self._batch.get(key)
        if former is not None:
            self.counts.repeated += 1
            if former[1] > rated_at:
                return
        self._batch[key] = (rating, rated_at)
        if len(self._batch) >= self._size:
            self.flush()

    def flush(self) -> None:
        if not self._batch:
            return
        rows = [(user, movie, rating, rated_at) for (user, movie), (rating, rated_at) in self._batch.items()]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_EMPTY[connection.vendor])
            if connection.vendor == "postgresql":
                # Not COPY, which psycopg2 rejects in web processes, where waits are limited. Quoting Python lists would
                # be slow.
                arrays = [f"{{{','.join(map(str, column))}}}" for column in zip(*rows, strict=True)]
                cursor.execute(_STAGE_ARRAYS, arrays)
            else:
                cursor.executemany(f"INSERT INTO {_STAGED} VALUES (%s, %s, %s, %s)", rows)
            cursor.execute(
                f"SELECT COUNT(*) FROM {_STAGED} AS staged JOIN catalog_rating AS rating"
                " ON rating.user_id = staged.user_id AND rating.movie_id = staged.movie_id"
            )
            existing = cursor.fetchone()[0]
            cursor.execute(_MERGE.format(rated_at=_MOMENT[connection.vendor]), [self._source.value])
            inserted = len(rows) - existing
            updated = max(cursor.rowcount - inserted, 0)
        self.counts.add(inserted, updated, existing - updated)
        self._batch.clear()

    def __enter__(self) -> Self:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {_STAGED}")
            cursor.execute(
                f"CREATE TEMPORARY TABLE {_STAGED}"
                " (user_id bigint, movie_id bigint, rating double precision, rated_at bigint)"
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        if kind is None:
            self.flush()
        if not connection.needs_rollback:  # otherwise the rollback drops the table
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS {_STAGED}")


# TRUNCATE, because deleted rows would remain in Postgres' file and slow down every batch.
_EMPTY = {"sqlite": f"DELETE FROM {_STAGED}", "postgresql": f"TRUNCATE {_STAGED}"}
_STAGE_ARRAYS = (
    f"INSERT INTO {_STAGED}"
    " SELECT unnest(%s::bigint[]), unnest(%s::bigint[]), unnest(%s::double precision[]), unnest(%s::bigint[])"
)
_MOMENT = {"sqlite": "datetime(rated_at, 'unixepoch')", "postgresql": "to_timestamp(rated_at)"}
# Without `WHERE true`, SQLite would parse ON as a join condition.
_MERGE = f"""
    INSERT INTO catalog_rating (user_id, movie_id, rating, rated_at, source)
    SELECT user_id, movie_id, rating, {{rated_at}}, %s FROM {_STAGED} WHERE true
    ON CONFLICT (user_id, movie_id) DO UPDATE SET rating = excluded.rating, rated_at = excluded.rated_at
    WHERE catalog_rating.source = excluded.source AND (
        excluded.rated_at > catalog_rating.rated_at
        OR (excluded.rated_at = catalog_rating.rated_at AND excluded.rating <> catalog_rating.rating)
    )
"""
