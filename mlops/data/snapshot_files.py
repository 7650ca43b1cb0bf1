"""The files of a snapshot: ratings and movies in Parquet, and a manifest in snapshot.json.

Equal data has an equal hash. The hash covers the sorted digests of the users' histories, so it does not depend on
chunks, the Parquet library, the order of ratings or the users' pseudonyms. Manifests without a hash scheme come from
earlier versions, which hashed the rows in order. The hash is recomputed before a training to detect changed files.

The manifest also holds checksums, because the Parquet reader may return wrong values on damaged files.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mlops.data.histories import Histories, Rows
from recommender.estimators.artifact_files import sha256

RATINGS, MOVIES, MANIFEST = "ratings.parquet", "movies.parquet", "snapshot.json"
FILES, OWN, SCHEME = "files", "checksum", "hash_scheme"  # keys of the manifest
BY_ROW, BY_HISTORY, WITH_COUNTRIES = SCHEMES = 1, 2, 3  # of the hash; the third also covers the countries of movies
CHUNK_ROWS = 200_000

OnRows = Callable[[int], None]

_RATING_SCHEMA = pa.schema(
    {"user_id": pa.int64(), "movie_id": pa.int64(), "rating": pa.float64(), "rated_at": pa.timestamp("us", tz="UTC")}
)
_LISTS = ("genres", "keywords", "cast", "directors", "countries")
_MOVIE_SCHEMA = pa.schema(
    {"movie_id": pa.int64(), "title": pa.string(), "release_date": pa.timestamp("us")}
    | dict.fromkeys(_LISTS, pa.list_(pa.string()))
    | {"overview": pa.string(), "language": pa.string()}
)


class Content:
    """Counts, time span and hash of a snapshot. Chunks may have any size, but a user's ratings must be contiguous.

    Raises ValueError for an unknown hash scheme.
    """

    def __init__(self, scheme: int = WITH_COUNTRIES) -> None:
        if scheme not in SCHEMES:
            raise ValueError(f"{SCHEME}: {scheme!r} is unknown here; a newer version made this snapshot")
        self.n_ratings = self.n_movies = 0
        self.users: set[int] = set()
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._ratings: Rows | Histories = Rows() if scheme == BY_ROW else Histories()
        self._movies = hashlib.sha256()
        self._columns = [name for name in _MOVIE_SCHEMA.names if name != "countries" or scheme >= WITH_COUNTRIES]

    def add_ratings(self, frame: pd.DataFrame) -> None:
        self._ratings.add(frame)
        self.n_ratings += len(frame)
        self.users.update(frame["user_id"].unique().tolist())
        low, high = (value.to_pydatetime() for value in (frame["rated_at"].min(), frame["rated_at"].max()))
        self.first = min(low, self.first or low)
        self.last = max(high, self.last or high)

    def add_movies(self, frame: pd.DataFrame) -> None:
        for row in frame[self._columns].itertuples(index=False):
            self._movies.update(json.dumps([plain(value) for value in row], ensure_ascii=False).encode() + b"\n")
        self.n_movies += len(frame)

    def hash(self) -> str:
        digests = self._ratings.digests()
        ordered = digests if isinstance(self._ratings, Rows) else sorted(digests)
        parts = [digest.hex() for digest in ordered] + [self._movies.hexdigest()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write_files(
    folder: Path,
    ratings: Iterable[pd.DataFrame],
    movies: Iterable[pd.DataFrame],
    sources: list[str],
    on_rows: OnRows | None = None,
) -> Content:
    """Writes a snapshot to `folder`, which must not exist yet. Holds one chunk in memory at a time.

    Each user's ratings must be contiguous and sorted by time.
    """
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
    manifest: dict[str, Any] = {SCHEME: WITH_COUNTRIES}
    manifest |= {"content_hash": content.hash(), "n_ratings": content.n_ratings, "n_users": len(content.users)}
    manifest |= {"n_movies": content.n_movies, "sources": sources}
    manifest |= {FILES: {name: sha256(folder / name) for name in (RATINGS, MOVIES)}}
    manifest |= {OWN: _checksum(manifest)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return content


def read_files(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, Content]:
    """Returns the ratings, the movies, and their counts and hash.

    Raises OSError or ValueError if a file was changed or truncated. A damaged file without a checksum may raise any
    exception.
    """
    verify_files(folder)
    content = Content(read_manifest(folder).get(SCHEME, BY_ROW))
    ratings, movies = (pq.read_table(folder / name).to_pandas() for name in (RATINGS, MOVIES))
    for name in movies.columns.intersection(_LISTS):
        movies[name] = [list(value) for value in movies[name]]
    content.add_ratings(ratings)
    content.add_movies(movies)
    return ratings, movies, content


def last_rated_at(folder: Path) -> datetime:
    """Returns the time of the latest rating. Reads only the file's statistics."""
    file = pq.ParquetFile(folder / RATINGS).metadata
    place = _RATING_SCHEMA.get_field_index("rated_at")
    latest: datetime = max(file.row_group(n).column(place).statistics.max for n in range(file.num_row_groups))
    return latest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns the manifest. Raises OSError, or ValueError if it is malformed or its own checksum differs."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict):
        raise ValueError(f"{MANIFEST} does not describe a snapshot")
    if (OWN in manifest or FILES in manifest) and manifest.pop(OWN, None) != _checksum(manifest):
        raise ValueError(f"{MANIFEST} was changed: its checksum differs")
    return manifest


def verify_files(folder: Path) -> bool:
    """Verifies the checksums. Returns False if there are none. Raises OSError, or ValueError with the changed file."""
    checksums = read_manifest(folder).get(FILES, {})
    for name, expected in checksums.items():
        if sha256(folder / name) != expected:
            raise ValueError(f"{name} was changed or cut: its checksum differs")
    return bool(checksums)


def is_whole(folder: Path) -> bool:
    """Returns whether the manifest has checksums and every file matches."""
    try:
        return verify_files(folder)
    except (OSError, ValueError):
        return False


def _checksum(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def plain(value: Any) -> Any:
    """Converts a movie's value to a string, a list of strings or None."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [str(part) for part in value]
    return None if pd.isna(value) else str(value)
