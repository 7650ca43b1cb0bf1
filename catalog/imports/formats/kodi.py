"""Kodi's library, exported as one XML file or as .nfo files next to the movies."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.fields import Kind
from catalog.imports.format import Format
from catalog.imports.reading import Part
from catalog.imports.tables import Row

_NEVER = ("", "0", "0.0")


class Kodi(Format):
    code = "kodi"
    label = "Kodi"
    position = 6
    help = _("Settings, Media, Library, Export library: the file videodb.xml, or a zip of .nfo files.")
    expected = _("the videodb.xml that Kodi exports, or the .nfo file of a movie, or a zip of such files")
    suffixes = (".xml", ".nfo")
    parts = (Part(gettext_noop("library"), Kind.NOTHING, ("element", "title")),)
    columns = {
        fields.TITLE: ["title"],
        fields.ORIGINAL_TITLE: ["originaltitle"],
        fields.YEAR: ["year", "premiered"],
        fields.IMDB_ID: ["uniqueid.imdb", "imdbid"],
        fields.TMDB_ID: ["uniqueid.tmdb", "tmdbid"],
        fields.MEDIUM: ["element"],
        fields.IS_WATCHED: ["watched"],
        fields.OUT_OF_10: ["userrating"],
        fields.RECORDED_AT: ["lastplayed"],
        fields.WATCHED_ON: ["lastplayed"],
    }

    def is_wanted(self, row: Row) -> bool:
        is_rated = row.get("userrating", "") not in _NEVER
        return row["element"] == "movie" and (_is_played(row) or is_rated)

    def complete(self, values: dict[str, Any], row: Row) -> None:
        """Sets the status from the play count, because movies that were only started also have a date."""
        if _is_played(row):
            values["status"] = Kind.WATCHED
        else:
            values.pop("watched_on", None)


def _is_played(row: Row) -> bool:
    """Returns whether it was played. Jellyfin and Emby write `watched` in their .nfo files instead of a play count."""
    return row.get("playcount", "") not in _NEVER or row.get("watched") == "true"


FORMAT = Kodi()
