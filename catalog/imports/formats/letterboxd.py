"""Letterboxd's export: a zip, or one of its tables. The tables overlap."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.errors import BadRow, InvalidImport
from catalog.imports import fields
from catalog.imports.fields import Kind, ParsedRow
from catalog.imports.format import Entry, Export, Format
from catalog.imports.tables import Row, Table

TABLES = ("watched", "watchlist", "diary", "reviews", "ratings")  # if two rate the same movie, the later table counts
_OTHER_FOLDERS = {"deleted", "orphaned", "likes", "lists"}
_HEADER = ["Date", "Name", "Year", "Letterboxd URI", "imdbID", "tmdbID"]


class Letterboxd(Format):
    code = "letterboxd"
    label = "Letterboxd"
    position = 1
    help = _("Settings, Data, Export your data: the zip, or one of its tables.")
    expected = (
        "the zip that Letterboxd exports, or its ratings.csv, diary.csv, reviews.csv, watched.csv or watchlist.csv"
    )
    signature = ("date", "name", "year", "letterboxd uri")
    columns = {
        fields.TITLE: ["name"],
        fields.YEAR: ["year"],
        fields.IMDB_ID: ["imdbid"],
        fields.TMDB_ID: ["tmdbid"],
        fields.SITE_ID: ["letterboxd uri"],
        fields.OUT_OF_5: ["rating"],
        fields.RECORDED_ON: ["date"],
        fields.WATCHED_ON: ["watched date"],
        fields.IS_REWATCH: ["rewatch"],
    }

    def read(self, tables: list[Table]) -> list[ParsedRow]:
        """Reads the tables of the outermost folder that has any."""
        if len(tables) > 1:
            tables = self._of_the_export(tables)
        return super().read(sorted(tables, key=lambda table: TABLES.index(_name_of(table))))

    def kind(self, table: Table, row: Row) -> Kind:
        return {"ratings": Kind.RATED, "watchlist": Kind.WANTED}.get(_name_of(table), Kind.WATCHED)

    def parse(self, row: Row) -> dict[str, Any]:
        values = super().parse(row)
        if "title" not in values:
            raise BadRow("the name is missing")
        if "watched date" in row:  # the addresses of diary entries and reviews identify these, not the movie
            values.pop("site_id", None)
        return values

    def _of_the_export(self, tables: list[Table]) -> list[Table]:
        paths = {table: PurePosixPath(table.path.lower()) for table in tables}
        known = {
            table: path
            for table, path in paths.items()
            if path.stem in TABLES and not _OTHER_FOLDERS.intersection(path.parts)
        }
        depth = min((len(path.parts) for path in known.values()), default=0)
        found = {path.name: table for table, path in known.items() if len(path.parts) == depth}
        if not found:
            raise InvalidImport(f"Expected {self.expected}; the zip contains none of these tables.")
        return list(found.values())

    def write(self, entries: Sequence[Entry]) -> Export:
        by_kind = {kind: [entry for entry in entries if entry.kind == kind] for kind in Kind}
        watched = by_kind[Kind.WATCHED]
        return self.zip_of(
            {
                "ratings.csv": ([*_HEADER, "Rating"], by_kind[Kind.RATED]),
                "diary.csv": (
                    [*_HEADER, "Rating", "Rewatch", "Tags", "Watched Date"],
                    [entry for entry in watched if entry.watched_on],
                ),
                "watched.csv": (_HEADER, [entry for entry in watched if not entry.watched_on]),
                "watchlist.csv": (_HEADER, by_kind[Kind.WANTED]),
            }
        )


def _name_of(table: Table) -> str:
    """Told by the columns; watched.csv and watchlist.csv have the same ones and are told by their names."""
    if "watched date" in table.columns:
        return "reviews" if "review" in table.columns else "diary"
    if "rating" in table.columns:
        return "ratings"
    for name in ("watchlist", "watched"):
        if name in table.name.lower():
            return name
    raise InvalidImport(
        f"{table.name}: watched.csv and watchlist.csv have the same columns; expected one of the two in the file name."
    )


FORMAT = Letterboxd()
