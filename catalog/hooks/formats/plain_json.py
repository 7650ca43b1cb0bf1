"""Any other program: a JSON object with the fields listed here."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.errors import InvalidEvent
from catalog.hooks.event import (
    IMDB_ID,
    ORIGINAL_TITLE,
    OUT_OF_5,
    TITLE,
    TMDB_ID,
    YEAR,
    Event,
    Kind,
    Server,
    document,
    row_of,
    text,
)


class PlainJSON(Server):
    code = "json"
    label = "JSON"
    position = 5
    help = _("An object with event (watched, seen or rated), title, year, imdb_id, tmdb_id, rating, at and user.")
    has_accounts = False

    def read(self, body: Any) -> Event | None:
        payload = document(body)
        if text(payload, "type") not in ("movie", ""):
            return None
        if text(payload, "event") not in Kind.values:
            raise InvalidEvent(gettext("event: expected one of {kinds}.").format(kinds=", ".join(Kind.values)))
        kind = Kind(text(payload, "event"))
        values = {
            TITLE: text(payload, "title"),
            ORIGINAL_TITLE: text(payload, "original_title"),
            YEAR: text(payload, "year"),
            IMDB_ID: text(payload, "imdb_id"),
            TMDB_ID: text(payload, "tmdb_id"),
            OUT_OF_5: text(payload, "rating") if kind == Kind.RATED else "",
        }
        return Event(kind, row_of(kind, values, at=text(payload, "at")), text(payload, "user"))


SERVER = PlainJSON()
