"""Trakt's JSON: lists of ratings, history, watched movies and the watchlist, in one file or several."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from django.conf import settings

from catalog.errors import BadRow, InvalidImport
from catalog.imports.files import File
from catalog.imports.parsing import (
    Kind,
    ParsedRow,
    read_day,
    read_id,
    read_imdb_id,
    read_moment,
    read_stars,
    read_title,
    read_year,
    shown,
)

EXPECTED = "a JSON file of Trakt (ratings, history, watched or watchlist), or a zip of such files"
DEPTH = 3  # of objects that hold the lists
_LEFT_OUT = ("episode", "season", "person", "list")


def matches(file: File) -> bool:
    if not file.name.lower().endswith(".json"):
        return False
    text = file.text()
    return '"ids"' in text and ('"movie"' in text or '"show"' in text)


def read(files: list[File]) -> list[ParsedRow]:
    """Episodes are left out. What was watched before is a rewatch, for Trakt does not say so itself."""
    rows: list[ParsedRow] = []
    for file in files:
        for number, item in enumerate(_items(_document(file)), start=1):
            if not any(name in item for name in _LEFT_OUT):
                rows.append(_row(file.name, number, item))
            if len(rows) > settings.POLICY.imports.max_entries:
                raise InvalidImport(f"{file.name}: expected at most {settings.POLICY.imports.max_entries:,} items.")
    return _with_rewatches(rows)


def _document(file: File) -> Any:
    try:
        return json.loads(file.text())
    except json.JSONDecodeError as error:
        raise InvalidImport(f"{file.name}, line {error.lineno}: expected JSON ({error.msg}).") from None
    except (RecursionError, ValueError):  # a number of thousands of digits is the latter
        raise InvalidImport(f"{file.name}: expected JSON as Trakt writes it.") from None


def _items(document: Any, depth: int = DEPTH) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        yield from (item for item in document if isinstance(item, dict))
    elif isinstance(document, dict) and depth:
        for part in document.values():
            yield from _items(part, depth - 1)


def _row(name: str, number: int, item: dict[str, Any]) -> ParsedRow:
    movie = item.get("movie")
    what = movie if isinstance(movie, dict) else item.get("show")
    kind, title = _kind(item), ""
    try:
        if not isinstance(what, dict):
            raise BadRow("expected an item with a movie")
        title = read_title(_text(what.get("title")))
        if what is not movie:
            raise BadRow("a series, not a movie")
        return ParsedRow(name, number, kind, title, **_values(movie, item))
    except BadRow as error:
        return ParsedRow(name, number, kind, title, problem=f"{error}.")


def _kind(item: dict[str, Any]) -> str:
    if "rating" in item:
        return Kind.RATED
    return Kind.WANTED if "listed_at" in item else Kind.WATCHED


def _values(movie: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    ids = movie.get("ids")
    ids = ids if isinstance(ids, dict) else {}
    plays = item.get("plays", 1)
    rated_at = item.get("rated_at") or item.get("listed_at") or item.get("watched_at") or item.get("last_watched_at")
    return {
        "year": read_year(_text(movie.get("year"))),
        "imdb_id": read_imdb_id(_text(ids.get("imdb"))),
        "tmdb_id": read_id(_text(ids.get("tmdb")), "TMDB id"),
        "rating": read_stars(_text(item.get("rating")), out_of=10),
        "recorded_at": read_moment(_text(rated_at)),
        "watched_on": read_day(_text(item.get("watched_at") or item.get("last_watched_at"))),
        "is_rewatch": item.get("rewatch") is True or (isinstance(plays, int) and plays > 1),
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRow(f"{shown(str(value))} is neither text nor a number")
    return str(value).removesuffix(".0")


def _with_rewatches(rows: list[ParsedRow]) -> list[ParsedRow]:
    """Of several viewings of a movie all but the first."""
    first: dict[tuple[Any, ...], date] = {}
    for row in rows:
        if row.watched_on is not None:
            first[_identity(row)] = min(first.get(_identity(row), row.watched_on), row.watched_on)
    return [
        replace(row, is_rewatch=True) if row.watched_on is not None and row.watched_on > first[_identity(row)] else row
        for row in rows
    ]


def _identity(row: ParsedRow) -> tuple[Any, ...]:
    return row.imdb_id, row.tmdb_id, row.title, row.year
