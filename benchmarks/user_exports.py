"""Generates exports for benchmarks.user_imports: twenty years of one person's movies, in each service's layout."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmarks.data import MOVIELENS

VARIANTS = ("{}", "{}: The Return", "The Road to {}")  # titles of additional movies that are similar to existing ones
UNKNOWN = 33  # one in this many movies is not in the catalogue
FIRST_DAY = date(2005, 1, 1)


class Seen(NamedTuple):
    """A movie of the history."""

    number: int
    title: str
    year: int
    imdb: str
    tmdb: int

    @property
    def day(self) -> date:
        return FIRST_DAY + timedelta(days=self.number % 7000)

    @property
    def moment(self) -> str:
        return f"{self.day}T20:15:00.000Z"

    @property
    def ids(self) -> dict[str, Any]:
        return {"imdb": self.imdb, "tmdb": self.tmdb}


def catalogue(data: Path) -> Iterator[dict[str, Any]]:
    return (
        {"title": seen.title, "year": seen.year, "imdb_id": seen.imdb, "tmdb_id": seen.tmdb} for seen in _movies(data)
    )


def write(data: Path, format: str, n_rows: int, folder: Path) -> Path:
    name, writer = WRITERS[format]
    (folder / name).write_bytes(writer(_history(data, n_rows)))
    return folder / name


def _movies(data: Path) -> Iterator[Seen]:
    """Yields MovieLens' movies with a year, and a copy for each variant of the title. The copies have their own ids."""
    titles = pd.read_csv(data / MOVIELENS / "movies.csv")["title"].str.extract(r"^(.*?),? \((\d{4})\)\s*$").dropna()
    number = 0
    for variant in VARIANTS:
        for name, year in titles.itertuples(index=False):
            number += 1
            yield Seen(
                number, variant.format(_in_order(name)), int(year), f"tt{8_000_000 + number}", 2_000_000 + number
            )


def _in_order(name: str) -> str:
    """Returns `Usual Suspects, The` in the form that services use."""
    found = re.fullmatch(r"(.+), (The|A|An)", name)
    return f"{found[2]} {found[1]}" if found else name


def _history(data: Path, n_rows: int) -> list[Seen]:
    movies = list(_movies(data))[:n_rows]
    if len(movies) < n_rows:
        raise SystemExit(f"--rows: expected at most {len(movies):,}, as many as there are movies")
    return [_unknown(movie) if movie.number % UNKNOWN == 0 else movie for movie in movies]


def _unknown(movie: Seen) -> Seen:
    return movie._replace(title=f"Never heard of no. {movie.number}", imdb=f"tt{9_000_000 + movie.number}", tmdb=0)


def _letterboxd(history: Sequence[Seen]) -> bytes:
    """Writes no ids, so that each movie must be found by its title."""
    rated, watched, wanted = _thirds(history)
    uri = "https://boxd.it/{:x}".format
    movies = ["Date", "Name", "Year", "Letterboxd URI"]
    diary = [*movies, "Rating", "Rewatch", "Tags", "Watched Date"]
    return _zip(
        {
            "ratings.csv": _csv([*movies, "Rating"], ([*_of(uri, row), _stars(row)] for row in rated)),
            "diary.csv": _csv(diary, ([*_of(uri, row), "", "", "", row.day] for row in watched)),
            "watchlist.csv": _csv(movies, (_of(uri, row) for row in wanted)),
        }
    )


def _of(uri: Callable[[int], str], row: Seen) -> list[Any]:
    return [row.day, row.title, row.year, uri(row.number)]


def _imdb(history: Sequence[Seen]) -> bytes:
    header = ["Const", "Your Rating", "Date Rated", "Title", "Original Title", "URL", "Title Type", "Year"]
    rows = ([row.imdb, _ten(row), row.day, row.title, row.title, "", "Movie", row.year] for row in history)
    return _csv(header, rows).encode()


def _trakt(history: Sequence[Seen]) -> bytes:
    rated, watched, wanted = _thirds(history)
    return _zip(
        {
            "ratings-movies.json": json.dumps(
                [{"rated_at": row.moment, "rating": _ten(row), **_item(row)} for row in rated]
            ),
            "watched-history-1.json": json.dumps([{"watched_at": row.moment, **_item(row)} for row in watched]),
            "lists-watchlist.json": json.dumps([{"listed_at": row.moment, **_item(row)} for row in wanted]),
        }
    )


def _item(row: Seen) -> dict[str, Any]:
    return {"type": "movie", "movie": {"title": row.title, "year": row.year, "ids": row.ids}}


def _simkl(history: Sequence[Seen]) -> bytes:
    def item(row: Seen) -> dict[str, Any]:
        rating = {"user_rating": _ten(row), "user_rated_at": row.moment, "status": "completed"}
        return {"last_watched_at": row.moment, **rating, **_item(row)}

    return json.dumps({"movies": [item(row) for row in history]}).encode()


def _yamtrack(history: Sequence[Seen]) -> bytes:
    header = ["media_id", "source", "media_type", "title", "score", "status", "notes", "end_date", "created_at"]

    def row_of(row: Seen) -> list[Any]:
        return [row.tmdb, "tmdb", "movie", row.title, _ten(row), "Completed", "", row.moment, row.moment]

    return _csv(header, map(row_of, history)).encode()


def _movary(history: Sequence[Seen]) -> bytes:
    rated, watched, wanted = _thirds(history)
    movies = ["title", "year", "tmdbId", "imdbId"]

    def table(column: str, value: Callable[[Seen], Any], rows: Sequence[Seen]) -> str:
        return _csv([*movies, column], ([row.title, row.year, row.tmdb, row.imdb, value(row)] for row in rows))

    return _zip(
        {
            "ratings.csv": table("userRating", _ten, rated),
            "history.csv": table("watchedAt", lambda row: row.day, watched),
            "watchlist.csv": table("addedAt", lambda row: f"{row.day} 10:11:12", wanted),
        }
    )


def _thirds(history: Sequence[Seen]) -> tuple[Sequence[Seen], Sequence[Seen], Sequence[Seen]]:
    return history[0::3], history[1::3], history[2::3]


def _ten(row: Seen) -> int:
    return row.number % 10 + 1


def _stars(row: Seen) -> float:
    return _ten(row) / 2


def _csv(header: Sequence[str], rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _zip(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


WRITERS: dict[str, tuple[str, Callable[[Sequence[Seen]], bytes]]] = {  # keyed by service, with the file name
    "letterboxd": ("letterboxd.zip", _letterboxd),
    "imdb": ("ratings.csv", _imdb),
    "trakt": ("trakt.zip", _trakt),
    "simkl": ("SimklBackup.json", _simkl),
    "yamtrack": ("yamtrack.csv", _yamtrack),
    "movary": ("movary.zip", _movary),
}
