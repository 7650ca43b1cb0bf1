"""A media server's event as an imported row, and the declaration of a format of events."""

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

CREDITS = 90  # percent of a movie after which the rest is credits, as Plex counts
AHEAD = timedelta(days=1)  # that the clock of a server may be


class Event(NamedTuple):
    """`account` is who watched or rated, in the media server; empty if it has no accounts."""

    kind: Kind
    row: ParsedRow
    account: str = ""


class Server(ABC):
    """A format of events is one module of `hooks/formats` with a constant SERVER; no other file mentions it.

    `position` orders them on pages. `help` tells people where the media server takes the address. `has_accounts`:
    whether its events name one.
    """

    code: ClassVar[str]
    label: ClassVar[str]
    position: ClassVar[int]
    help: ClassVar[str | Promise]
    has_accounts: ClassVar[bool] = True

    @abstractmethod
    def read(self, body: Any) -> Event | None:
        """The event in a body, a form or a document of JSON; None if it is none of interest. Raises InvalidEvent."""


def document(body: Any, field: str = "") -> Payload:
    """The object of a body; of a form, that in `field`. Raises InvalidEvent."""
    if isinstance(body, Mapping) and field in body:
        try:
            body = parse_json(str(body[field]), lenient=True)
        except InvalidJSON as error:
            raise InvalidEvent(gettext("The body is not valid JSON: {error}.").format(error=error)) from None
    if not isinstance(body, Mapping):
        raise InvalidEvent(gettext("Expected an object of JSON."))
    return body


def part(payload: Payload, name: str) -> Payload:
    """An object within; an empty one if it is missing or something else."""
    found = payload.get(name)
    return found if isinstance(found, Mapping) else {}


def text(payload: Payload, name: str) -> str:
    found = payload.get(name)
    return str(found).strip() if isinstance(found, str | int | float) and not isinstance(found, bool) else ""


def number(payload: Payload, name: str) -> float:
    """Zero if it is missing or no number."""
    found = payload.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0.0


def row_of(kind: Kind, values: Mapping[Field, str], *, at: str = "") -> ParsedRow:
    """The row of an event; a detail that cannot be read is left out. Raises InvalidEvent without a title or an id.

    `at` is the moment that the server says. Its day is that of the server's own time zone.
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
    """In its own time zone, or UTC. None if it is not said, or cannot be."""
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
