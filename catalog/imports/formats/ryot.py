"""Ryot's export: one JSON file, with an item per title that contains its history, reviews and collections."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.fields import Kind
from catalog.imports.format import Format
from catalog.imports.reading import Answers, Part, Reading
from catalog.imports.tables import Record, Row, Table

_WATCHLIST = "Watchlist"
# Collections that Ryot makes for everyone; all others are a person's own lists.
_STANDARD = {_WATCHLIST, "Completed", "In Progress", "Owned", "Monitoring", "Reminders", "Custom"}
_ITEMS = ("lot", "source", "source_id", "identifier", "seen_history", "reviews", "collections")


class Ryot(Format):
    code = "ryot"
    label = "Ryot"
    position = 9
    help = _("Settings, Imports and exports, Export: the JSON file.")
    expected = _("the JSON file that Ryot exports (metadata with lot, source, identifier and seen_history)")
    suffixes = (".json",)
    marks_rewatches = True
    parts = (Part(gettext_noop("library"), Kind.NOTHING, _ITEMS),)
    columns = {
        fields.TITLE: ["source_id"],
        fields.TMDB_NUMBER: ["identifier"],
        fields.MEDIUM: ["lot"],
        fields.OUT_OF_100: ["rating"],
        fields.STATUS: ["status"],
        fields.RECORDED_AT: ["rated_at", "listed_at"],
        fields.WATCHED_ON: ["ended_on"],
        fields.REVIEW: ["text"],
        fields.LIST_NAME: ["collection_name"],
    }

    def read(self, tables: Sequence[Table], answers: Answers) -> Reading:
        """Splits each item into one row per viewing and list."""
        return super().read([_with_rows(table) for table in tables], answers)

    def is_wanted(self, row: Row) -> bool:
        return bool({"status", "rating", "collection_name"} & row.keys())

    def complete(self, values: dict[str, Any], row: Row) -> None:
        """Drops the TMDB id unless the source is TMDB."""
        values["medium"] = str(row["lot"])
        if row["source"] != "tmdb":
            values.pop("tmdb_id", None)


def _with_rows(table: Table) -> Table:
    records = [
        Record(record.line, (*record.columns, *said), {**record.values, **said}, record.problem)
        for record in table.records
        for said in (_rows_of(record.values) if set(_ITEMS) <= set(record.columns) else [{}])
    ]
    return Table(table.file, table.path, records, table.header)


def _rows_of(item: Row) -> Iterator[dict[str, Any]]:
    """Yields the rows of an item. The first one has its rating and review."""
    seen = [entry for entry in _objects(item["seen_history"]) if entry.get("state") == "completed"]
    collections = _objects(item["collections"])
    listed = [entry for entry in collections if entry.get("collection_name") == _WATCHLIST]
    own = [entry for entry in collections if entry.get("collection_name") not in _STANDARD]
    reviews = _objects(item["reviews"])  # latest first
    if item["lot"] != fields.MOVIE:
        seen = seen[:1]  # a series has one entry per episode
    rows = [{"status": "completed", "ended_on": entry.get("ended_on")} for entry in seen]
    rows += [{"status": "watchlist", "listed_at": entry.get("created_on")} for entry in listed[:1]]
    first, *others = rows or [{}]
    for review in reversed(reviews):
        about = next(iter(_objects([review.get("review")])), {})
        if about.get("text"):
            first["text"] = about["text"]
        if review.get("rating") is not None:
            first |= {"rating": review["rating"], "rated_at": about.get("date")}
    yield from (first, *others) if first or item["lot"] != fields.MOVIE or not own else ()
    if item["lot"] == fields.MOVIE:
        yield from ({"collection_name": e.get("collection_name"), "listed_at": e.get("created_on")} for e in own)


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


FORMAT = Ryot()
