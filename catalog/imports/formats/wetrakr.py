"""WeTrakr's export: a zip of tables, or one of them. Dates are in JavaScript's format."""

import re
from contextlib import suppress
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.dates import parse_moment
from catalog.imports.fields import Field, Kind
from catalog.imports.format import Format
from catalog.imports.reading import Part
from catalog.imports.tables import Row

_TITLES = ("title", "year", "type", "tmdb_id", "imdb_id")
_OF_SERIES = ("season", "episode")
# Wed Mar 21 2018 03:42:00 GMT+0000 (Coordinated Universal Time)
_JAVASCRIPT = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2})[a-z]* (\d{1,2} \d{4} \d\d:\d\d:\d\d) GMT([+-]\d{4})(?: \(.*\))?"
)


def _moment_of(text: str) -> datetime | None:
    if found := _JAVASCRIPT.fullmatch(text):
        month, rest, zone = found.groups()
        with suppress(ValueError):  # parse_moment reports text that is not a date
            text = datetime.strptime(f"{month} {rest} {zone}", "%b %d %Y %H:%M:%S %z").isoformat()
    return parse_moment(text)


_AT = Field("recorded_at", fields.RECORDED_AT.label, _moment_of)
_ON = Field("watched_on", fields.WATCHED_ON.label, lambda text: (moment := _moment_of(text)) and moment.date())


class WeTrakr(Format):
    code = "wetrakr"
    label = "WeTrakr"
    position = 11
    help = _("Settings, Export: the zip, or its tracklog.csv or ratings.csv.")
    expected = _("the zip that WeTrakr exports, or its tracklog.csv or ratings.csv")
    marks_rewatches = True
    parts = (
        Part(gettext_noop("a list"), columns=("list_name", *_TITLES)),
        Part(gettext_noop("notes"), columns=(*_TITLES, "text", "privacy")),
        Part(gettext_noop("ratings"), Kind.RATED, (*_TITLES, "rating", "rated_at")),
        Part(gettext_noop("history"), Kind.NOTHING, (*_TITLES, "status", "tracked_at")),
    )
    columns = {
        fields.TITLE: ["title"],
        fields.YEAR: ["year"],
        fields.IMDB_ID: ["imdb_id"],
        fields.TMDB_ID: ["tmdb_id"],
        fields.MEDIUM: ["type"],
        fields.OUT_OF_10: ["rating"],
        fields.STATUS: ["status"],
        _AT: ["rated_at", "tracked_at"],
        _ON: ["tracked_at"],
    }

    def is_wanted(self, row: Row) -> bool:
        return row.get("type") not in _OF_SERIES


FORMAT = WeTrakr()
