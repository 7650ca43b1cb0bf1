"""Unit tests of the web worker and of buffered requests, without a server."""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from selectors import DefaultSelector
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.exceptions import RequestDataTooBig
from gunicorn.config import Config

from catalog.policy import MB
from movierec import http_messages, web_worker
from tests.movierec.test_web_worker import GET, POST, connect
from tests.processes import wait_for


@pytest.mark.parametrize("length", range(1, 9))
def test_a_first_piece_of_any_length_is_no_request(length):
    incoming = http_messages.Incoming(max_kept=MB)
    incoming.add(GET[:length], socket.socket())
    assert not incoming.is_complete
    incoming.add(GET[length:], socket.socket())
    assert incoming.is_complete
    assert b"".join(incoming.chunks()) == GET


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_a_request_has_its_time_and_more_for_what_is_kept(monkeypatch):
    monkeypatch.setattr(http_messages, "time", Clock())
    incoming = http_messages.Incoming(max_kept=20_000)
    assert incoming.deadline == http_messages.SECONDS
    incoming.add(POST.replace(b"9", b"999999") + b"x" * 10_000, socket.socket())
    assert 29 < incoming.deadline < 31
    incoming.add(b"x" * 500_000, socket.socket())  # is dropped
    assert 29 < incoming.deadline < 31
    assert not incoming.is_complete


def test_a_request_has_no_more_than_a_longest_time(monkeypatch):
    monkeypatch.setattr(http_messages, "time", Clock())
    incoming = http_messages.Incoming(max_kept=2 * MB)
    incoming.add(POST.replace(b"9", b"9999999") + b"x" * MB, socket.socket())
    assert incoming.deadline == http_messages.MAX_SECONDS


def test_the_rest_of_an_oversized_request_is_dropped():
    incoming = http_messages.Incoming(max_kept=10_000)
    incoming.add(POST.replace(b"9", b"20000"), socket.socket())
    while not incoming.is_complete:
        incoming.add(b"x" * 500, socket.socket())
    chunks = incoming.chunks()
    assert 9_500 < len(next(chunks)) <= 10_000
    for _ in range(2):  # its end is never taken for the body's
        with pytest.raises(RequestDataTooBig):
            next(chunks)


@pytest.fixture
def worker() -> Iterator[web_worker.Worker]:
    """Its loop does not run: the test takes its steps."""
    worker = web_worker.Worker(1, os.getpid(), [], None, 30, Config(), Mock())
    worker.max_kept, worker.probes, worker.poller = 4 * MB, {}, DefaultSelector()
    worker.tpool = ThreadPoolExecutor(1)
    worker.method_queue.init()
    yield worker
    worker.tpool.shutdown()
    worker.poller.close()
    worker.method_queue.close()


def test_the_event_of_a_dropped_connection_is_ignored(worker):
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as clients:
        for _ in range(2):
            client = clients.enter_context(connect(listener.getsockname()[1], GET[:-4]))
            worker.accept(listener)
            client.sendall(b"\r\nX")
        wait_for(lambda: len(worker.poller.select(0)) == 2, seconds=60, what="both have sent")
        events = worker.poller.select(0)
        worker._drop_oldest()  # as at the limit of connections
        for key, _ in events:
            key.data(key.fileobj)
        assert (worker.nr_conns, len(worker.waiting)) == (1, 1)
        worker._drop_oldest()
        assert (worker.nr_conns, worker.n_kept) == (0, 0)


def test_a_full_table_of_files_does_not_end_the_worker(worker):
    worker.accept(Mock(accept=Mock(side_effect=OSError(errno.EMFILE, "Too many open files"))))
    assert worker.nr_conns == 0


LONG = b"long" * (4 * MB)


