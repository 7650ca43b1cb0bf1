"""Client for TMDB's API (version 3), with a rate limit shared by all workers.

Retries only 429, 5xx and network errors (timeouts, broken connections).
"""

import re
from datetime import date
from typing import Any, NamedTuple, Self

import httpx
from django.conf import settings

from catalog.errors import AnswerRejected, ProviderError, RecordGone, TokenRefused
from catalog.providers.http import Passing, ProviderHTTP, error_of, excerpt, retry_after
from catalog.providers.rate_limit import RateLimiter, limiter_of
from catalog.providers.tmdb_documents import MovieDocument, MoviePage, read
from catalog.site_settings import region, tmdb_read_token

LONGEST_RETRY_AFTER = 60.0
MAX_BYTES = 4 << 20
APPENDED = "credits,keywords,release_dates,external_ids,alternative_titles"
WHERE_TO_WATCH = ",watch/providers"  # requested only by sites with a region
NOT_FOUND = 34  # TMDB's code for a missing record; a 404 without it comes from a proxy
_MOVED_TO = re.compile(r"/movie/(\d+)(?:[-/?]|$)")


class FoundMovie(NamedTuple):
    """A movie from TMDB. Its id differs from the requested one if TMDB has merged the two."""

    document: MovieDocument
    asked_id: int

    @property
    def is_merged(self) -> bool:
        return self.document.id != self.asked_id


class TMDBClient:
    """A client for TMDB's API. Thread-safe. Raises only ProviderError and its subclasses."""

    def __init__(self, *, base_url: str, token: str, limiter: RateLimiter, connections: int, region: str = "") -> None:
        self.region = region
        self._appended = APPENDED + (WHERE_TO_WATCH if region else "")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._api = ProviderHTTP(
            "TMDB", limiter, base_url=base_url, headers=headers, max_bytes=MAX_BYTES, connections=connections
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._api.__exit__(*exc_info)

    def movie(self, tmdb_id: int) -> FoundMovie:
        """Returns the movie with credits, keywords, releases, ids, other titles and offers. Makes one request."""
        content = self._get(f"movie/{tmdb_id}", {"append_to_response": self._appended})
        if isinstance(content, int):  # permanently moved to another id
            content = self._get(f"movie/{content}", {"append_to_response": self._appended})
        return FoundMovie(read(MovieDocument, content, region=self.region), tmdb_id)

    def configuration(self) -> dict[str, Any]:
        """Returns TMDB's configuration: image URLs and sizes, and the fields for which it reports changes."""
        content = self._get("configuration", {})
        if not isinstance(content, dict) or not isinstance(content.get("images"), dict):
            raise AnswerRejected("TMDB's configuration is not what it was: expected an object with `images`")
        return content

    def changes(self, *, start: date, end: date, page: int) -> MoviePage:
        return read(MoviePage, self._get("movie/changes", {"start_date": start, "end_date": end, "page": page}))

    def discover(self, *, start: date, end: date, page: int, adult: bool, min_votes: int) -> MoviePage:
        """Returns a page of movies first released from `start` to `end`, oldest first."""
        asked: dict[str, Any] = {
            "primary_release_date.gte": start,
            "primary_release_date.lte": end,
            "include_adult": adult,
            "sort_by": "primary_release_date.asc",
            "page": page,
        }
        if min_votes:
            asked["vote_count.gte"] = min_votes
        return read(MoviePage, self._get("discover/movie", asked))

    def _get(self, path: str, asked: dict[str, Any]) -> Any:
        return self._api.get(path, asked, lambda response, body: self._judge(path, response, body))

    def _judge(self, path: str, response: httpx.Response, body: bytes) -> Any:
        status = response.status_code
        if response.is_redirect:
            return _moved_to(response, path)
        if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            raise Passing(_sentence(status, body), retry_after(response, LONGEST_RETRY_AFTER))
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise TokenRefused(f"TMDB refused TMDB_READ_TOKEN ({_sentence(status, body)}); put a valid one in place.")
        if status == httpx.codes.NOT_FOUND and error_of(body).get("status_code") == NOT_FOUND:
            raise RecordGone(f"TMDB has no {path}.")
        if status != httpx.codes.OK:
            raise AnswerRejected(f"TMDB answered {path} with {_sentence(status, body)}")
        return self._api.parsed(body, path)


def _moved_to(response: httpx.Response, path: str) -> int:
    """Returns the id in a redirect. Does not follow other redirects, which would receive the token."""
    target = response.headers.get("Location", "")
    if path.startswith("movie/") and (found := _MOVED_TO.search(target)):
        return int(found[1])
    raise AnswerRejected(f"TMDB sends {path} elsewhere ({response.status_code})")


def _sentence(status: int, body: bytes) -> str:
    found = error_of(body)
    said = found.get("status_message") or found.get("errors") or excerpt(body)
    return f"{status} {str(said)[:200]}".strip().rstrip(".")


def connect() -> TMDBClient:
    """Returns a client configured by the settings. Raises ProviderError if TMDB is not set up."""
    token = tmdb_read_token()
    if not token:
        raise ProviderError("TMDB_READ_TOKEN is not set; it is TMDB's API read access token (see docs/tmdb.md).")
    policy = settings.POLICY.tmdb
    limiter = limiter_of("tmdb", policy.requests_per_second)
    return TMDBClient(
        base_url=settings.TMDB_API_URL,
        token=token,
        limiter=limiter,
        connections=policy.connections,
        region=region(),
    )
