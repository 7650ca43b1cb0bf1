"""Yamtrack's export: one table of everything a person tracks, with a row per viewing of a movie."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.fields import Kind
from catalog.imports.format import Format
from catalog.imports.reading import Part
from catalog.imports.tables import Row

_OF_SERIES = ("season", "episode")
# Until 2025 a movie had one row, with its number of rewatches.
_REPEATS = fields.IS_REWATCH._replace(parse=lambda text: fields.parse_plays(text) > 0)


class Yamtrack(Format):
    code = "yamtrack"
    label = "Yamtrack"
    position = 7
    help = _("Settings, Export: the CSV file.")
    expected = _("the CSV file that Yamtrack exports (columns media_id, source, media_type, status and others)")
    marks_rewatches = True
    parts = (Part(gettext_noop("library"), Kind.NOTHING, ("media_id", "source", "media_type", "status")),)
    columns = {
        fields.TITLE: ["title"],
        fields.TMDB_NUMBER: ["media_id"],
        fields.MEDIUM: ["media_type"],
        fields.OUT_OF_10: ["score"],
        fields.STATUS: ["status"],
        fields.RECORDED_AT: ["created_at"],
        fields.WATCHED_ON: ["end_date"],
        _REPEATS: ["repeats"],
        fields.REVIEW: ["notes"],
    }

    def is_wanted(self, row: Row) -> bool:
        return row.get("media_type") not in _OF_SERIES

    def complete(self, values: dict[str, Any], row: Row) -> None:
        """Drops the TMDB id unless the source is TMDB. Titles that are being rewatched count as watched."""
        values["medium"] = str(row.get("media_type") or "")
        if row.get("source") != "tmdb":
            values.pop("tmdb_id", None)
        if row.get("status") == "Repeating":
            values["status"] = Kind.WATCHED


FORMAT = Yamtrack()
