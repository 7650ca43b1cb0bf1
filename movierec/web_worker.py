"""Gunicorn's threaded worker, changed so that threads never wait for clients. They get only complete requests.

The loop that accepts connections also receives requests from any number of clients at any speed. It sends the rest of
responses that clients read slowly, and refuses requests that the threads could not start in time. The pages for
operators have dedicated threads, so they respond even if all others are busy. docs/adr/0009-slow-clients.md compares
this with other servers.
"""

import resource
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib import import_module
from selectors import EVENT_READ, EVENT_WRITE
from socket import MSG_DONTWAIT, MSG_PEEK, SO_SNDBUF, SOL_SOCKET, socket
from typing import Any

from django.conf import settings
from django.utils.log import configure_logging
from gunicorn.glogging import Logger
from gunicorn.http import get_parser
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from catalog.policy import MB
from movierec.http_messages import CHUNK, Incoming, Outgoing
from movierec.overload import Backlog, refuse

REQUESTS_KEPT = 8  # requests of maximum size that a process can hold; beyond that, the oldest is dropped
SEND_BUFFER = 1 << 20
TELL_SECONDS = 60.0  # interval between log lines about refused requests
LAST_SECONDS = 5  # idle time after which connections are closed during shutdown


class Log(Logger):
    """Formats gunicorn's log lines like the site's and applies LOG_LEVEL, from the first line on."""

    def setup(self, cfg: Any) -> None:
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.setLevel("NOTSET")
        self.error_log.propagate = True

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        super().exception(msg, *(str(arg).partition("?")[0] for arg in args), **kwargs)  # without query strings


class Connection(TConn):
    incoming: Incoming
    outgoing: Outgoing | None = None

    @property
    def deadline(self) -> float:
        return (self.outgoing or self.incoming).deadline

    def close(self, graceful: bool = False) -> None:
        """Close immediately. Gunicorn would make all clients wait up to 2 s until this one closes its side."""
        super().close()


