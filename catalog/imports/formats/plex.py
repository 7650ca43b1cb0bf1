"""A library of Plex, as its API lists it. It also contains unplayed and unrated movies."""

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.errors import BadRow
from catalog.imports import fields
from catalog.imports.dates import parse_moment
from catalog.imports.fields import Field, Kind
from catalog.imports.format import Format
from catalog.imports.reading import Part
from catalog.imports.tables import Row

_SITES = {"imdb": fields.IMDB_ID, "tmdb": fields.TMDB_ID}


def _moment_of(seconds: str) -> datetime | None:
    """Parses seconds since 1970; any other text is parsed as a date."""
    is_number = seconds.isascii() and seconds.isdigit() and len(seconds) <= 10
    return parse_moment(datetime.fromtimestamp(int(seconds), UTC).isoformat() if is_number else seconds)


_AT = Field("recorded_at", fields.RECORDED_AT.label, _moment_of)
_ON = Field("watched_on", fields.WATCHED_ON.label, lambda text: (moment := _moment_of(text)) and moment.date())


class Plex(Format):
    code = "plex"
    label = "Plex"
    position = 5
    help = _("The JSON of the address library/sections/1/all of your server, with includeGuids=1.")
    expected = _("a JSON file in which Plex lists a library (MediaContainer with Metadata)")
    suffixes = (".json",)
    parts = (Part(gettext_noop("library"), Kind.NOTHING, ("title", "ratingKey")),)
    columns = {
        fields.TITLE: ["title"],
        fields.ORIGINAL_TITLE: ["originalTitle"],
        fields.YEAR: ["year"],
        fields.MEDIUM: ["type"],
        fields.OUT_OF_10: ["userRating"],
        _AT: ["lastRatedAt", "lastViewedAt"],
        _ON: ["lastViewedAt"],
    }

    def is_wanted(self, row: Row) -> bool:
        return _is_played(row) or bool(row.get("userRating"))

    def complete(self, values: dict[str, Any], row: Row) -> None:
        """Sets the ids, which are in a list, and the status, because movies that were only started may have a date."""
        if _is_played(row):
            values["status"] = Kind.WATCHED
        else:
            values.pop("watched_on", None)
        guids = row.get("Guid")
        for guid in guids if isinstance(guids, list) else ():
            site, _slashes, number = str(guid.get("id") if isinstance(guid, dict) else "").partition("://")
            if field := _SITES.get(site):
                try:
                    values.setdefault(field.name, field.parse(number))
                except BadRow:
                    continue


def _is_played(row: Row) -> bool:
    views = row.get("viewCount")
    return isinstance(views, int) and views > 0


FORMAT = Plex()
