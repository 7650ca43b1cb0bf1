"""Writes files in the formats of Letterboxd, IMDb and Trakt, with rows given by the test."""

import csv
import json
import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from typing import Any

RATINGS = ["Date", "Name", "Year", "Letterboxd URI", "Rating"]
DIARY = ["Date", "Name", "Year", "Letterboxd URI", "Rating", "Rewatch", "Tags", "Watched Date"]
REVIEWS = ["Date", "Name", "Year", "Letterboxd URI", "Rating", "Rewatch", "Review", "Tags", "Watched Date"]
WATCHED = WATCHLIST = ["Date", "Name", "Year", "Letterboxd URI"]
IMDB = [
    "Const",
    "Your Rating",
    "Date Rated",
    "Title",
    "Original Title",
    "URL",
    "Title Type",
    "IMDb Rating",
    "Runtime (mins)",
    "Year",
    "Genres",
    "Num Votes",
    "Release Date",
    "Directors",
]
IMDB_LIST = ["Position", "Const", "Created", "Modified", "Description", *IMDB[3:], "Your Rating", "Date Rated"]


def table(columns: Sequence[str], *rows: Iterable[Any], end: str = "\n", mark: bool = False) -> bytes:
    """Rows in the order of the columns; `end` of the lines, `mark`: with a byte-order mark."""
    text = StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(columns)
    writer.writerows(rows)
    return (b"\xef\xbb\xbf" if mark else b"") + text.getvalue().encode()


def imdb_row(
    const: str, rating: Any, title: str, year: Any, *, kind: str = "Movie", on: str = "2024-03-14"
) -> list[Any]:
    url = f"https://www.imdb.com/title/{const}/"
    return [const, rating, on, title, title, url, kind, 7.9, 123, year, "Drama, War", 1234, f"{year}-05-01", "Somebody"]


def zipped(files: dict[str, bytes]) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


def trakt_movie(title: str, year: int | None, imdb: str | None = None, tmdb: int | None = None) -> dict[str, Any]:
    slug = title.lower().replace(" ", "-")
    return {"title": title, "year": year, "ids": {"trakt": 1, "slug": slug, "imdb": imdb, "tmdb": tmdb}}


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()
