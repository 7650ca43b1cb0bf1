"""Kodi: the add-ons HTTP Scrobbler and Movary, and Kodi's own notification that a movie was played to its end."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.hooks.event import (
    CREDITS,
    IMDB_ID,
    TITLE,
    TMDB_ID,
    YEAR,
    Event,
    Kind,
    Payload,
    Server,
    document,
    number,
    part,
    row_of,
    text,
)


class Kodi(Server):
    code = "kodi"
    label = "Kodi"
    position = 4
    help = _("Add-on HTTP Scrobbler: the address as its URL, the events stop and end.")
    has_accounts = False

    def read(self, body: Any) -> Event | None:
        payload = document(body)
        if "method" in payload:
            return _of_notification(payload)
        if not _is_played(payload) or text(payload, "mediaType") not in ("movie", ""):
            return None
        ids = part(payload, "uniqueIds")
        values = {
            TITLE: text(payload, "title"),
            YEAR: text(payload, "year"),
            IMDB_ID: text(ids, "imdb"),
            TMDB_ID: text(ids, "tmdb") or text(ids, "tmdbId"),  # Movary's add-on sends `tmdbId` only
        }
        return Event(Kind.WATCHED, row_of(Kind.WATCHED, values, at=text(payload, "timestamp")))


def _is_played(payload: Payload) -> bool:
    """Returns whether the movie was played. Movary's add-on sends no other events."""
    event = text(payload, "event")
    is_stopped_in_credits = event == "stop" and number(part(payload, "progress"), "percent") >= CREDITS
    return "event" not in payload or event == "end" or is_stopped_in_credits


def _of_notification(payload: Payload) -> Event | None:
    data = part(part(payload, "params"), "data")
    item = part(data, "item")
    is_played = text(payload, "method") == "Player.OnStop" and data.get("end") is True
    if not is_played or text(item, "type") != "movie":
        return None
    values = {TITLE: text(item, "title"), YEAR: text(item, "year")}
    return Event(Kind.WATCHED, row_of(Kind.WATCHED, values))


SERVER = Kodi()
