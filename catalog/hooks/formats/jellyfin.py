"""Jellyfin: its own plug-in Webhook, which sends `NotificationType`, and the older Webhooks, which sends `Event`."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.hooks.event import (
    IMDB_ID,
    OUT_OF_10,
    TITLE,
    TMDB_ID,
    YEAR,
    Event,
    Kind,
    Payload,
    Server,
    document,
    number,
    row_of,
    text,
)
from catalog.hooks.formats import emby, plex

_KINDS_OF_OLDER = {"Scrobble": Kind.WATCHED, "MarkPlayed": Kind.SEEN, "Rate": Kind.RATED}


class Jellyfin(Server):
    code = "jellyfin"
    label = "Jellyfin"
    position = 2
    help = _(
        "Plug-in Webhook, Add Generic Destination: the types Playback Stop and User Data Saved, your user, movies, and "
        "Send All Properties."
    )

    def read(self, body: Any) -> Event | None:
        if isinstance(body, Mapping) and "payload" in body:
            return plex.SERVER.read(body)  # the older plug-in can be configured to use Plex's format
        payload = document(body)
        if "NotificationType" in payload:
            return _event(payload)
        kind = _KINDS_OF_OLDER.get(text(payload, "Event"))
        return emby.event_of(payload, kind) if kind else None


def _event(payload: Payload) -> Event | None:
    kind = _kind(payload)
    if kind is None or text(payload, "ItemType") != "Movie":
        return None
    values = {
        TITLE: text(payload, "Name").replace('\\"', '"'),  # the plug-in escapes names, and then JSON escapes them again
        YEAR: text(payload, "Year"),
        IMDB_ID: text(payload, "Provider_imdb"),
        TMDB_ID: text(payload, "Provider_tmdb"),
        OUT_OF_10: text(payload, "Rating") if kind == Kind.RATED else "",
    }
    at = text(payload, "Timestamp") or text(payload, "UtcTimestamp")
    account = text(payload, "NotificationUsername") or text(payload, "Username")
    return Event(kind, row_of(kind, values, at=at), account)


def _kind(payload: Payload) -> Kind | None:
    """Returns the kind of event. The end of a movie is sent as played and as saved; only the former is used."""
    notification, reason = text(payload, "NotificationType"), text(payload, "SaveReason")
    if notification == "PlaybackStop":
        return Kind.WATCHED if payload.get("PlayedToCompletion") is True else None
    if notification != "UserDataSaved":
        return None
    if reason == "TogglePlayed" and payload.get("Played") is True:
        return Kind.SEEN
    return Kind.RATED if reason == "UpdateUserRating" and number(payload, "Rating") > 0 else None


SERVER = Jellyfin()
