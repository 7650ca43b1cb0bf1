"""Requests and responses in transit. Clients may send and read them at any speed."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from socket import MSG_DONTWAIT, socket
from tempfile import SpooledTemporaryFile
from typing import Any

import h11
from django.core.exceptions import RequestDataTooBig

from catalog.policy import MB

CHUNK = 64 << 10
IN_MEMORY = 256 << 10  # bytes of a request or response kept in memory; longer ones are kept in a file
SECONDS = 20.0  # base time limit for a request to arrive or a response to be read
BYTES_A_SECOND = 1 << 10  # the limit is extended by a second for each of this many kept bytes
MAX_SECONDS = 600.0  # longest time limit; enough for 32 MB at half a megabit per second
BLANK_LINE = b"\r\n\r\n"
# Headers that delimit the body of a request, and Expect, which asks for an interim response before the body.
_FRAMING = re.compile(
    rb"\n(content-length:[ \t]*([0-9]{1,9})[ \t]*\r|transfer-encoding|content-length|expect)", re.IGNORECASE
)


class Incoming:
    """The received part of a request."""

    def __init__(self, max_kept: int) -> None:
        self.is_complete = False
        self.is_followed = False  # whether another request follows; its bytes are lost, so the connection is closed
        self.is_cut = False
        self.n_kept = 0
        self._max_kept = max_kept  # bytes; the rest is discarded
        self._first = b""
        # used for a request that arrives in parts
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._framing: h11.Connection | None = None
        self._started = time.monotonic()

    @property
    def deadline(self) -> float:
        return _deadline(self._started, self.n_kept)

    @property
    def path(self) -> bytes:
        """The path in the request line. It may be cut off if it is incomplete."""
        return self._first.partition(b" ")[2].partition(b" ")[0].partition(b"?")[0]

    def add(self, data: bytes, client: socket) -> None:
        self.is_cut = self.is_cut or self.n_kept + len(data) > self._max_kept
        self.n_kept += 0 if self.is_cut else len(data)
        if not self._first:
            self._first = data
            if not self.is_cut and _is_one_request(data):
                self.is_complete = True  # the usual case, handled faster than by h11 and a file
                return
            self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 # closed when read
            self._framing = h11.Connection(h11.SERVER, max_incomplete_event_size=MB)
        assert self._file is not None and self._framing is not None
        if not self.is_cut:
            self._file.write(data)
        try:
            self._framing.receive_data(data)
            self._follow(self._framing, client)
        except h11.RemoteProtocolError:
            self.is_complete = True  # gunicorn's own parser sends the error to the client

    def chunks(self) -> Iterator[bytes]:
        """Return an iterator over the request, which can be read once.

        Raises RequestDataTooBig at the end of a request that was partly discarded, because gunicorn would take this for
        the end of the body.
        """
        if self._file is None:
            return iter([self._first])
        self._file.seek(0)
        return iter(partial(self._read, self._file), b"")  # not a generator, which would be exhausted after raising

    def _read(self, file: "SpooledTemporaryFile[bytes]") -> bytes:
        chunk = file.read(CHUNK)
        if self.is_cut and not chunk:
            raise RequestDataTooBig(f"A request is larger than {self._max_kept:,} bytes.")
        return chunk

    def close(self) -> None:
        self.n_kept = 0
        if self._file is not None:
            self._file.close()

    def _follow(self, framing: h11.Connection, client: socket) -> None:
        event = framing.next_event()
        while isinstance(event, h11.Request | h11.Data):
            if framing.they_are_waiting_for_100_continue and isinstance(event, h11.Request):
                client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            event = framing.next_event()
        if isinstance(event, h11.EndOfMessage):
            self.is_complete, self.is_followed = True, bool(framing.trailing_data[0])


class Outgoing:
    """A response, sent as gunicorn writes it. Keeps data that the client does not read yet, so that no thread waits."""

    def __init__(self, client: socket) -> None:
        self.n_kept = 0
        self._client = client
        self._parts: list[bytes] = []  # small parts, to be sent together
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._chunk = b""
        self._started = time.monotonic()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    @property
    def deadline(self) -> float:
        return _deadline(self._started, self.n_kept)

    def sendall(self, data: bytes) -> None:
        self._parts.append(data)
        if len(data) >= CHUNK or len(self._parts) >= 32:
            self.flush()

    def flush(self) -> None:
        data = b"".join(self._parts)
        self._parts.clear()
        if self._file is None:
            with suppress(BlockingIOError):
                data = data[self._client.send(data, MSG_DONTWAIT) :]
        if data:
            self._file = self._file or SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 # closed when sent
            self._file.write(data)
            self.n_kept += len(data)

    def rewind(self) -> None:
        """Start the client's time limit and prepare to send the kept data."""
        self._started = time.monotonic()
        if self._file is not None:
            self._file.seek(0)

    def send_more(self) -> bool:
        """Send as much as the client accepts now. Return whether everything has been sent."""
        assert self._file is not None
        self._chunk = self._chunk or self._file.read(CHUNK)
        with suppress(BlockingIOError):
            self._chunk = self._chunk[self._client.send(self._chunk, MSG_DONTWAIT) :]
        return not self._chunk and self._file.tell() == self.n_kept

    def close(self) -> None:
        self.n_kept = 0
        if self._file is not None:
            self._file.close()


def _deadline(started: float, n_kept: int) -> float:
    return started + min(SECONDS + n_kept / BYTES_A_SECOND, MAX_SECONDS)


def _is_one_request(data: bytes) -> bool:
    """Return whether the data is clearly exactly one complete request. Unclear cases are parsed by h11."""
    head, end, body = data.partition(BLANK_LINE)
    framing = _FRAMING.findall(head + b"\r")
    if not end or len(framing) > 1:
        return False
    return len(body) == int(framing[0][1] or -1) if framing else not body
