"""Trakt's JSON: lists of ratings, history, watched movies and the watchlist, in one file or several."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.errors import BadRow, InvalidImport
from catalog.imports.files import File
from catalog.imports.format import Collection, Export, Format
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
from catalog.models import Movie

DEPTH = 3  # of nested objects around the lists
_LEFT_OUT = ("episode", "season", "person", "list")
UNKNOWN_MOMENT = "1970-01-01T00:00:00.000Z"  # Trakt's mark for a viewing on an unknown day


def _matches(file: File) -> bool:
    if not file.name.lower().endswith(".json"):
        return False
    text = file.text()
    return '"ids"' in text and ('"movie"' in text or '"show"' in text)


def _read(files: list[File]) -> list[ParsedRow]:
    """Skips episodes. Marks repeated viewings as rewatches, which Trakt does not do itself."""
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
    except (RecursionError, ValueError):  # ValueError: a number with thousands of digits
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
    """Marks every viewing of a movie but the first as a rewatch."""
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


def _write(collection: Collection) -> Export:
    def item(movie: Movie, **values: Any) -> dict[str, Any]:
        ids = {"imdb": movie.imdb_id, "tmdb": movie.tmdb_id}
        return {**values, "type": "movie", "movie": {"title": movie.title, "year": movie.year, "ids": ids}}

    document = {
        "ratings": [
            item(r.movie, rated_at=_moment(r.rated_at), rating=round(r.rating * 2)) for r in collection.ratings
        ],
        "history": [
            item(v.movie, watched_at=_watched_at(v.watched_on), action="watch", rewatch=v.is_rewatch)
            for v in collection.viewings
        ],
        "watchlist": [
            item(listed.movie, rank=rank, listed_at=_moment(listed.added_at))
            for rank, listed in enumerate(collection.watchlist, 1)
        ],
    }
    content = json.dumps(document, ensure_ascii=False, indent=1).encode()
    return Export("movierec-trakt.json", "application/json", content)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _watched_at(day: date | None) -> str:
    return f"{day.isoformat()}T00:00:00.000Z" if day else UNKNOWN_MOMENT


FORMAT = Format(
    code="trakt",
    label="Trakt",
    position=3,
    help=_("Settings, Data, Export: the zip, or one of its JSON files."),
    expected="a JSON file of Trakt (ratings, history, watched or watchlist), or a zip of such files",
    matches=_matches,
    read=_read,
    write=_write,
)
