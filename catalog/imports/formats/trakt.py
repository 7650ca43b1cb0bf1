"""Trakt's JSON: lists of ratings, history, watched movies and the watchlist, in one file or several."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date
from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.errors import BadRow
from catalog.imports import fields
from catalog.imports.fields import Kind, ParsedRow
from catalog.imports.format import Entry, Export, Format
from catalog.imports.tables import Row, Table

_LEFT_OUT = ("episode", "season", "person", "list")
UNKNOWN_DAY = date(1970, 1, 1)  # Trakt's mark for a viewing on an unknown day


class Trakt(Format):
    code = "trakt"
    label = "Trakt"
    position = 3
    help = _("Settings, Data, Export: the zip, or one of its JSON files.")
    expected = "a JSON file of Trakt (ratings, history, watched or watchlist), or a zip of such files"
    suffixes = (".json",)
    columns = {
        fields.TITLE: ["movie.title", "show.title"],
        fields.YEAR: ["movie.year"],
        fields.IMDB_ID: ["movie.ids.imdb"],
        fields.TMDB_ID: ["movie.ids.tmdb"],
        fields.OUT_OF_10: ["rating"],
        fields.RECORDED_AT: ["rated_at", "listed_at", "watched_at", "last_watched_at"],
        fields.WATCHED_ON: ["watched_at", "last_watched_at"],
    }

    def recognizes(self, columns: Iterable[str]) -> bool:
        return not {"movie", "show"}.isdisjoint(columns)

    def read(self, tables: list[Table]) -> list[ParsedRow]:
        """Marks repeated viewings as rewatches, which Trakt does not do itself."""
        return _with_rewatches(super().read(tables))

    def is_wanted(self, row: Row) -> bool:
        return not any(name in row for name in _LEFT_OUT)

    def kind(self, table: Table, row: Row) -> Kind:
        if "rating" in row:
            return Kind.RATED
        return Kind.WANTED if "listed_at" in row else Kind.WATCHED

    def parse(self, row: Row) -> dict[str, Any]:
        if not isinstance(row.get("movie"), dict):
            is_show = isinstance(row.get("show"), dict)
            raise BadRow("a series, not a movie" if is_show else "expected an item with a movie")
        plays = row.get("plays")
        is_rewatch = row.get("rewatch") is True or (isinstance(plays, int) and plays > 1)
        return super().parse(row) | {"is_rewatch": is_rewatch}

    def write(self, entries: Sequence[Entry]) -> Export:
        document: dict[str, list[dict[str, Any]]] = {"ratings": [], "history": [], "watchlist": []}
        for entry in entries:
            recorded_at = entry.recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
            if entry.rating:
                name, values = "ratings", {"rated_at": recorded_at, "rating": round(entry.rating * 2)}
            elif entry.kind == Kind.WANTED:
                name, values = "watchlist", {"rank": entry.number, "listed_at": recorded_at}
            else:
                watched_at = f"{entry.watched_on or UNKNOWN_DAY}T00:00:00.000Z"
                name, values = "history", {"watched_at": watched_at, "action": "watch", "rewatch": entry.is_rewatch}
            movie = entry.movie
            ids = {"imdb": movie.imdb_id, "tmdb": movie.tmdb_id}
            document[name].append(
                {**values, "type": "movie", "movie": {"title": movie.title, "year": movie.year, "ids": ids}}
            )
        content = json.dumps(document, ensure_ascii=False, indent=1).encode()
        return Export("movierec-trakt.json", "application/json", content)


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


FORMAT = Trakt()
