"""Gunicorn's threaded worker, whose threads wait for no request: they get those that have arrived completely.

The loop that accepts connections receives them, from any number of clients of any pace. A thread waits only for who
reads slowly, and only with the part of an answer that the socket's buffer has no room for. The pages for operators have
threads of their own, however busy the others are. docs/adr/0009-slow-clients.md compares this with other servers.
"""

import resource
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from socket import SO_SNDBUF, SOL_SOCKET, socket
from tempfile import SpooledTemporaryFile
from typing import Any

import h11
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from gunicorn.http import get_parser
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

MB = 1 << 20
CHUNK = 64 << 10
IN_MEMORY = 256 << 10  # bytes of a request; a longer one is kept in a file
SECONDS = 20.0  # for a request to arrive, and one more for each
BYTES_A_SECOND = 1 << 10  # that are kept
MAX_SECONDS = 600.0  # 32 MB at half a megabit a second
REQUESTS_KEPT = 8  # of the largest size, by a process at a time; beyond, the oldest is dropped
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
        return self._started + min(SECONDS + self.n_kept / BYTES_A_SECOND, MAX_SECONDS)

    @property
    def path(self) -> bytes:
        """The path in the first line; it may lack its end where that came later."""
        return self._first.partition(b" ")[2].partition(b" ")[0].partition(b"?")[0]

    def add(self, data: bytes, client: socket) -> None:
        self.is_cut = self.is_cut or self.n_kept + len(data) > self._max_kept
        self.n_kept += 0 if self.is_cut else len(data)
        if not self._first:
            self._first = data
            if data.partition(BLANK_LINE)[1:] == (BLANK_LINE, b"") and not _has_body(data):
                self.is_complete = True  # as nearly all requests; h11 would take a tenth of a millisecond
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


def _has_body(head: bytes) -> bool:
    lower = head.lower()
    return b"\ncontent-length" in lower or b"\ntransfer-encoding" in lower


class Worker(ThreadWorker):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.receiving: dict[Connection, None] = {}  # the oldest first
        self.n_kept = 0  # bytes of all requests, also of those that threads have
        self._swept = time.monotonic()

    def init_process(self) -> None:
        self.max_kept = _largest_body() + MB  # room for the head and the rest of a form
        allow_many_files()
        self.probes = {path.encode(): ThreadPoolExecutor(1) for path in settings.PROBES}
        for listener in self.sockets:  # the sockets that it accepts inherit this
            listener.sock.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        super().init_process()

    def accept(self, listener: Any) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was faster, or the client is gone
            return
        except OSError as error:  # too many files are open
            if self.receiving:
                self.log.warning("A connection was dropped for a new one: %s", error)
                self._drop_oldest()
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections and self.receiving:
            self._drop_oldest()  # or new clients could not connect
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Called when a connection is new, and when it is used again; mostly, all of the request is there."""
        conn.incoming = Incoming(self.max_kept)
        if self._must_wait(conn, conn.sock):
            self.receiving[conn] = None
            self.poller.register(conn.sock, EVENT_READ, partial(self._go_on, conn))

    def _go_on(self, conn: Connection, client: socket) -> None:
        if conn not in self.receiving:  # dropped since this event was reported
            return
        self._must_wait(conn, client)
        while self.n_kept > REQUESTS_KEPT * self.max_kept and self.receiving:
            self._drop_oldest()

    def _must_wait(self, conn: Connection, client: socket) -> bool:
        """Receives what is there; at the end of a request hands it to a thread."""
        try:
            if data := client.recv(CHUNK):
                self._add(conn, data)
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

    def _add(self, conn: Connection, data: bytes) -> None:
        before = conn.incoming.n_kept
        try:
            conn.incoming.add(data, conn.sock)
        finally:
            self.n_kept += conn.incoming.n_kept - before

    def _dispatch(self, conn: Connection) -> None:
        pool: ThreadPoolExecutor = self.probes.get(conn.incoming.path) or self.tpool
        conn.parser = get_parser(self.cfg, conn.incoming.chunks(), conn.client)
        conn.initialized = True  # has a parser
        done = pool.submit(self.handle, conn)
        done.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, conn, future))

    def handle_request(self, req: Request, conn: Connection) -> bool:
        if conn.incoming.is_followed or conn.incoming.is_cut:
            req.force_close()
        conn.sock.settimeout(SEND_SECONDS)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError:
            self.log.info("%s did not read a part of its answer within %s s.", conn.client, SEND_SECONDS)
            return False

    def finish_request(self, conn: Connection, future: "Future[Any]") -> None:
        self._forget(conn)
        super().finish_request(conn, future)

    def murder_pending(self) -> None:
        """Called each second at least: drops requests that are too slow, and all at the worker's end."""
        now = time.monotonic()
        if self.alive and now - self._swept < 1:
            return
        self._swept = now
        for conn in [conn for conn in self.receiving if not self.alive or conn.incoming.deadline < now]:
            self._drop(conn)

    def _drop_oldest(self) -> None:
        self._drop(next(iter(self.receiving)))

    def _drop(self, conn: Connection) -> None:
        self._stop_receiving(conn)
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _stop_receiving(self, conn: Connection) -> None:
        if conn in self.receiving:
            del self.receiving[conn]
            self.poller.unregister(conn.sock)

    def _forget(self, conn: Connection) -> None:
        self.n_kept -= conn.incoming.n_kept
        conn.incoming.close()


def _largest_body() -> int:
    """The most bytes that a page reads. More is received and dropped: without that, browsers show no refusal."""
    megabytes = max(settings.POLICY.imports.max_upload_mb, settings.POLICY.bulk.max_upload_mb)
    return max(megabytes * MB, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def allow_many_files() -> None:
    """A process may have as many files open as the system lets it: two for each connection."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(OSError, ValueError):  # systems that say "unlimited" and refuse it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
