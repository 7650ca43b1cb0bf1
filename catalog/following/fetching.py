"""Fetches addresses that users entered: only from public hosts over https, bounded in size, time and redirects.

A host name is resolved once. Every address that it resolves to must be public, and the connection is made to the very
address that was checked, with the certificate checked for the name. Each redirect is checked in the same way.
"""

import re
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import quote, urljoin, urlsplit

import httpcore
from django.conf import settings
from django.utils import timezone

from catalog.following.public_network import Deadline, FetchFailed, PublicNetwork, Resolve, is_public, resolve
from catalog.models.followed import SyncOutcome
from catalog.policy import MB

MAX_REDIRECTS = 3
LONGEST_WAIT = 24 * 3600  # seconds of a Retry-After that are followed
USER_AGENT = "Movierec (follows a list for its owner)"
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Reply:
    """A response with status 200, or 304 if nothing has changed. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Fetcher:
    """An HTTP client. Tests pass their own resolver, allowed addresses and certificates."""

    resolve: Resolve = resolve
    is_allowed: Callable[[str], bool] = is_public
    ssl_context: ssl.SSLContext | None = None

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Fetches an https address, following redirects. Raises FetchFailed.

        Other hosts than the first get none of the `headers`.
        """
        seconds = settings.POLICY.following.max_seconds
        deadline, first, sent = Deadline(seconds), urlsplit(address).netloc, dict(headers or {})
        try:
            for _ in range(MAX_REDIRECTS + 1):
                reply = self._ask(address, sent if urlsplit(address).netloc == first else {}, deadline)
                if reply.status not in _REDIRECTS or "location" not in reply.headers:
                    return _checked(reply)
                address = urljoin(address, reply.headers["location"])
        except httpcore.TimeoutException:
            raise FetchFailed(SyncOutcome.TOO_SLOW, seconds=f"{seconds:g}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError, UnicodeError, ValueError):
            raise FetchFailed(SyncOutcome.UNREACHABLE) from None
        raise FetchFailed(SyncOutcome.REDIRECTED, n=MAX_REDIRECTS)

    def _ask(self, address: str, headers: Mapping[str, str], deadline: Deadline) -> Reply:
        url = _url_of(address)
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        network = PublicNetwork(self.resolve, self.is_allowed, deadline)
        context = self.ssl_context or httpcore.default_ssl_context()
        with (
            httpcore.ConnectionPool(ssl_context=context, network_backend=network) as pool,
            pool.stream("GET", url, headers=list(sent.items())) as response,
        ):
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            has_body = response.status == 200
            return Reply(response.status, found, _body(response, found, deadline) if has_body else b"")


def _url_of(address: str) -> httpcore.URL:
    """Returns the address in the form that is sent, its host name in ASCII. Raises FetchFailed if it is not https."""
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        raise FetchFailed(SyncOutcome.REDIRECTED, n=MAX_REDIRECTS)
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode("ascii")
    as_written = partial(quote, safe="/%:@!$&'()*+,;=~?-._[]")
    target = as_written(parts.path or "/") + (f"?{as_written(parts.query)}" if parts.query else "")
    return httpcore.URL(scheme=b"https", host=host.encode(), port=parts.port, target=target.encode())


def _body(response: httpcore.Response, headers: Mapping[str, str], deadline: Deadline) -> bytes:
    """Reads at most the permitted size, before and after decompression."""
    limit = settings.POLICY.imports.max_upload_mb * MB
    body = bytearray()
    for block in response.iter_stream():
        deadline.left()
        body += block
        if len(body) > limit:
            raise FetchFailed(SyncOutcome.TOO_LARGE, limit=limit // MB)
    encoding = headers.get("content-encoding", "identity").strip().lower()
    return bytes(body) if encoding in ("identity", "") else _unpacked(bytes(body), encoding, limit)


def _unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """Decompresses an answer that is compressed although that was not requested."""
    if encoding != "gzip":
        raise FetchFailed(SyncOutcome.UNKNOWN_FORMAT)
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(body, limit + 1)
    except zlib.error:
        raise FetchFailed(SyncOutcome.UNKNOWN_FORMAT) from None
    if len(unpacked) > limit:
        raise FetchFailed(SyncOutcome.TOO_LARGE, limit=limit // MB)
    return unpacked


def _checked(reply: Reply) -> Reply:
    if reply.status in (200, 304):
        return reply
    if reply.status in (429, 503) and (seconds := _wait_of(reply.headers.get("retry-after", ""))) is not None:
        raise FetchFailed(SyncOutcome.POSTPONED, seconds=seconds)
    if reply.status in (404, 410):
        raise FetchFailed(SyncOutcome.NOT_FOUND)
    if reply.status in (401, 403):
        raise FetchFailed(SyncOutcome.REFUSED)
    raise FetchFailed(SyncOutcome.STATUS, status=reply.status)


def _wait_of(text: str) -> float | None:
    """Returns the seconds of a Retry-After header; None if it is missing or invalid."""
    if re.fullmatch(r"\d{1,6}", text.strip()):
        return min(float(text), LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(text) - timezone.now()).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


FETCHER = Fetcher()