class Worker(ThreadWorker):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.backlog = Backlog(self.cfg.threads)
        self.waiting: dict[Connection, None] = {}  # connections whose clients must send or read, oldest first
        self.n_kept = 0  # bytes of all requests, including those being handled, and of responses
        self._swept = self._notified = time.monotonic()
        self._told = -TELL_SECONDS

    def init_process(self) -> None:
        self.max_kept = _largest_body() + MB  # plus room for the headers and other form fields
        self.cfg.set("sendfile", False)  # with it, a thread would wait for the client
        allow_many_files()
        self.probes = {path.encode(): ThreadPoolExecutor(1) for path in settings.PROBES}
        self.metrics = import_module("recommender.metrics")  # imported only after the master has set up metrics
        for listener in self.sockets:  # inherited by accepted sockets
            listener.sock.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        super().init_process()

    def accept(self, listener: Any) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was faster, or the client has disconnected
            return
        except OSError as error:  # too many files are open
            if not self._close_idle() and self.waiting:
                self.log.warning("A connection was dropped for a new one: %s", error)
                self._drop_oldest()
            return
        self.nr_conns += 1
        # Otherwise new clients could not connect.
        if self.nr_conns >= self.worker_connections and not self._close_idle() and self.waiting:
            self._drop_oldest()
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Called for a new connection and when one is reused. Usually the whole request has already arrived."""
        conn.incoming = Incoming(self.max_kept)
        if self._must_wait(conn, conn.sock):
            self._wait(conn, EVENT_READ, partial(self._receive, conn))

    def _receive(self, conn: Connection, client: socket) -> None:
        if conn not in self.waiting:  # dropped after this event was reported
            return
        self._must_wait(conn, client)
        self._keep_within_bounds()

    def _must_wait(self, conn: Connection, client: socket) -> bool:
        """Receive available data and dispatch a complete request to a thread. Return whether more data is needed."""
        try:
            if data := client.recv(CHUNK):
                self._add(conn, data)
        except BlockingIOError:
            return True
        except OSError:  # the client has disconnected, or the disk is full
            data = b""
        if data and not conn.incoming.is_complete:
            return True
        if data:
            self._stop_waiting(conn)
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
        probe: ThreadPoolExecutor | None = self.probes.get(conn.incoming.path)
        if probe is None and self.backlog.is_full:
            self._refuse(conn)
            return
        conn.parser = get_parser(self.cfg, conn.incoming.chunks(), conn.client)
        conn.initialized = True  # so that gunicorn keeps this parser
        if probe is None:
            self.backlog.add()
            done = self.tpool.submit(self._handle_counted, conn)
        else:
            done = probe.submit(self.handle, conn)
        done.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, conn, future))

    def _handle_counted(self, conn: Connection) -> Any:
        began = self.backlog.begin()
        try:
            return self.handle(conn)
        finally:
            self.backlog.end(began)

    def _refuse(self, conn: Connection) -> None:
        refuse(conn.sock, conn.incoming.path)
        self.metrics.REQUESTS_REFUSED.inc()
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            self.log.warning("Requests are refused: there is more to do than this process can do in time")
        self._drop(conn)

    def handle_request(self, req: Request, conn: Connection) -> bool:
        if conn.incoming.is_followed or conn.incoming.is_cut:
            req.force_close()
        client, outgoing = conn.sock, Outgoing(conn.sock)
        conn.sock = outgoing
        try:
            keeps = bool(super().handle_request(req, conn))
            outgoing.flush()
            conn.outgoing = outgoing
        finally:
            conn.sock = client
        return keeps

    def finish_request(self, conn: Connection, future: "Future[Any]") -> None:
        self._forget(conn)
        if conn.outgoing is None or not conn.outgoing.n_kept:
            self._finish(conn, future)
            return
        self.n_kept += conn.outgoing.n_kept
        conn.outgoing.rewind()
        self._wait(conn, EVENT_WRITE, partial(self._send, conn, future))
        self._keep_within_bounds()

    def _send(self, conn: Connection, future: "Future[Any]", client: socket) -> None:
        if conn not in self.waiting:
            return
        assert conn.outgoing is not None
        try:
            if conn.outgoing.send_more():
                self._stop_waiting(conn)
                self._finish(conn, future)
        except OSError:  # the client has disconnected
            self._drop(conn)

    def _finish(self, conn: Connection, future: "Future[Any]") -> None:
        self._forget_answer(conn)
        super().finish_request(conn, future)

    def notify(self) -> None:
        """Called on each event, but acts only once a second, because each run may yield to another thread."""
        now = time.monotonic()
        if now - self._notified >= 1:
            self._notified = now
            super().notify()

    def murder_pending(self) -> None:
        """Drop clients that are too slow, or on shutdown all that are still sending. Called at least once a second."""
        now = time.monotonic()
        if self.alive and now - self._swept < 1:
            return
        self._swept = now
        for conn in list(self.waiting):
            if conn.deadline < now or not (self.alive or conn.outgoing):
                self.log.info("A client was too slow and is dropped.")
                self._drop(conn)

    def murder_keepalived(self) -> None:
        """Close connections that have been idle too long, or sooner on shutdown. Called on each event."""
        seconds = self.cfg.keepalive if self.alive else LAST_SECONDS
        latest = time.monotonic() + self.cfg.keepalive - seconds
        idle = self.keepalived_conns  # longest idle first
        while idle and idle[0].timeout <= latest and not _has_data(idle[0].sock):
            self._close(idle[0])

    def _close_idle(self) -> bool:
        """Close an idle connection to make room. Return whether there was one."""
        conn = next((conn for conn in self.keepalived_conns if not _has_data(conn.sock)), None)
        if conn is not None:
            self._close(conn)
        return conn is not None

    def _close(self, conn: Connection) -> None:
        self.keepalived_conns.remove(conn)
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def _keep_within_bounds(self) -> None:
        while self.n_kept > REQUESTS_KEPT * self.max_kept and self.waiting:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._drop(next(iter(self.waiting)))

    def _drop(self, conn: Connection) -> None:
        self._stop_waiting(conn)
        self._forget(conn)
        self._forget_answer(conn)
        self.nr_conns -= 1
        conn.close()

    def _wait(self, conn: Connection, event: int, callback: Callable[[socket], None]) -> None:
        self.waiting[conn] = None
        self.poller.register(conn.sock, event, callback)

    def _stop_waiting(self, conn: Connection) -> None:
        if conn in self.waiting:
            del self.waiting[conn]
            self.poller.unregister(conn.sock)

    def _forget(self, conn: Connection) -> None:
        self.n_kept -= conn.incoming.n_kept
        conn.incoming.close()

    def _forget_answer(self, conn: Connection) -> None:
        if conn.outgoing is not None:
            self.n_kept -= conn.outgoing.n_kept
            conn.outgoing.close()
            conn.outgoing = None


def _has_data(client: socket) -> bool:
    """Return whether there is unread data that no event has reported yet, not counting the end of the stream."""
    try:
        return bool(client.recv(1, MSG_PEEK | MSG_DONTWAIT))
    except OSError:
        return False


def _largest_body() -> int:
    """Return the size of the largest body that a view reads.

    More is received and discarded, because browsers show an error page only after sending the whole body.
    """
    megabytes = max(settings.POLICY.imports.max_upload_mb, settings.POLICY.bulk.max_upload_mb)
    return max(megabytes * MB, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def allow_many_files() -> None:
    """Raise the process's limit of open files to the hard limit, because each connection may need two."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(OSError, ValueError):  # some systems report "unlimited" but reject it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
