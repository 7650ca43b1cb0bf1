"""Gunicorn's threaded worker, whose threads never wait for a client: they get requests that have arrived completely.

The loop that accepts connections receives them, from any number of clients of any pace. The pages for operators have
threads of their own, however busy the others are. docs/adr/0009-slow-clients.md compares this with other servers.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from socket import SO_SNDBUF, SOL_SOCKET, socket
from tempfile import SpooledTemporaryFile
from typing import Any

import h11
from django.conf import settings
from gunicorn.http import get_parser
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

MB = 1 << 20
CHUNK = 64 << 10
IN_MEMORY = 256 << 10  # bytes of a request; a longer one is kept in a file
SECONDS = 20.0  # for a request to arrive, and one more for each
BYTES_A_SECOND = 1 << 10  # that have come
SEND_SECONDS = 10.0  # for a client to read a part of an answer that does not fit in SEND_BUFFER
SEND_BUFFER = 1 << 20
BLANK_LINE = b"\r\n\r\n"


class Connection(TConn):
    incoming: "Incoming"

    def close(self, graceful: bool = False) -> None:
        """Closes at once. Gunicorn would have all clients wait up to 2 s for this one to close its side."""
        super().close()


class Incoming:
    """What has arrived of a request."""

    def __init__(self, max_kept: int) -> None:
        self.is_complete = False
        self.is_followed = False  # by bytes of another request, which are lost: the answer closes the connection
        self._max_kept = max_kept  # bytes; more is dropped
        self._n_bytes = 0
        self._first = b""
        # For a request that does not come at once.
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._framing: h11.Connection | None = None
        self._started = time.monotonic()

    @property
    def deadline(self) -> float:
        return self._started + SECONDS + self._n_bytes / BYTES_A_SECOND

    @property
    def path(self) -> bytes:
        """The path in the first line; it may lack its end where that came later."""
        return self._first.partition(b" ")[2].partition(b" ")[0].partition(b"?")[0]

    def add(self, data: bytes, client: socket) -> None:
        self._n_bytes += len(data)
        if not self._first:
            self._first = data
            if data.find(BLANK_LINE) == len(data) - len(BLANK_LINE) and not _has_body(data):
                self.is_complete = True  # as nearly all requests; h11 would take a tenth of a millisecond
                return
            self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 # closed when read
            self._framing = h11.Connection(h11.SERVER, max_incomplete_event_size=MB)
        assert self._file is not None and self._framing is not None
        if self._n_bytes <= self._max_kept:
            self._file.write(data)
        try:
            self._framing.receive_data(data)
            self._follow(self._framing, client)
        except h11.RemoteProtocolError:
            self.is_complete = True  # gunicorn's own parser tells the client what is wrong

    def chunks(self) -> Iterator[bytes]:
        """Reads the request, once."""
        if self._file is None:
            yield self._first
            return
        self._file.seek(0)
        with self._file:
            while chunk := self._file.read(CHUNK):
                yield chunk

    def _follow(self, framing: h11.Connection, client: socket) -> None:
        event = framing.next_event()
        while isinstance(event, h11.Request | h11.Data):
            if framing.they_are_waiting_for_100_continue and isinstance(event, h11.Request):
                client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            event = framing.next_event()
        if isinstance(event, h11.EndOfMessage):
            self.is_complete, self.is_followed = True, bool(framing.trailing_data[0])


def _has_body(head: bytes) -> bool:
    lower = head.lower()
    return b"\ncontent-length" in lower or b"\ntransfer-encoding" in lower


class Worker(ThreadWorker):
    def init_process(self) -> None:
        self.receiving: dict[Connection, None] = {}  # the oldest first
        self._swept = time.monotonic()
        # The site refuses more by its stated length. It is received all the same, or browsers would show no answer.
        self.max_kept = (settings.POLICY.imports.max_upload_mb + 1) * MB
        self.probes = {path.encode(): ThreadPoolExecutor(1) for path in settings.PROBES}
        for listener in self.sockets:  # the sockets that it accepts inherit this
            listener.sock.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        super().init_process()

    def accept(self, listener: Any) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was faster, or the client is gone
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections and self.receiving:
            self._drop(next(iter(self.receiving)))  # rather than let nobody in any more
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Called when a connection is new, and when it is used again; mostly, all of the request is there."""
        conn.incoming = Incoming(self.max_kept)
        if self._must_wait(conn, conn.sock):
            self.receiving[conn] = None
            self.poller.register(conn.sock, EVENT_READ, partial(self._must_wait, conn))

    def _must_wait(self, conn: Connection, client: socket) -> bool:
        """Receives what is there; at the end of a request hands it to a thread."""
        try:
            if data := client.recv(CHUNK):
                conn.incoming.add(data, client)
        except BlockingIOError:
            return True
        except OSError:  # the client is gone, or the disk is full
            data = b""
        if data and not conn.incoming.is_complete:
            return True
        if data:
            self._stop_receiving(conn)
            self._dispatch(conn)
        else:
            self._drop(conn)
        return False

    def _dispatch(self, conn: Connection) -> None:
        pool: ThreadPoolExecutor = self.probes.get(conn.incoming.path) or self.tpool
        conn.parser = get_parser(self.cfg, conn.incoming.chunks(), conn.client)
        conn.initialized = True  # has a parser
        done = pool.submit(self.handle, conn)
        done.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, conn, future))

    def handle_request(self, req: Request, conn: Connection) -> bool:
        if conn.incoming.is_followed:
            req.force_close()
        conn.sock.settimeout(SEND_SECONDS)
        return bool(super().handle_request(req, conn))

    def murder_pending(self) -> None:
        """Called each second at least: drops requests that are too slow, and all at the worker's end."""
        now = time.monotonic()
        if self.alive and now - self._swept < 1:
            return
        self._swept = now
        for conn in [conn for conn in self.receiving if not self.alive or conn.incoming.deadline < now]:
            self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self._stop_receiving(conn)
        self.nr_conns -= 1
        conn.close()

    def _stop_receiving(self, conn: Connection) -> None:
        if conn in self.receiving:
            del self.receiving[conn]
            self.poller.unregister(conn.sock)
