"""Client for Wikidata. Its query service finds items by ids of other sites. Its API returns the items.

Follows Wikimedia's etiquette: one request at a time for the whole site, a pause after each, a User-Agent with a
contact, `maxlag`, and waiting as long as the server requests.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Self, TypeVar

import httpx
from django.conf import settings

from catalog.errors import AnswerRejected, ProviderError
from catalog.providers.commons import file_of
from catalog.providers.http import Passing, ProviderHTTP, excerpt, retry_after
from catalog.providers.rate_limit import RateLimiter, limiter_of
from catalog.providers.wikidata_documents import (
    ANY_LANGUAGE,
    Entity,
    item_number,
    read_bindings,
    read_entities,
)
from catalog.providers.wikidata_films import IMDB_ID, IMDB_PATTERN, PICTURE, TMDB_ID, Film, read_film
from catalog.providers.wikipedia import wiki_of

AT_ONCE = 50  # items per request
MATCHED_AT_ONCE = 200  # ids per query
PICTURED_AT_ONCE = 300  # items per query for pictures
MAX_BYTES = 32 << 20
MAX_LAG = 5  # maximum replication lag of Wikidata's servers, in seconds
LONGEST_RETRY_AFTER = 600.0
LANGUAGE_CODE = "P218"  # ISO 639-1
_TEMPORARY = {"maxlag", "ratelimited", "readonly"}

T = TypeVar("T")


class Match(NamedTuple):
    """An item with one of the requested ids. The other id is None unless the query asked for it."""

    qid: int
    imdb_id: str | None = None
    tmdb_id: int | None = None


class _NoSuchItem(AnswerRejected):
    """One of the requested items is invalid, so the response contains none of them."""


class WikidataClient:
    """A client for Wikidata. Raises only ProviderError and its subclasses."""

    def __init__(self, limiter: RateLimiter, *, contact: str) -> None:
        name = f"Movierec/{settings.VERSION} ({contact})" if contact else f"Movierec/{settings.VERSION}"
        headers = {"User-Agent": name, "Accept-Encoding": "gzip"}
        self._http = ProviderHTTP("Wikidata", limiter, headers=headers, max_bytes=MAX_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.__exit__(*exc_info)

    def is_reachable(self) -> bool:
        """Returns whether Wikidata can be reached. Makes one attempt."""
        return self._http.is_reachable(settings.WIKIDATA_API_URL, {"action": "query", "meta": "siteinfo"} | _COMMON)

    def match(self, imdb_ids: Iterable[str], tmdb_ids: Iterable[int]) -> list[Match]:
        """Returns the items that have one of the ids. Accepts at most MATCHED_AT_ONCE ids of each kind."""
        known = (imdb_id for imdb_id in imdb_ids if IMDB_PATTERN.fullmatch(imdb_id))
        parts = [_with_value(IMDB_ID, "imdb", known), _with_value(TMDB_ID, "tmdb", map(str, tmdb_ids))]
        if not any(parts):
            return []
        rows = self._query(f"SELECT ?item ?imdb ?tmdb WHERE {{ {' UNION '.join(filter(None, parts))} }}")
        found = [(item_number(row.get("item")), row.get("imdb"), row.get("tmdb", "")) for row in rows]
        return [Match(qid, imdb, int(tmdb) if tmdb.isdecimal() else None) for qid, imdb, tmdb in found if qid]

    def language_codes(self, numbers: Iterable[int]) -> dict[int, str]:
        """Returns the ISO 639-1 codes of the items that are languages with a code."""
        items = " ".join(f"wd:Q{number}" for number in numbers)
        rows = self._query(f"SELECT ?item ?code WHERE {{ VALUES ?item {{ {items} }} ?item wdt:{LANGUAGE_CODE} ?code }}")
        return {qid: row.get("code", "") for row in rows if (qid := item_number(row.get("item")))}

    def pictures(self, numbers: Iterable[int]) -> dict[int, str]:
        """Returns the items' file names on Commons, keyed by item. Accepts at most PICTURED_AT_ONCE items.

        Uses the query service, because the API would return all statements of the items. If an item has several files,
        returns the first by name, because the query service keeps no order.
        """
        items = " ".join(f"wd:Q{number}" for number in numbers)
        rows = self._query(f"SELECT ?item ?file WHERE {{ VALUES ?item {{ {items} }} ?item wdt:{PICTURE} ?file }}")
        found = sorted((file_of(row.get("file", "")), item_number(row.get("item")) or 0) for row in rows)
        return {qid: file for file, qid in reversed(found) if qid and file}

    def films(self, numbers: Sequence[int], languages: Sequence[str]) -> dict[int, Film | None]:
        """Returns the items read as movies, keyed by requested number. Items that do not exist are None."""
        entities = self._entities(numbers, languages, "labels|claims|sitelinks")
        return {number: entity and read_film(entity) for number, entity in entities.items()}

    def labels(self, numbers: Sequence[int], languages: Sequence[str]) -> dict[int, Entity | None]:
        """Returns the items with only their labels, keyed by requested number. Items that do not exist are None."""
        return self._entities(numbers, languages, "labels")

    def _entities(self, numbers: Sequence[int], languages: Sequence[str], props: str) -> dict[int, Entity | None]:
        """Fetches at most AT_ONCE items. If one is missing, requests halves, down to single items."""
        if not numbers:
            return {}
        asked = {"action": "wbgetentities", "props": props, "ids": "|".join(f"Q{number}" for number in numbers)}
        asked["languages"] = "|".join([*languages, ANY_LANGUAGE])
        asked["sitefilter"] = "|".join(map(wiki_of, languages))
        try:
            found = read_entities(self.get(settings.WIKIDATA_API_URL, asked))
        except _NoSuchItem:
            found = {}
        if len(numbers) == 1:
            return {numbers[0]: found.get(numbers[0])}
        left = [number for number in numbers if number not in found]
        middle = (len(left) + 1) // 2
        halves = self._entities(left[:middle], languages, props) | self._entities(left[middle:], languages, props)
        return found | halves

    def _query(self, query: str) -> list[dict[str, str]]:
        return read_bindings(self._get(settings.WIKIDATA_QUERY_URL, {"query": query, "format": "json"}))

    def get(self, address: str, asked: dict[str, Any]) -> Any:
        """Returns the response of a wiki's API. All wikis of Wikimedia share the limits."""
        return self._get(address, asked | _COMMON)

    def _get(self, address: str, asked: dict[str, Any]) -> Any:
        return self._http.get(address, asked, lambda response, body: self._judge(address, response, body))

    def _judge(self, address: str, response: httpx.Response, body: bytes) -> Any:
        status = response.status_code
        wait = retry_after(response, LONGEST_RETRY_AFTER)
        if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            raise Passing(f"{status} {excerpt(body)}", wait)
        if status == httpx.codes.FORBIDDEN:
            raise ProviderError(f"Wikidata refuses this site's requests: {excerpt(body)}")
        if status != httpx.codes.OK:
            raise AnswerRejected(f"Wikidata answered {address} with {status} {excerpt(body)}")
        content = self._http.parsed(body, address)
        _raise_reported(content.get("error") if isinstance(content, dict) else None, wait)
        return content


