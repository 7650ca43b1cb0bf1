"""The base class of kinds of followed sources, and what they return."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

from django.utils.functional import Promise
from django.utils.translation import gettext

from catalog.encryption import Cipher
from catalog.errors import InvalidSource
from catalog.following import fetching
from catalog.following.fetching import Reply
from catalog.imports.fields import Kind, ParsedRow
from catalog.models import FollowedSource

CIPHER = Cipher("address of a followed source")
IMPORTED = (Kind.RATED, Kind.WATCHED, Kind.WANTED)


class Target(NamedTuple):
    """What a user follows: a name to show, the secret address if there is one, and options for reading it."""

    name: str
    address: str = ""
    options: Mapping[str, Any] = {}


class SourceRow(NamedTuple):
    key: str
    row: ParsedRow


class Contents(NamedTuple):
    """The rows of a source, oldest first if it has an order, and the validators of the next conditional request."""

    rows: list[SourceRow]
    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, reply: Reply, rows: Iterable[SourceRow]) -> Self:
        etag, last_modified = (reply.headers.get(name, "") for name in ("etag", "last-modified"))
        return cls(list(rows), etag if len(etag) <= 200 else "", last_modified if len(last_modified) <= 60 else "")


class Source(ABC):
    """Base class of kinds of sources. Each module of `following/formats` defines one as SOURCE.

    `position` sorts them on pages. `what` names the value that users enter, and `help` explains it.
    """

    code: ClassVar[str]
    label: ClassVar[str | Promise]
    position: ClassVar[int]
    what: ClassVar[str | Promise]
    help: ClassVar[str | Promise]

    def is_available(self) -> bool:
        return True

    @abstractmethod
    def target(self, entered: str, options: Mapping[str, str]) -> Target:
        """Parses what a user entered. Raises InvalidSource."""

    @abstractmethod
    def read(self, source: FollowedSource, *, whole: bool) -> Contents | None:
        """Fetches the rows. Returns None if nothing has changed, unless `whole`. Raises FetchFailed, InvalidImport."""


def conditional_get(source: FollowedSource, address: str, *, whole: bool) -> Reply:
    validators = {"If-None-Match": source.etag, "If-Modified-Since": source.last_modified}
    sent = {} if whole else {name: value for name, value in validators.items() if value}
    return fetching.FETCHER.get(address, sent)


def invalid(message: str) -> InvalidSource:
    return InvalidSource(message, fields={"address": [message]})


def user_name(entered: str, allowed: Any) -> str:
    """Returns the user name in a name, an @name or the address of a profile. Raises InvalidSource."""
    found = allowed.fullmatch(entered.strip())
    if not found:
        raise invalid(gettext("Expected the user name, or the address of the profile."))
    return str(found["name"]).lower()


def keyed(rows: Sequence[ParsedRow], ids: Mapping[int, str] | None = None) -> list[SourceRow]:
    """Returns the rows that can be imported, each with a key. `ids` maps line numbers to the site's own ids of rows."""
    kept = [row for row in rows if row.kind in IMPORTED and not row.problem]
    return [SourceRow(_key(row, (ids or {}).get(row.line, "")), row) for row in kept]


def _key(row: ParsedRow, site_id: str) -> str:
    """Returns a key that stays the same if the row's rating changes at the site."""
    movie = row.imdb_id or row.tmdb_id or row.movielens_id or [row.title.casefold(), row.year]
    moments = {Kind.WATCHED: row.watched_on, Kind.WANTED: row.recorded_at}
    parts = [site_id] if site_id else [row.kind, movie, str(moments.get(Kind(row.kind)) or "")]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
