"""Requests and responses in transit, while clients send or read them at any pace."""

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
IN_MEMORY = 256 << 10  # bytes of a request or an answer; a longer one is kept in a file
SECONDS = 20.0  # for a request to arrive or an answer to be read, and one more for each
BYTES_A_SECOND = 1 << 10  # that are kept
MAX_SECONDS = 600.0  # 32 MB at half a megabit a second
BLANK_LINE = b"\r\n\r\n"
# The headers that say where a request ends, and one that asks for an answer before.
_FRAMING = re.compile(
    rb"\n(content-length:[ \t]*([0-9]{1,9})[ \t]*\r|transfer-encoding|content-length|expect)", re.IGNORECASE
)


class Incoming:
    """What has arrived of a request."""

    def __init__(self, max_kept: int) -> None:
        self.is_complete = False
        self.is_followed = False  # by bytes of another request, which are lost: the answer closes the connection
        self.is_cut = False
        self.n_kept = 0
        self._max_kept = max_kept  # bytes; the rest is dropped
        self._first = b""
        # For a request that does not come at once.
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._framing: h11.Connection | None = None
        self._started = time.monotonic()

    @property
    def deadline(self) -> float:
        return _deadline(self._started, self.n_kept)

    @property
    def path(self) -> bytes:
        """The path in the first line; it may lack its end where that came later."""
        return self._first.partition(b" ")[2].partition(b" ")[0].partition(b"?")[0]

    def add(self, data: bytes, client: socket) -> None:
        self.is_cut = self.is_cut or self.n_kept + len(data) > self._max_kept
        self.n_kept += 0 if self.is_cut else len(data)
        if not self._first:
            self._first = data
            if not self.is_cut and _is_one_request(data):
                self.is_complete = True  # as nearly all requests; h11 and a file would take a fifth of a millisecond
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
            self.is_complete = True  # gunicorn's own parser tells the client what is wrong

    def chunks(self) -> Iterator[bytes]:
        """Reads the request, once.

        Raises:
            RequestDataTooBig: where the rest was dropped; gunicorn would take the end for the body's.
        """
        if self._file is None:
            return iter([self._first])
        self._file.seek(0)
        return iter(partial(self._read, self._file), b"")  # no generator: that would end after it raised

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
    """An answer, sent as gunicorn writes it; what the client does not read at once is kept, and no thread waits."""

    def __init__(self, client: socket) -> None:
        self.n_kept = 0
        self._client = client
        self._parts: list[bytes] = []  # small ones are sent together
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
        """The client's time begins: what it has not read yet is sent from here on."""
        self._started = time.monotonic()
        if self._file is not None:
            self._file.seek(0)

    def send_more(self) -> bool:
        """Sends what the client has room for; returns whether that was the last."""
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
    """Whether this is plainly a whole request and nothing else; h11 follows those where it takes a closer look."""
    head, end, body = data.partition(BLANK_LINE)
    framing = _FRAMING.findall(head + b"\r")
    if not end or len(framing) > 1:
        return False
    return len(body) == int(framing[0][1] or -1) if framing else not body
