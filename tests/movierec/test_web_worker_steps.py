"""Steps of the web worker and of what it keeps of a request, without a server."""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from selectors import DefaultSelector
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.exceptions import RequestDataTooBig
from gunicorn.config import Config

from movierec import web_worker
from tests.movierec.test_web_worker import GET, MB, POST, connect
from tests.processes import wait_for


@pytest.mark.parametrize("length", range(1, 9))
def test_a_first_piece_of_any_length_is_no_request(length):
    incoming = web_worker.Incoming(max_kept=MB)
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
    monkeypatch.setattr(web_worker, "time", Clock())
    incoming = web_worker.Incoming(max_kept=20_000)
    assert incoming.deadline == web_worker.SECONDS
    incoming.add(POST.replace(b"9", b"999999") + b"x" * 10_000, socket.socket())
    assert 29 < incoming.deadline < 31
    incoming.add(b"x" * 500_000, socket.socket())  # is dropped
    assert 29 < incoming.deadline < 31
    assert not incoming.is_complete


def test_a_request_has_no_more_than_a_longest_time(monkeypatch):
    monkeypatch.setattr(web_worker, "time", Clock())
    incoming = web_worker.Incoming(max_kept=2 * MB)
    incoming.add(POST.replace(b"9", b"9999999") + b"x" * MB, socket.socket())
    assert incoming.deadline == web_worker.MAX_SECONDS


def test_the_rest_of_an_oversized_request_is_dropped():
    incoming = web_worker.Incoming(max_kept=10_000)
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
    worker.max_kept, worker.probes, worker.poller = MB, {}, DefaultSelector()
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
        assert (worker.nr_conns, len(worker.receiving)) == (1, 1)
        worker._drop_oldest()
        assert (worker.nr_conns, worker.n_kept) == (0, 0)


def test_a_full_table_of_files_does_not_end_the_worker(worker):
    worker.accept(Mock(accept=Mock(side_effect=OSError(errno.EMFILE, "Too many open files"))))
    assert worker.nr_conns == 0


def test_who_does_not_read_an_answer_is_one_line_of_the_log(worker, monkeypatch):
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 16 * MB]

    monkeypatch.setattr(web_worker, "SEND_SECONDS", 0.01)
    worker.wsgi = app
    with socket.create_server(("127.0.0.1", 0)) as listener, connect(listener.getsockname()[1], GET) as client:
        worker.accept(listener)
        worker.tpool.shutdown()
        worker.method_queue.run_callbacks(None)
        assert client.recv(5) == b"HTTP/"
    worker.log.info.assert_called_once()
    worker.log.exception.assert_not_called()
    assert (worker.nr_conns, worker.n_kept) == (0, 0)