_COMMON: dict[str, Any] = {"format": "json", "maxlag": MAX_LAG}


def _raise_reported(error: Any, wait: float | None) -> None:
    """Raises the error that a response reports. The API reports errors with status 200."""
    if not error:
        return
    code = str(error.get("code")) if isinstance(error, dict) else ""
    said = f"{code}: {str(error.get('info'))[:200]}" if isinstance(error, dict) else str(error)[:200]
    if code in _TEMPORARY or code.startswith("internal_api_error"):
        raise Passing(said, max(wait or 0.0, MAX_LAG) if code == "maxlag" else wait)
    raise (_NoSuchItem if code == "no-such-entity" else AnswerRejected)(f"Wikidata reports {said}")


def _with_value(name: str, variable: str, values: Iterable[str]) -> str:
    listed = " ".join(f'"{value}"' for value in values)
    return f"{{ VALUES ?{variable} {{ {listed} }} ?item wdt:{name} ?{variable} }}" if listed else ""


def in_batches(values: Sequence[T], size: int, take: Callable[[Sequence[T]], dict[T, Any]]) -> dict[T, Any]:
    """Calls `take` with batches of the values and merges the results."""
    found: dict[T, Any] = {}
    for start in range(0, len(values), size):
        found |= take(values[start : start + size])
    return found


def connect() -> WikidataClient:
    """Returns a client with this site's contact: WIKIDATA_CONTACT, or the site's own URL by default."""
    site = next((origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin), "")
    limiter = limiter_of("wikidata", 1, seconds=settings.POLICY.wikidata.pause_seconds)
    return WikidataClient(limiter, contact=settings.WIKIDATA_CONTACT or site)
