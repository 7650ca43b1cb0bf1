"""Any other CSV: one row per rating, viewing or watchlist item, in the columns named here."""

import re
from collections.abc import Collection, Sequence
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop as noop

from catalog.imports import fields
from catalog.imports.fields import Field, Kind
from catalog.imports.format import Entry, Export, Format
from catalog.imports.reading import IDENTITY, Columns, Part
from catalog.imports.tables import Row, Table
from catalog.ingest.titles import readings

_ANY = Part(noop("a table"), Kind.NOTHING)
_TRACKERS_OWN = _ANY._replace(is_mixed=True)
# Exports of this site once had no column `watched`: a viewing on an unknown day had no value that says so.
_EARLIER_EXPORT = _ANY._replace(is_asked=True)
# Columns that mean something else in a table with certain others, as these trackers write it. All mix in series.
_TRACKERS: dict[tuple[str, ...], dict[str, Field]] = {
    ("tmdb id", "your rating"): {
        "name": fields.TITLE,
        "release date": fields.YEAR,
        "tmdb id": fields.TMDB_ID,
        "imdb id": fields.IMDB_ID,
        "your rating": fields.OUT_OF_10,
        "rating": fields.UNUSED,  # everybody's mean
        "date rated": fields.RECORDED_AT,
    },
    ("media_id",): {"media_id": fields.TMDB_ID, "source": fields.SOURCE, "end_date": fields.WATCHED_ON},
    ("simkl_id",): {"watchlist": fields.STATUS, "rating": fields.OUT_OF_10, "tmdb": fields.TMDB_ID},
}
_EPISODES = ("season", "episode", "season_number", "episode_number", "lastepwatched")


def _plain(name: str) -> str:
    """`IMDb ID`, `imdb-id` and `imdbid` are names of one column."""
    return re.sub(r"[\W_]+", "", name)


def _of_tracker(columns: Collection[str]) -> dict[str, Field]:
    """The columns of the tracker that wrote the table; empty if no known one did."""
    found: dict[str, Field] = {}
    plain = set(map(_plain, columns))
    for signature, others in _TRACKERS.items():
        if set(map(_plain, signature)) <= plain:
            found |= others
    return found


class PlainCSV(Format):
    code = "csv"
    label = "CSV"
    position = 4
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
        fields.OUT_OF_10: ["rating10", "user_rating"],
        fields.SCORE: ["score"],
        fields.RECORDED_AT: ["rated_at", "created_at", "rated_on", "date_rated"],
        fields.WATCHED_ON: ["watched_on", "watched_date", "watched_at", "date_watched"],
        fields.IS_REWATCH: ["rewatch"],
        fields.IS_WATCHED: ["watched"],
        fields.STATUS: ["status"],
        fields.IS_WANTED: ["watchlist"],
        fields.PLAYS: ["plays"],
    }
    expected = format_lazy(
        _("a CSV file with a column title, imdb_id, tmdb_id or movielens_id, and others of {columns}"),
        columns=", ".join(header),
    )

    def matches(self, table: Table) -> bool:
        return table.name.lower().endswith(self.suffixes) and self.part(table.path, table.columns) is not None

    def part(self, path: str, columns: Collection[str]) -> Part | None:
        names_a_movie = any(field.name in IDENTITY for _, field in self.fields(columns))
        if not names_a_movie or "title type" in columns:
            return None
        if set(columns) == set(self.header) - {"watched"}:
            return _EARLIER_EXPORT
        return _TRACKERS_OWN if _of_tracker(columns) else _ANY

    def fields(self, columns: Collection[str]) -> Columns:
        known = {_plain(name): field for name, field in _of_tracker(columns).items()}
        known = {_plain(name): field for name, field in super().fields(columns)} | known
        known |= dict.fromkeys(map(_plain, _EPISODES), fields.EPISODE)  # where the type itself says nothing
        written = {_plain(name): name for name in columns}
        return [(written[name], field) for name, field in known.items() if field.name and name in written]

    def complete(self, values: dict[str, Any], row: Row) -> None:
        values["readings"] = tuple(readings(values.get("title", "")))
        if "media_id" in row and row.get("source") != "tmdb":
            values.pop("tmdb_id", None)

    def cells(self, entry: Entry) -> dict[str, str]:
        return super().cells(entry) | {
            "rating10": "",
            "watched": "yes" if entry.kind == Kind.WATCHED else "",
            "watchlist": "yes" if entry.kind == Kind.WANTED else "",
        }

    def write(self, entries: Sequence[Entry]) -> Export:
        return Export("movierec.csv", "text/csv; charset=utf-8", self.csv_of(self.header, entries))


FORMAT = PlainCSV()