@pytest.fixture
def client(worker) -> Iterator[socket.socket]:
    """Has asked for LONG, and read nothing; the thread has ended."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(LONG)))])
        return [LONG]

    worker.wsgi = app
    with socket.create_server(("127.0.0.1", 0)) as listener, connect(listener.getsockname()[1], GET) as client:
        worker.accept(listener)
        worker.tpool.shutdown()
        worker.method_queue.run_callbacks(None)
        assert 0 < worker.n_kept < len(LONG)
        yield client


def test_the_loop_sends_what_was_not_read(worker, client):
    client.setblocking(False)
    received = b""
    while worker.waiting:
        for key, _ in worker.poller.select(0):
            key.data(key.fileobj)
        with suppress(BlockingIOError):
            received += client.recv(MB)
    client.setblocking(True)
    while not received.endswith(LONG):
        received += client.recv(MB)
    assert (worker.n_kept, worker.nr_conns, len(worker.keepalived_conns)) == (0, 1, 1)


@pytest.mark.parametrize("is_stopping", [False, True])
def test_who_does_not_read_in_time_is_dropped(worker, client, monkeypatch, is_stopping):
    worker.alive, worker._swept = not is_stopping, -2.0
    worker.murder_pending()
    assert worker.nr_conns == 1
    monkeypatch.setattr(http_messages, "MAX_SECONDS", -1.0)
    worker._swept = -2.0
    worker.murder_pending()
    assert (worker.n_kept, worker.nr_conns, len(worker.waiting)) == (0, 0, 0)
    worker.log.info.assert_called_once()


def test_who_goes_without_reading_is_forgotten(worker, client):
    client.close()
    while worker.waiting:
        for key, _ in worker.poller.select(1):
            key.data(key.fileobj)
    assert (worker.n_kept, worker.nr_conns) == (0, 0)


def test_an_answer_that_breaks_off_is_not_completed(worker):
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield LONG
        raise OSError("of a disk")

    worker.wsgi = app
    with socket.create_server(("127.0.0.1", 0)) as listener, connect(listener.getsockname()[1], GET) as client:
        worker.accept(listener)
        worker.tpool.shutdown()
        worker.method_queue.run_callbacks(None)
        assert not b"".join(iter(lambda: client.recv(MB), b"")).endswith(b"0\r\n\r\n")
    assert (worker.n_kept, worker.nr_conns, len(worker.waiting)) == (0, 0, 0)


def test_the_heartbeat_is_written_once_a_second(worker):
    written = []
    worker.tmp = Mock(notify=lambda: written.append(worker._notified))
    for _ in range(3):
        worker.notify()
    worker._notified -= 1.0
    worker.notify()
    assert len(written) == 1


@pytest.fixture
def idle(worker) -> Iterator[list[socket.socket]]:
    """The clients of two connections that were used once."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    worker.wsgi = app
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        worker.listener = listener
        clients = [stack.enter_context(connect(listener.getsockname()[1], GET)) for _ in range(2)]
        for n in (1, 2):
            worker.accept(listener)
            wait_for(lambda n=n: _idle(worker) == n, seconds=60, what="answered")
        yield clients


def _idle(worker: web_worker.Worker) -> int:
    worker.method_queue.run_callbacks(None)
    return len(worker.keepalived_conns)


def test_an_unused_connection_is_closed_when_its_time_is_over(worker, idle):
    worker.murder_keepalived()
    assert len(worker.keepalived_conns) == 2
    worker.keepalived_conns[0].timeout = 0.0
    worker.murder_keepalived()
    assert (len(worker.keepalived_conns), worker.nr_conns) == (1, 1)


def test_no_connection_is_closed_whose_client_has_just_sent(worker, idle):
    """The event of its request is not there yet: without a look, the request would be lost."""
    for conn in worker.keepalived_conns:
        conn.timeout = 0.0
    idle[0].sendall(GET)
    used = worker.keepalived_conns[0]
    wait_for(lambda: web_worker._has_data(used.sock), seconds=60, what="received")
    worker.murder_keepalived()
    assert worker.keepalived_conns[0] is used
    used.timeout = 1e12
    worker.keepalived_conns.rotate()
    worker.murder_keepalived()
    assert list(worker.keepalived_conns) == [used]


def test_unused_connections_make_room_for_new_clients(worker, idle):
    worker.worker_connections = 3
    idle[0].sendall(GET)
    used = worker.keepalived_conns[0]
    wait_for(lambda: web_worker._has_data(used.sock), seconds=60, what="received")
    with connect(worker.listener.getsockname()[1]):
        worker.accept(worker.listener)
        assert list(worker.keepalived_conns) == [used]
        assert (worker.nr_conns, len(worker.waiting)) == (2, 1)


def test_a_process_that_ends_waits_for_no_unused_connection(worker, idle, monkeypatch):
    worker.alive = False
    worker.murder_keepalived()
    assert worker.nr_conns == 2  # they may be in use
    monkeypatch.setattr(web_worker, "LAST_SECONDS", -1)
    worker.murder_keepalived()
    assert worker.nr_conns == 0
