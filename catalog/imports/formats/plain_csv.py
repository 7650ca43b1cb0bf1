"""Any other CSV: one row per rating, viewing or watchlist item, in the columns named here."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.errors import BadRow
from catalog.imports import fields
from catalog.imports.fields import YES, Field, Kind, parse_flag
from catalog.imports.format import Entry, Export, Format
from catalog.imports.tables import Row, Table
from catalog.ingest.titles import parse_title

IS_WANTED = Field("is_wanted", parse_flag)
NAMES_A_MOVIE = (fields.TITLE, fields.IMDB_ID, fields.TMDB_ID, fields.MOVIELENS_ID)


class PlainCSV(Format):
    code = "csv"
    label = "CSV"
    position = 4
    help = _("A table with columns such as title, year, rating, watched_on.")
    suffixes = (".csv", ".tsv", ".txt")
    columns = {
        fields.TITLE: ["title"],
        fields.YEAR: ["year"],
        fields.IMDB_ID: ["imdb_id", "imdbid"],
        fields.TMDB_ID: ["tmdb_id", "tmdbid"],
        fields.MOVIELENS_ID: ["movielens_id", "movielensid"],
        fields.OUT_OF_5: ["rating"],
        fields.OUT_OF_10: ["rating10"],
        fields.RECORDED_AT: ["rated_at"],
        fields.WATCHED_ON: ["watched_on", "watcheddate"],
        fields.IS_REWATCH: ["rewatch"],
        IS_WANTED: ["watchlist"],
    }
    header = [names[0] for names in columns.values()]
    expected = "a CSV file with a column title, imdb_id, tmdb_id or movielens_id, and others of " + ", ".join(header)

    def recognizes(self, columns: Iterable[str]) -> bool:
        naming = (name for field in NAMES_A_MOVIE for name in self.columns[field])
        return not set(naming).isdisjoint(columns) and "title type" not in columns

    def kind(self, table: Table, row: Row) -> Kind:
        if self.text(row, IS_WANTED).casefold() in YES:
            return Kind.WANTED
        is_rated = self.text(row, fields.OUT_OF_5) or self.text(row, fields.OUT_OF_10)
        return Kind.RATED if is_rated and not self.text(row, fields.WATCHED_ON) else Kind.WATCHED

    def parse(self, row: Row) -> dict[str, Any]:
        values = super().parse(row)
        titles = parse_title(values.get("title", ""))
        values |= {"title": titles.title, "original_title": titles.original_title}
        values.setdefault("year", titles.year)
        if not any(values.get(field.name) for field in NAMES_A_MOVIE):
            raise BadRow("neither a title nor an id")
        if values.pop("is_wanted", False) and ("rating" in values or "watched_on" in values):
            raise BadRow("rated or watched, and on the watchlist; expected one row for each")
        return values

    def cells(self, entry: Entry) -> dict[str, str]:
        return super().cells(entry) | {"rating10": "", "watchlist": "yes" if entry.kind == Kind.WANTED else ""}

    def write(self, entries: Sequence[Entry]) -> Export:
        return Export("movierec.csv", "text/csv; charset=utf-8", self.csv_of(self.header, entries))


FORMAT = PlainCSV()
