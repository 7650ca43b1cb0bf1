"""HTTP requests to metadata providers, with retries, a rate limit, and limits on size and time.

Only temporary errors are retried: timeouts, broken connections, and errors that the provider's module raises as
Passing.
"""

import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
from django.utils import timezone
from redis.exceptions import RedisError

from catalog.errors import AnswerRejected, ProviderUnavailable
from catalog.providers.rate_limit import RateLimiter
from catalog.retries import RetryingCaller
from catalog.safe_json import InvalidJSON, parse_json

ATTEMPTS = 6
LONGEST_BACKOFF = 20.0
TIMEOUT = httpx.Timeout(10, connect=5)
DEADLINE = 30.0  # for the whole response, because a slow trickle of bytes would never time out
_RETRY = RetryingCaller(attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=LONGEST_BACKOFF)

Judge = Callable[[httpx.Response, bytes], Any]


class Passing(Exception):
    """A temporary error, with the delay in seconds if the server sent one."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderHTTP:
    """An HTTP client for one provider. Thread-safe. Raises only ProviderError and its subclasses."""

    def __init__(
        self,
        provider: str,
        limiter: RateLimiter,
        *,
        headers: dict[str, str],
        max_bytes: int,
        base_url: str = "",  # if empty, paths are absolute URLs
        connections: int = 1,
    ) -> None:
        self.provider = provider
        self.max_bytes = max_bytes
        self._limiter = limiter
        self.http = httpx.Client(
            base_url=base_url.rstrip("/") + "/" if base_url else "",
            headers=headers,
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.http.close()

    def get(self, path: str, asked: dict[str, Any], judge: Judge) -> Any:
        """Returns the result of `judge` for the response.

        `judge` raises Passing to request another attempt, or a ProviderError.
        """
        try:
            return _RETRY.on(self._may_pass)(self._ask_once, path, asked, judge)
        except httpx.DecodingError as error:
            raise AnswerRejected(f"{self.provider}'s answer to {path} cannot be unpacked: {error}") from None
        except (httpx.HTTPError, Passing) as error:
            raise ProviderUnavailable(
                f"{self.provider} did not answer {path} after {ATTEMPTS} attempts: {str(error) or type(error).__name__}"
            ) from None
        except RedisError as error:
            raise ProviderUnavailable(f"Redis, which holds the limit of requests, does not answer: {error}") from None

    def is_reachable(self, path: str, asked: dict[str, Any]) -> bool:
        """Returns whether the server responds at all, even with an error. Makes one attempt."""
        try:
            with self._limiter.slot(), self.http.stream("GET", path, params=asked):
                return True
        except (httpx.HTTPError, RedisError):
            return False

    def _may_pass(self, error: Exception) -> bool | float:
        """Returns whether to retry: True for the usual delay, or the delay in seconds."""
        if not isinstance(error, Passing):
            return isinstance(error, httpx.TransportError)
        if error.retry_after is None:
            return True
        self._limiter.pause(error.retry_after)
        return error.retry_after

    def _ask_once(self, path: str, asked: dict[str, Any], judge: Judge) -> Any:
        with self._limiter.slot(), self.http.stream("GET", path, params=asked) as response:
            body = self._bounded(response)
        return judge(response, body)

    def _bounded(self, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + DEADLINE
        body = bytearray()
        for block in response.iter_bytes():
            body += block
            if len(body) > self.max_bytes:
                raise AnswerRejected(f"{self.provider}'s answer is larger than {self.max_bytes / (1 << 20):g} MB")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"not received within {DEADLINE:g} seconds")
        return bytes(body)

    def parsed(self, body: bytes, path: str) -> Any:
        """Parses the response as JSON. Raises AnswerRejected."""
        try:
            return parse_json(body, lenient=True)
        except InvalidJSON as error:
            raise AnswerRejected(f"{self.provider}'s answer to {path} is not JSON ({error}): {excerpt(body)}") from None


def retry_after(response: httpx.Response, longest: float) -> float | None:
    """Returns the Retry-After header in seconds, at most `longest`, or None if it is missing or invalid."""
    text = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,6}(\.\d+)?", text):
        return min(float(text), longest)
    try:
        moment = parsedate_to_datetime(text)
        return min(max((moment - timezone.now()).total_seconds(), 0.0), longest)
    except (ValueError, TypeError):  # not a date, or a date without a time zone
        return None


def excerpt(body: bytes) -> str:
    return repr(body[:60].decode(errors="replace")) if body else "an empty answer"


def error_of(body: bytes) -> dict[str, Any]:
    """Returns the JSON object of an error response, or an empty dict if there is none."""
    try:
        found = parse_json(body, lenient=True)
    except InvalidJSON:
        return {}
    return found if isinstance(found, dict) else {}
