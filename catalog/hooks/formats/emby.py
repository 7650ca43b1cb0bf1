"""Emby's webhooks: JSON or, before version 4.9, a form with the JSON in `data`."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.hooks.event import (
    IMDB_ID,
    ORIGINAL_TITLE,
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
    part,
    row_of,
    text,
)

_KINDS = {"playback.stop": Kind.WATCHED, "item.markplayed": Kind.SEEN, "item.rate": Kind.RATED}


class Emby(Server):
    code = "emby"
    label = "Emby"
    position = 3
    help = _(
        "Your user's preferences, Notifications, Add Webhook: type application/json, the events Playback Stop, Mark "
        "Played and Rate. Takes Emby Premiere."
    )

    def read(self, body: Any) -> Event | None:
        payload = document(body, "data")
        kind = _KINDS.get(text(payload, "Event"))
        if kind == Kind.WATCHED and part(payload, "PlaybackInfo").get("PlayedToCompletion") is not True:
            return None
        return event_of(payload, kind) if kind else None


def event_of(payload: Payload, kind: Kind) -> Event | None:
    """Parses the event about `Item`, in the format of Emby and of Jellyfin's older plug-in. Raises InvalidEvent."""
    item = part(payload, "Item")
    ids, rating = part(item, "ProviderIds"), number(part(item, "UserData"), "Rating")
    if text(item, "Type") != "Movie" or (kind == Kind.RATED and rating <= 0):  # favourites are sent as ratings too
        return None
    values = {
        TITLE: text(item, "Name"),
        ORIGINAL_TITLE: text(item, "OriginalTitle"),
        YEAR: text(item, "ProductionYear"),
        IMDB_ID: text(ids, "Imdb"),
        TMDB_ID: text(ids, "Tmdb"),
        OUT_OF_10: f"{rating:g}" if kind == Kind.RATED else "",
    }
    return Event(kind, row_of(kind, values, at=text(payload, "Date")), text(part(payload, "User"), "Name"))


SERVER = Emby()
