"""Connections to public hosts only, all of whose operations end before a deadline."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore

from catalog.models.followed import SyncOutcome

CONNECT_SECONDS = 10.0
_NAT64 = IPv6Network("64:ff9b::/96")  # embeds an IPv4 address

Endpoint = tuple[str, int]  # an IP address and a port
Resolve = Callable[[str, int], list[Endpoint]]


class FetchFailed(Exception):
    """The address could not be fetched. `outcome` is a code, `details` fill its sentence; neither has the address."""

    def __init__(self, outcome: SyncOutcome, **details: Any) -> None:
        super().__init__(outcome.value)
        self.outcome, self.details = outcome, details


def resolve(host: str, port: int) -> list[Endpoint]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(str(endpoint[0]), port) for *_, endpoint in found]


def is_public(host: str) -> bool:
    """Returns whether an IP address belongs to the public internet, as does any IPv4 address embedded in it."""
    address = ip_address(host)
    if isinstance(address, IPv6Address):
        if address in _NAT64 or address.sixtofour or address.teredo:
            return False
        if address.ipv4_mapped:
            return _is_global(address.ipv4_mapped)
    return _is_global(address)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Returns the seconds left. Raises httpcore.ReadTimeout if there are none."""
        if (left := self._at - time.monotonic()) <= 0:
            raise httpcore.ReadTimeout
        return left


class _TimedStream(httpcore.NetworkStream):
    """A connection whose operations together must end before a deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class PublicNetwork(httpcore.NetworkBackend):
    """Connects only to hosts all of whose addresses are allowed."""

    def __init__(self, resolve: Resolve, is_allowed: Callable[[str], bool], deadline: Deadline) -> None:
        self._resolve, self._is_allowed, self._deadline = resolve, is_allowed, deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            endpoints = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(type(error).__name__) from None
        if not endpoints or not all(self._is_allowed(address) for address, _ in endpoints):
            raise FetchFailed(SyncOutcome.PRIVATE)
        return _TimedStream(self._connect(endpoints), self._deadline)

    def _connect(self, endpoints: list[Endpoint]) -> httpcore.NetworkStream:
        """Connects to the first address that answers."""
        error: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("no address")
        for address, port in endpoints:
            try:
                return self._backend.connect_tcp(address, port, min(CONNECT_SECONDS, self._deadline.left()))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error
