"""A library of Jellyfin or Emby, as their API lists it for a user. It also contains unplayed and unrated movies."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.imports import fields
from catalog.imports.fields import Kind
from catalog.imports.format import Format
from catalog.imports.reading import Part
from catalog.imports.tables import Row

_PLAYED, _RATING = "UserData.Played", "UserData.Rating"


class Jellyfin(Format):
    code = "jellyfin"
    label = "Jellyfin, Emby"
    position = 4
    help = _("The JSON of the address Items of your server, for your user, with the field ProviderIds.")
    expected = _("a JSON file that Jellyfin or Emby lists a user's movies in (Items with Name and UserData)")
    suffixes = (".json",)
    parts = (Part(gettext_noop("library"), Kind.NOTHING, ("Name", _PLAYED)),)
    columns = {
        fields.TITLE: ["Name"],
        fields.ORIGINAL_TITLE: ["OriginalTitle"],
        fields.YEAR: ["ProductionYear"],
        fields.IMDB_ID: ["ProviderIds.Imdb"],
        fields.TMDB_ID: ["ProviderIds.Tmdb"],
        fields.MEDIUM: ["Type"],
        fields.OUT_OF_10: [_RATING],
        fields.RECORDED_AT: ["UserData.LastPlayedDate"],
        fields.WATCHED_ON: ["UserData.LastPlayedDate"],
    }

    def is_wanted(self, row: Row) -> bool:
        return row.get(_PLAYED) is True or bool(row.get(_RATING))

    def complete(self, values: dict[str, Any], row: Row) -> None:
        """Sets the status from `Played`, because movies that were only started also have a date and a play count."""
        if row.get(_PLAYED) is True:
            values["status"] = Kind.WATCHED
        else:
            values.pop("watched_on", None)


FORMAT = Jellyfin()
