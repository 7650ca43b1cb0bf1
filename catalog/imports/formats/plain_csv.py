"""Any other CSV file: one row per rating, viewing or watchlist item, in the columns listed here."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields, mapping, words
from catalog.imports.entries import Entries, Entry
from catalog.imports.fields import Field, Kind
from catalog.imports.format import Export, ExportFormat
from catalog.imports.reading import IDENTITY, NOT_USED, Answers, Columns, FileReport, Part, Reading
from catalog.imports.tables import Row, Table, plain
from catalog.ingest.titles import readings

_ANY = Part(gettext_noop("a table"), Kind.NOTHING)
_TRACKERS_OWN = _ANY._replace(is_mixed=True)
# This site's exports once had no `watched` column, so a viewing on an unknown day had no value that marked it as one.
_EARLIER_EXPORT = _ANY._replace(is_asked=True)
# Columns whose meaning depends on other columns of the table. Names with `_` must match exactly, because other programs
# use names like Yamtrack's for their own row numbers.
_Meanings = Mapping[tuple[str, ...], Mapping[str, Field]]
_TRACKERS: _Meanings = {  # sites that put series, books or songs into the same table
    ("tmdbid", "yourrating"): {"name": fields.TITLE, "releasedate": fields.YEAR},
    ("media_id", "source"): {"media_id": fields.SOURCE_ID, "source": fields.SOURCE, "end_date": fields.WATCHED_ON},
    ("simklid",): {"watchlist": fields.STATUS, "rating": fields.OUT_OF_10},
    **{(name,): {name: fields.UNUSED} for name in ("tvdb", "tvdbid", "isbn", "artist")},
}
_VOTES = ("votes", "votecount", "numvotes", "ratingcount", "ratingscount", "scoredby", "members", "critic", "critics")
_EVERYBODYS = {"rating": fields.UNUSED, "score": fields.UNUSED}
_BESIDE: _Meanings = {
    **{(name,): {"score": fields.UNUSED} for name in ("rating", "rating10", *_VOTES)},
    ("myrating",): _EVERYBODYS,
    ("myscore",): _EVERYBODYS,
    ("userrating",): _EVERYBODYS,
    ("yourrating",): _EVERYBODYS,
    ("watchedat",): {"plays": fields.PLAYS},  # Movary's; in other tables plays are of songs, or by all users
}
_EPISODES = ("season", "episode", "seasonnumber", "episodenumber", "lastepwatched")


def _written(columns: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Groups the columns by their names, and by their names without separators."""
    found: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        for name in {column, plain(column)}:
            found[name].append(column)
    return found


def _meant(meanings: _Meanings, names: Collection[str]) -> dict[str, Field]:
    """Returns the columns that have another meaning because of the table's other columns."""
    found: dict[str, Field] = {}
    for signature, others in meanings.items():
        if set(signature) <= set(names):
            found |= others
    return found


