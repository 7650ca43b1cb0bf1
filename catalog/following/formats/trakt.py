"""A public Trakt profile: its history, ratings and watchlist of movies, read with the operator's client id."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.errors import InvalidImport
from catalog.following import fetching
from catalog.following.source import Contents, Source, Target, keyed, user_name
from catalog.imports.files import File
from catalog.imports.formats import FORMATS
from catalog.imports.tables import tables_of
from catalog.models import FollowedSource
from catalog.safe_json import InvalidJSON, parse_json

API = "https://api.trakt.tv"
LISTS = ("history", "ratings", "watchlist")
PAGE_SIZE = 250  # the largest page that the API returns
_NAME = re.compile(
    r"(?:https?://(?:www\.|app\.)?trakt\.tv/(?:users|profile)/|@)?(?P<name>[A-Za-z0-9_-]{1,60})(?:/[\w/-]*)?"
)


class Trakt(Source):
    code = "trakt"
    label = "Trakt"
    position = 2
    what = _("Your user name there")
    help = _("History, ratings and watchlist of a public profile.")

    def is_available(self) -> bool:
        return bool(settings.TRAKT_CLIENT_ID)

    def target(self, entered: str, options: Mapping[str, str]) -> Target:
        return Target(user_name(entered, _NAME))

    def read(self, source: FollowedSource, *, whole: bool) -> Contents | None:
        """Reads all pages each time, because a viewing that is added later may have an early date."""
        files = [File(f"{name}.json", json.dumps(list(_items(source.name, name))).encode()) for name in LISTS]
        tables = [table for file in files for table in tables_of(file)]
        return Contents(keyed(FORMATS["trakt"].read(tables, {}).rows))


def _items(user: str, name: str) -> Iterator[Any]:
    """Yields the items of a list, page by page. Raises FetchFailed, InvalidImport."""
    headers = {"trakt-api-version": "2", "trakt-api-key": settings.TRAKT_CLIENT_ID, "Content-Type": "application/json"}
    limit = settings.POLICY.imports.max_entries
    page, n_pages, n_items = 1, 1, 0
    while page <= n_pages:
        address = f"{API}/users/{user}/{name}/movies?page={page}&limit={PAGE_SIZE}"
        reply = fetching.FETCHER.get(address, headers)
        items = _parsed(reply.body)
        n_items += len(items)
        if n_items > limit:
            raise InvalidImport(gettext("{file}: expected at most {n:,} rows.").format(file=name, n=limit))
        yield from items
        count = reply.headers.get("x-pagination-page-count", "1")
        n_pages = int(count) if re.fullmatch(r"\d{1,6}", count) and items else page
        page += 1


def _parsed(body: bytes) -> list[Any]:
    try:
        items = parse_json(body, lenient=True)
    except InvalidJSON:
        items = None
    if not isinstance(items, list):
        raise InvalidImport(gettext("Expected a list as Trakt's API returns it."))
    return items


SOURCE = Trakt()
