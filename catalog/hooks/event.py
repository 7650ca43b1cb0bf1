"""Media server events: their conversion to imported rows, and the base class of event formats."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext

from catalog.bounds import FIRST_YEAR
from catalog.errors import BadRow, InvalidEvent
from catalog.imports import fields
from catalog.imports.fields import Field, ParsedRow
from catalog.models import HookEvent
from catalog.safe_json import InvalidJSON, parse_json

Kind = HookEvent.Kind
Payload = Mapping[str, Any]

CREDITS = 90  # percent of a movie after which only credits follow, as in Plex
AHEAD = timedelta(days=1)  # how far ahead a server's clock may be


class Event(NamedTuple):
    """An event. `account` is the account in the media server that watched or rated; empty if it has no accounts."""

    kind: Kind
    row: ParsedRow
    account: str = ""


class Server(ABC):
    """Base class of event formats. Each module of `hooks/formats` defines one as SERVER; no other file refers to it.

    `position` sorts them on pages. `help` explains where to enter the URL in the media server. `has_accounts` is set if
    its events name the account.
    """

    code: ClassVar[str]
    label: ClassVar[str]
    position: ClassVar[int]
    help: ClassVar[str | Promise]
    has_accounts: ClassVar[bool] = True

    @abstractmethod
    def read(self, body: Any) -> Event | None:
        """Parses the body, a form or a JSON document. Returns None if the event is irrelevant. Raises InvalidEvent."""


def document(body: Any, field: str = "") -> Payload:
    """Returns the JSON object in a body, or in `field` of a form. Raises InvalidEvent."""
    if isinstance(body, Mapping) and field in body:
        try:
            body = parse_json(str(body[field]), lenient=True)
        except InvalidJSON as error:
            raise InvalidEvent(gettext("The body is not valid JSON: {error}.").format(error=error)) from None
    if not isinstance(body, Mapping):
        raise InvalidEvent(gettext("Expected an object of JSON."))
    return body


def part(payload: Payload, name: str) -> Payload:
    """Returns a nested object; empty if it is missing or not an object."""
    found = payload.get(name)
    return found if isinstance(found, Mapping) else {}


def text(payload: Payload, name: str) -> str:
    found = payload.get(name)
    return str(found).strip() if isinstance(found, str | int | float) and not isinstance(found, bool) else ""


def number(payload: Payload, name: str) -> float:
    """Returns a number; zero if it is missing or not a number."""
    found = payload.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0.0


def row_of(kind: Kind, values: Mapping[Field, str], *, at: str = "") -> ParsedRow:
    """Returns the row of an event without its invalid details. Raises InvalidEvent if there is no title or id.

    `at` is the time according to the server; the viewing's day is in the server's own time zone.
    """
    found: dict[str, Any] = {}
    for field, value in values.items():
        try:
            if value and (parsed := field.parse(value)):
                found.setdefault(field.name, parsed)
        except BadRow:
            continue
    if not any(found.get(name) for name in ("title", "imdb_id", "tmdb_id")):
        raise InvalidEvent(gettext("Expected the title of the movie, or its id at IMDb or TMDB."))
    if kind == Kind.RATED and "rating" not in found:
        raise InvalidEvent(gettext("Expected the rating."))
    moment = _moment(at)
    day = moment.date() if moment and kind == Kind.WATCHED else None
    return ParsedRow("", 0, kind, **found, recorded_at=moment, watched_on=day)


def _moment(said: str) -> datetime | None:
    """Parses a time in its own time zone, by default UTC. Returns None if it is missing or implausible."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if timezone.is_naive(moment) else moment
    is_possible = moment.year > FIRST_YEAR and moment <= timezone.now() + AHEAD
    return moment if is_possible else None


TITLE, ORIGINAL_TITLE, YEAR = fields.TITLE, fields.ORIGINAL_TITLE, fields.YEAR
IMDB_ID, TMDB_ID = fields.IMDB_ID, fields.TMDB_ID
OUT_OF_5, OUT_OF_10 = fields.OUT_OF_5, fields.OUT_OF_10
