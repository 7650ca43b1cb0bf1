"""Client for TMDB's API (version 3), with a rate limit shared by all workers.

Only 429, 5xx and network errors (time-outs, broken connections) are retried.
"""

import re
import time
from datetime import date
from typing import Any, NamedTuple, Self

import httpx
from django.conf import settings
from redis.exceptions import RedisError

from catalog.errors import AnswerRejected, ProviderError, ProviderUnavailable, RecordGone, TokenRefused
from catalog.providers.rate_limit import FileRateLimiter, RateLimiter, RedisRateLimiter
from catalog.providers.tmdb_documents import MovieDocument, MoviePage, read
from catalog.retries import RetryingCaller
from catalog.safe_json import InvalidJSON, parse_json
from catalog.site_settings import tmdb_read_token

ATTEMPTS = 6
LONGEST_BACKOFF = 20.0
LONGEST_RETRY_AFTER = 60.0
TIMEOUT = httpx.Timeout(10, connect=5)
DEADLINE = 30.0  # for one whole answer, since a slow trickle never times out otherwise
MAX_BYTES = 4 << 20
APPENDED = "credits,keywords,release_dates,external_ids,alternative_titles"
_RETRY = RetryingCaller(attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=LONGEST_BACKOFF)
NOT_FOUND = 34  # TMDB's code for a missing record; a 404 without it comes from a proxy
_MOVED_TO = re.compile(r"/movie/(\d+)(?:[-/?]|$)")


class _Passing(Exception):
    """A temporary error, with the seconds to wait if the server gave them."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FoundMovie(NamedTuple):
    """A movie; it has another id than the requested one if TMDB merged that into another."""

    document: MovieDocument
    asked_id: int

    @property
    def is_merged(self) -> bool:
        return self.document.id != self.asked_id


class TMDBClient:
    """Thread-safe. Raises only ProviderError and its subclasses."""

    def __init__(self, *, base_url: str, token: str, limiter: RateLimiter, connections: int) -> None:
        self._limiter = limiter
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()

    def movie(self, tmdb_id: int) -> FoundMovie:
        """The movie with credits, keywords, releases, external ids and alternative titles, in one request."""
        content = self._get(f"movie/{tmdb_id}", {"append_to_response": APPENDED})
        if isinstance(content, int):  # permanently moved to another id
            content = self._get(f"movie/{content}", {"append_to_response": APPENDED})
        return FoundMovie(read(MovieDocument, content), tmdb_id)

    def configuration(self) -> dict[str, Any]:
        """TMDB's configuration: image addresses and sizes, and the fields that it reports changes of."""
        content = self._get("configuration", {})
        if not isinstance(content, dict) or not isinstance(content.get("images"), dict):
            raise AnswerRejected("TMDB's configuration is not what it was: expected an object with `images`")
        return content

    def changes(self, *, start: date, end: date, page: int) -> MoviePage:
        return read(MoviePage, self._get("movie/changes", {"start_date": start, "end_date": end, "page": page}))

    def discover(self, *, start: date, end: date, page: int, adult: bool, min_votes: int) -> MoviePage:
        """Movies first released from `start` to `end`, oldest first."""
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
        try:
            return _RETRY.on(self._may_pass)(self._ask_once, path, asked)
        except httpx.DecodingError as error:
            raise AnswerRejected(f"TMDB's answer to {path} cannot be unpacked: {error}") from None
        except (httpx.HTTPError, _Passing) as error:
            raise ProviderUnavailable(
                f"TMDB did not answer {path} after {ATTEMPTS} attempts: {str(error) or type(error).__name__}"
            ) from None
        except RedisError as error:
            raise ProviderUnavailable(f"Redis, which holds the limit of requests, does not answer: {error}") from None

    def _may_pass(self, error: Exception) -> bool | float:
        """Whether to retry: True after the usual pause, a number after that many seconds."""
        if not isinstance(error, _Passing):
            return isinstance(error, httpx.TransportError)
        if error.retry_after is None:
            return True
        self._limiter.pause(error.retry_after)
        return error.retry_after

    def _ask_once(self, path: str, asked: dict[str, Any]) -> Any:
        with self._limiter.slot(), self._http.stream("GET", path, params=asked) as response:
            body = _bounded(response)
        status = response.status_code
        if response.is_redirect:
            return _moved_to(response, path)
        if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            raise _Passing(_sentence(status, body), _retry_after(response))
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise TokenRefused(f"TMDB refused TMDB_READ_TOKEN ({_sentence(status, body)}); put a valid one in place.")
        if status == httpx.codes.NOT_FOUND and _error(body).get("status_code") == NOT_FOUND:
            raise RecordGone(f"TMDB has no {path}.")
        if status != httpx.codes.OK:
            raise AnswerRejected(f"TMDB answered {path} with {_sentence(status, body)}")
        try:
            return parse_json(body, lenient=True)
        except InvalidJSON as error:
            raise AnswerRejected(f"TMDB's answer to {path} is not JSON ({error}): {_excerpt(body)}") from None


def _bounded(response: httpx.Response) -> bytes:
    deadline = time.monotonic() + DEADLINE
    body = bytearray()
    for block in response.iter_bytes():
        body += block
        if len(body) > MAX_BYTES:
            raise AnswerRejected(f"TMDB's answer is larger than {MAX_BYTES >> 20} MB")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout(f"not received within {DEADLINE:g} seconds")
    return bytes(body)


def _moved_to(response: httpx.Response, path: str) -> int:
    """The id in a redirect. Redirects elsewhere are not followed, since they would get the token."""
    target = response.headers.get("Location", "")
    if path.startswith("movie/") and (found := _MOVED_TO.search(target)):
        return int(found[1])
    raise AnswerRejected(f"TMDB sends {path} elsewhere ({response.status_code})")


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, within bounds. A date, which TMDB does not send, is ignored."""
    text = response.headers.get("Retry-After", "").strip()
    return min(float(text), LONGEST_RETRY_AFTER) if re.fullmatch(r"\d{1,6}(\.\d+)?", text) else None


def _error(body: bytes) -> dict[str, Any]:
    try:
        found = parse_json(body, lenient=True)
    except InvalidJSON:
        return {}
    return found if isinstance(found, dict) else {}


def _sentence(status: int, body: bytes) -> str:
    found = _error(body)
    said = found.get("status_message") or found.get("errors") or _excerpt(body)
    return f"{status} {str(said)[:200]}".strip().rstrip(".")


def _excerpt(body: bytes) -> str:
    return repr(body[:60].decode(errors="replace")) if body else "an empty answer"


def connect() -> TMDBClient:
    """A client configured by settings. Raises ProviderError if TMDB is not set up."""
    token = tmdb_read_token()
    if not token:
        raise ProviderError("TMDB_READ_TOKEN is not set; it is TMDB's API read access token (see docs/tmdb.md).")
    policy = settings.POLICY.tmdb
    limiter: RateLimiter
    if settings.REDIS_URL:
        limiter = RedisRateLimiter(policy.requests_per_second, settings.REDIS_URL, f"{settings.REDIS_PREFIX}:tmdb")
    else:
        limiter = FileRateLimiter(policy.requests_per_second, settings.VAR_DIR / "tmdb-rate-limit")
    return TMDBClient(base_url=settings.TMDB_API_URL, token=token, limiter=limiter, connections=policy.connections)