class PlainCSV(ExportFormat):
    code = "csv"
    label = "CSV"
    position = 99  # after all named sites
    help = _("A table with columns such as title, year, rating, watched_on.")
    suffixes = (".csv", ".tsv", ".txt")
    header = [
        "title", "year", "imdb_id", "tmdb_id", "movielens_id", "rating", "rating10", "rated_at", "watched",
        "watched_on", "rewatch", "watchlist",
    ]  # fmt: skip
    parts = (_ANY, _TRACKERS_OWN, _EARLIER_EXPORT)
    columns = {
        fields.TITLE: ["title", "movie_title", "film_title", "film_name"],
        fields.YEAR: ["year", "release_year"],
        fields.IMDB_ID: ["imdb_id", "imdb"],
        fields.TMDB_ID: ["tmdb_id", "tmdb"],
        fields.MOVIELENS_ID: ["movielens_id"],
        fields.MEDIUM: ["type", "media_type"],
        fields.RATING: ["rating", "my_rating"],
        fields.OUT_OF_10: ["rating10", "user_rating", "your_rating"],
        fields.SCORE: ["score", "my_score"],
        fields.RECORDED_AT: ["rated_at", "created_at", "rated_on", "date_rated"],
        fields.WATCHED_ON: ["watched_on", "watched_date", "watched_at", "date_watched"],
        fields.IS_REWATCH: ["rewatch"],
        fields.IS_WATCHED: ["watched"],
        fields.STATUS: ["status"],
        fields.IS_WANTED: ["watchlist"],
    }
    expected = format_lazy(
        _("a CSV file with a column title, imdb_id, tmdb_id or movielens_id, and others of {columns}"),
        columns=", ".join(header),
    )

    def matches(self, table: Table) -> bool:
        return table.name.lower().endswith(self.suffixes) and self.part(table.path, table.columns) is not None

    def prepared(self, tables: list[Table], answers: Answers) -> list[Table]:
        return [mapping.mapped(table, answers.get("columns", {})) for table in tables]

    def unclear(self, tables: Sequence[Table]) -> Reading | None:
        """Asks what the columns of tables mean if no name says which movie a row is about."""
        unknown = [table for table in tables if table.header and table.records]
        reading = Reading(
            files=[FileReport(table.path, rows=len(table.records)) for table in unknown],
            questions=[("columns", table.name) for table in unknown],
        )
        for file, table in zip(reading.files, unknown, strict=True):
            file.columns = dict.fromkeys(table.header.values(), NOT_USED)
        reading.columns = [self._described(table) for table in unknown]
        return reading if unknown else None

    def read(self, tables: Sequence[Table], answers: Answers) -> Reading:
        reading = super().read(tables, answers)
        read = [table for table in tables if self.part(table.path, table.columns) in (_ANY, None) and table.records]
        reading.columns = [self._described(table) for table in read if table.header]
        return reading

    def _described(self, table: Table) -> dict[str, Any]:
        return mapping.described(table, dict(self.fields(table.columns)))

    def part(self, path: str, columns: Collection[str]) -> Part | None:
        names_a_movie = any(field.name in (*IDENTITY, fields.SOURCE_ID.name) for _, field in self.fields(columns))
        if not names_a_movie or "title type" in columns:
            return None
        if set(columns) == set(self.header) - {"watched"}:
            return _EARLIER_EXPORT
        return _TRACKERS_OWN if _meant(_TRACKERS, _written(columns)) else _ANY

    def fields(self, columns: Collection[str]) -> Columns:
        said = mapping.said_fields(columns)
        written = _written([column for column in columns if not column.startswith(mapping.SAID)])
        known = {plain(name): field for name, field in super().fields(columns)}
        known |= _meant(_BESIDE, written) | _meant(_TRACKERS, written)
        known |= dict.fromkeys(_EPISODES, fields.EPISODE)  # for tables without a column for the type
        named = [(name, field) for key, field in known.items() if field.name for name in written.get(key, ())]
        return [*said, *named]

    def complete(self, values: dict[str, Any], row: Row) -> None:
        values["readings"] = tuple(readings(values.get("title", "")))
        if str(row.get("watched", row.get(f"{mapping.SAID}watched"))).strip().casefold() in words.NO:
            values.pop("watched_on", None)  # with "no", the date is not one of watching
        number = values.pop(fields.SOURCE_ID.name, None)
        if str(row.get("source")).strip().casefold() == "tmdb":
            values.setdefault("tmdb_id", number)

    def cells(self, entry: Entry) -> dict[str, str]:
        return super().cells(entry) | {
            "rating10": "",
            "watched": "yes" if entry.kind == Kind.WATCHED else "",
            "watchlist": "yes" if entry.kind == Kind.WANTED else "",
        }

    def write(self, entries: Entries) -> Export:
        return Export("movierec.csv", "text/csv; charset=utf-8", self.csv_of(self.header, entries))


FORMAT = PlainCSV()
