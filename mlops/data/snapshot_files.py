"""A snapshot's folder: ratings and movies in Parquet, and a manifest in snapshot.json.

Equal data has an equal hash, whatever the chunks or the library that writes the files. The hash of a stored snapshot
can be recomputed, so that a changed or truncated file is noticed before a training reads it. The manifest also holds
each file's checksum and its own, because damaged bytes must not reach the reader of Parquet, which may raise anything,
take any memory or read other values. Manifests of earlier versions lack them.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recommender.estimators.artifact_files import sha256

RATINGS, MOVIES, MANIFEST = "ratings.parquet", "movies.parquet", "snapshot.json"
FILES, OWN = "files", "checksum"  # keys of the manifest
CHUNK_ROWS = 200_000

OnRows = Callable[[int], None]

_RATING_SCHEMA = pa.schema(
    {"user_id": pa.int64(), "movie_id": pa.int64(), "rating": pa.float64(), "rated_at": pa.timestamp("us", tz="UTC")}
)
_LISTS = ("genres", "keywords", "cast", "directors")
_MOVIE_SCHEMA = pa.schema(
    {"movie_id": pa.int64(), "title": pa.string(), "release_date": pa.timestamp("us")}
    | dict.fromkeys(_LISTS, pa.list_(pa.string()))
    | {"overview": pa.string(), "language": pa.string()}
)


class Content:
    """Counts, time span and hash of a snapshot, collected in chunks of any size."""

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
        low, high = (value.to_pydatetime() for value in (frame["rated_at"].min(), frame["rated_at"].max()))
        self.first = min(low, self.first or low)
        self.last = max(high, self.last or high)

    def add_movies(self, frame: pd.DataFrame) -> None:
        for row in frame[_MOVIE_SCHEMA.names].itertuples(index=False):
            self._movies.update(json.dumps([plain(value) for value in row], ensure_ascii=False).encode() + b"\n")
        self.n_movies += len(frame)

    def hash(self) -> str:
        parts = [digest.hexdigest() for digest in (*self._columns.values(), self._movies)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write_files(
    folder: Path,
    ratings: Iterable[pd.DataFrame],
    movies: Iterable[pd.DataFrame],
    sources: list[str],
    on_rows: OnRows | None = None,
) -> Content:
    """Writes into a new folder, which must not exist yet; holds one chunk in memory at a time."""
    folder.mkdir(parents=True)
    content = Content()
    with pq.ParquetWriter(folder / RATINGS, _RATING_SCHEMA, compression="zstd") as writer:
        for frame in ratings:
            content.add_ratings(frame)
            writer.write_table(pa.Table.from_pandas(frame, _RATING_SCHEMA, preserve_index=False))
            if on_rows is not None:
                on_rows(content.n_ratings)
    with pq.ParquetWriter(folder / MOVIES, _MOVIE_SCHEMA, compression="zstd") as writer:
        for frame in movies:
            content.add_movies(frame)
            writer.write_table(pa.Table.from_pandas(frame, _MOVIE_SCHEMA, preserve_index=False))
    manifest = {"content_hash": content.hash(), "n_ratings": content.n_ratings, "n_users": len(content.users)}
    manifest |= {"n_movies": content.n_movies, "sources": sources}
    manifest |= {FILES: {name: sha256(folder / name) for name in (RATINGS, MOVIES)}}
    manifest |= {OWN: _checksum(manifest)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return content


def read_files(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, Content]:
    """Ratings, movies and their counts and hash. Raises OSError and ValueError for a file that was changed or cut.

    Files without a checksum may raise anything.
    """
    verify_files(folder)
    content = Content()
    ratings, movies = (pq.read_table(folder / name).to_pandas() for name in (RATINGS, MOVIES))
    for name in _LISTS:
        movies[name] = [list(value) for value in movies[name]]
    content.add_ratings(ratings)
    content.add_movies(movies)
    return ratings, movies, content


def read_manifest(folder: Path) -> dict[str, Any]:
    """Raises OSError or ValueError, also where its own checksum differs."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict):
        raise ValueError(f"{MANIFEST} does not describe a snapshot")
    if (OWN in manifest or FILES in manifest) and manifest.pop(OWN, None) != _checksum(manifest):
        raise ValueError(f"{MANIFEST} was changed: its checksum differs")
    return manifest


def verify_files(folder: Path) -> bool:
    """Whether there were checksums to compare. Raises OSError, and ValueError that names a changed file."""
    checksums = read_manifest(folder).get(FILES, {})
    for name, expected in checksums.items():
        if sha256(folder / name) != expected:
            raise ValueError(f"{name} was changed or cut: its checksum differs")
    return bool(checksums)


def is_whole(folder: Path) -> bool:
    """Whether every file is there and has its checksum."""
    try:
        return verify_files(folder)
    except (OSError, ValueError):
        return False


def _checksum(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def plain(value: Any) -> Any:
    """A movie's value as text, texts or None, whatever holds it."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [str(part) for part in value]
    return None if pd.isna(value) else str(value)
