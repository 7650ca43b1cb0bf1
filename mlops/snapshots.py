"""What a model learns from, as files: ratings and movies in Parquet under the hash of their content.

Equal data gives an equal hash, whatever the chunks or the library that writes the files; the hash of a stored
snapshot can be computed again, so a changed or cut file is found before it is learnt from.
"""

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone

from mlops.errors import SnapshotNotAvailable, StepFailed
from mlops.models import DatasetSnapshot
from recommender.export import movie_frame, rating_frames

RATINGS, MOVIES = "ratings.parquet", "movies.parquet"
CHUNK_ROWS = 200_000

OnRows = Callable[[int], None]

_RATING_SCHEMA = pa.schema(
    [
        ("user_id", pa.int64()),
        ("movie_id", pa.int64()),
        ("rating", pa.float64()),
        ("rated_at", pa.timestamp("us", tz="UTC")),
    ]
)
_TEXTS = pa.list_(pa.string())
_MOVIE_SCHEMA = pa.schema(
    [
        ("movie_id", pa.int64()),
        ("title", pa.string()),
        ("release_date", pa.timestamp("us")),
        ("genres", _TEXTS),
        ("keywords", _TEXTS),
        ("cast", _TEXTS),
        ("directors", _TEXTS),
        ("overview", pa.string()),
        ("language", pa.string()),
    ]
)


class _Content:
    """Counts, window and hash of a snapshot, gathered chunk by chunk; the size of the chunks leaves no trace."""

    def __init__(self) -> None:
        self.n_ratings = self.n_movies = 0
        self.users: set[int] = set()
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._columns = {name: hashlib.sha256() for name in _RATING_SCHEMA.names}
        self._movies = hashlib.sha256()

    def add_ratings(self, frame: pd.DataFrame) -> None:
        times = frame["rated_at"].dt.as_unit("us").astype(np.int64)
        for name, digest in self._columns.items():
            values = times if name == "rated_at" else frame[name]
            digest.update(np.ascontiguousarray(values, dtype="<f8" if name == "rating" else "<i8").tobytes())
        self.n_ratings += len(frame)
        self.users.update(frame["user_id"].unique().tolist())
        low, high = (_moment(value) for value in (times.min(), times.max()))
        self.first = min(low, self.first or low)
        self.last = max(high, self.last or high)

    def add_movies(self, frame: pd.DataFrame) -> None:
        for row in frame[_MOVIE_SCHEMA.names].itertuples(index=False):
            self._movies.update(json.dumps([_plain(value) for value in row], ensure_ascii=False).encode() + b"\n")
        self.n_movies += len(frame)

    def hash(self) -> str:
        parts = [digest.hexdigest() for digest in (*self._columns.values(), self._movies)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write_snapshot(folder: Path, on_rows: OnRows | None = None) -> _Content:
    """Export into a new folder, which must not be there yet; only one chunk of ratings is in memory at a time."""
    folder.mkdir(parents=True)
    content = _Content()
    with pq.ParquetWriter(folder / RATINGS, _RATING_SCHEMA, compression="zstd") as writer:
        for frame in rating_frames(chunk_size=CHUNK_ROWS):
            content.add_ratings(frame)
            writer.write_table(pa.Table.from_pandas(frame, _RATING_SCHEMA, preserve_index=False))
            if on_rows is not None:
                on_rows(content.n_ratings)
    movies = movie_frame()
    content.add_movies(movies)
    pq.write_table(pa.Table.from_pandas(movies, _MOVIE_SCHEMA, preserve_index=False), folder / MOVIES)
    return content


def keep_snapshot(partial: Path, content: _Content) -> DatasetSnapshot:
    """Put an exported folder in its place and write its row; the same data again is the same row, seen anew.

    The folder comes before the row: what a crash leaves between the two is a folder that the next export of the
    same data takes over.
    """
    content_hash = content.hash()
    folder = settings.SNAPSHOT_DIR / content_hash
    if folder.exists():
        shutil.rmtree(partial)
    else:
        partial.rename(folder)
    parent = DatasetSnapshot.objects.exclude(content_hash=content_hash).first()
    row, created = DatasetSnapshot.objects.get_or_create(
        content_hash=content_hash,
        defaults={
            "folder": content_hash,
            "n_ratings": content.n_ratings,
            "n_users": len(content.users),
            "n_movies": content.n_movies,
            "first_rated_at": content.first,
            "last_rated_at": content.last,
            "size_bytes": sum(path.stat().st_size for path in folder.iterdir()),
            "parent": parent,
        },
    )
    if not created:
        row.exported_at, row.removed_at = timezone.now(), None
        row.save(update_fields=["exported_at", "removed_at"])
    return row


def export_snapshot(*, on_rows: OnRows | None = None) -> DatasetSnapshot:
    """The data as it is now; leaves nothing half-written behind."""
    partial = settings.SNAPSHOT_DIR / f".export-{uuid.uuid4().hex}.part"
    try:
        content = write_snapshot(partial, on_rows)
        if not content.n_ratings:
            raise StepFailed("There are no ratings to export.")
        return keep_snapshot(partial, content)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_snapshot(snapshot: DatasetSnapshot) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings and movies. Raises SnapshotNotAvailable if a file is missing or not what was exported."""
    folder = settings.SNAPSHOT_DIR / snapshot.folder
    try:
        content = _Content()
        ratings = []
        for frame in _read_ratings(folder / RATINGS):
            content.add_ratings(frame)
            ratings.append(frame)
        movies = _read_movies(folder / MOVIES)
    except (OSError, pa.ArrowException) as error:
        raise SnapshotNotAvailable(f"Snapshot {snapshot} cannot be read: {error}") from error
    content.add_movies(movies)
    if content.hash() != snapshot.content_hash:
        raise SnapshotNotAvailable(f"Snapshot {snapshot}: the files are not what was exported: the hash differs.")
    return pd.concat(ratings, ignore_index=True), movies


def _read_ratings(path: Path) -> Iterator[pd.DataFrame]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=CHUNK_ROWS):
            yield batch.to_pandas()


def _read_movies(path: Path) -> pd.DataFrame:
    movies = pq.read_table(path).to_pandas()
    for name in ("genres", "keywords", "cast", "directors"):
        movies[name] = [list(value) for value in movies[name]]
    return movies


def _moment(microseconds: Any) -> datetime:
    return datetime.fromtimestamp(0, UTC) + pd.Timedelta(int(microseconds), "us").to_pytimedelta()


def _plain(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [str(part) for part in value]
    return None if pd.isna(value) else str(value)
