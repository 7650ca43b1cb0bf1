"""Plex's webhooks: a form with the event as JSON in `payload`, and for some events a picture."""

import re
from collections.abc import Iterable
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

_KINDS = {"media.scrobble": Kind.WATCHED, "media.rate": Kind.RATED}
# `imdb://tt1` in `Guid`, or `com.plexapp.agents.imdb://tt1?lang=en` in libraries with an agent from before 2020.
_GUID = re.compile(r"(?:com\.plexapp\.agents\.)?(imdb|tmdb|themoviedb)://([^?/]+)")


class Plex(Server):
    code = "plex"
    label = "Plex"
    position = 1
    help = _("Settings, Webhooks, Add webhook. Takes a Plex Pass; restart the server once.")

    def read(self, body: Any) -> Event | None:
        payload = document(body, "payload")
        metadata = part(payload, "Metadata")
        kind = _KINDS.get(text(payload, "event"))
        if kind is None or text(metadata, "type") != "movie":
            return None
        rating = number(payload, "rating") or number(metadata, "userRating")
        if kind == Kind.RATED and rating <= 0:
            return None  # the rating was removed
        ids = _ids(metadata)
        values = {
            TITLE: text(metadata, "title"),
            ORIGINAL_TITLE: text(metadata, "originalTitle"),
            YEAR: text(metadata, "year"),
            IMDB_ID: ids.get("imdb", ""),
            TMDB_ID: ids.get("tmdb", "") or ids.get("themoviedb", ""),
            OUT_OF_10: f"{rating:g}" if kind == Kind.RATED else "",
        }
        return Event(kind, row_of(kind, values), text(part(payload, "Account"), "title"))


def _ids(metadata: Payload) -> dict[str, str]:
    """Returns the ids of the movie, keyed by site."""
    listed = metadata.get("Guid")
    guids: Iterable[Any] = listed if isinstance(listed, list) else []
    texts = [text(guid, "id") for guid in guids if isinstance(guid, dict)]
    found = [_GUID.match(guid) for guid in [*texts, text(metadata, "guid")]]
    return {match[1]: match[2] for match in reversed(found) if match}


SERVER = Plex()
