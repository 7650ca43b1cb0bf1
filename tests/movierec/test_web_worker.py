"""Real gunicorn with the worker class of the site: its threads never wait for a client."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from threading import Thread

import pytest

from movierec import web_worker
from tests.processes import answers, free_port, running, wait_for

THREADS = 2
APP = """
from threading import Event
released = Event()
def app(environ, start_response):
    n_read = len(environ["wsgi.input"].read())
    if environ["PATH_INFO"] == "/busy":
        released.wait(20)
    if environ["PATH_INFO"] == "/metrics":
        released.set()
    start_response("200 OK", [("Content-Length", str(len(str(n_read))))])
    return [str(n_read).encode()]
"""
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
SLOW = {  # what is sent at once, and what again and again
    "nothing": (b"", b""),
    "half a header": (GET[:-4], b""),
    "half a body": (POST + b"half", b""),
    "byte by byte": (GET[:-4] + b"\r\nX: ", b"a"),
    "half a chunk": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", b""),
    "stays after its answer": (GET[:-2] + b"Connection: close\r\n\r\n", b""),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "slow_app.py").write_text(APP)
    port = free_port()
    options = {"--bind": f"127.0.0.1:{port}", "--workers": "1", "--threads": str(THREADS), "--pythonpath": str(folder)}
    options |= {"--worker-class": "movierec.web_worker.Worker", "--worker-connections": "60", "--keep-alive": "5"}
    arguments = [part for option in options.items() for part in option]
    with running("gunicorn", "--no-control-socket", *arguments, "slow_app:app", log=folder / "log") as process:
        wait_for(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/"), seconds=60, what="started")
        assert process.poll() is None, (folder / "log").read_text()
        yield port


def connect(port: int, data: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall(data)
    return client


def post(port: int, body: bytes | Iterator[bytes], path: str = "/") -> str:
    """Returns how many bytes the site received; those of an iterator are sent in chunks."""
    connection = HTTPConnection("127.0.0.1", port, timeout=15)
    connection.request("POST", path, body)
    try:
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("kind", SLOW)
def test_slow_clients_do_not_hold_the_threads(server, kind):
    first, more = SLOW[kind]
    with ExitStack() as clients:
        slow = [clients.enter_context(connect(server, first)) for _ in range(12)]
        for _ in range(3):
            for client in slow:
                client.sendall(more)
            assert answer_seconds(server) < 3  # with gunicorn's own worker: 5 s, or as long as the clients like


def answer_seconds(port: int) -> float:
    started = time.monotonic()
    assert post(port, b"") == "0"
    return time.monotonic() - started


def test_too_many_slow_clients_let_others_in(server):
    with ExitStack() as clients:
        for _ in range(100):
            clients.enter_context(connect(server, SLOW["half a header"][0]))
        assert answer_seconds(server) < 3


def test_probes_have_threads_of_their_own(server):
    busy = [Thread(target=post, args=(server, b"", "/busy")) for _ in range(THREADS)]
    for thread in busy:
        thread.start()
    for path in ("/healthz", "/readyz", "/metrics?releases=them"):
        assert post(server, b"", path) == "0"
    for thread in busy:
        thread.join()


@pytest.mark.parametrize("size", [1, web_worker.CHUNK, web_worker.IN_MEMORY * 3 + 1])
def test_a_body_arrives_as_it_was_sent(server, size):
    assert post(server, b"x" * size) == str(size)
    assert post(server, iter([b"x" * size, b"y"])) == str(size + 1)


def test_a_request_in_pieces_is_one_request(server):
    request = POST + b"123456789"
    with connect(server) as client:
        for start in range(0, len(request), 7):
            client.sendall(request[start : start + 7])
            time.sleep(0.01)
        assert client.recv(9999).endswith(b"\r\n\r\n9")
        client.sendall(GET)  # on the same connection
        assert client.recv(9999).endswith(b"\r\n\r\n0")


def test_who_waits_for_a_hundred_continue_gets_it(server):
    with connect(server, POST.replace(b"Host", b"Expect: 100-continue\r\nHost")) as client:
        assert client.recv(9999) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"123456789")
        wait_for(lambda: client.recv(9999).endswith(b"\r\n\r\n9"), seconds=60, what="the answer comes")


def test_what_follows_a_request_closes_the_connection(server):
    with connect(server, GET + GET) as client:
        answer = b"".join(iter(lambda: client.recv(9999), b""))
    assert answer.count(b"200 OK") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize("sent", [b"\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", POST[:-2] + b"Content-Length: 8\r\n\r\n"])
def test_what_is_no_request_is_refused(server, sent):
    with connect(server, sent) as client:
        assert client.recv(9999).startswith(b"HTTP/1.1 400") or client.recv(1) == b""


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_a_request_has_its_time_and_more_while_it_comes(monkeypatch):
    monkeypatch.setattr(web_worker, "time", Clock())
    incoming = web_worker.Incoming(max_kept=0)
    assert incoming.deadline == 20
    incoming.add(POST.replace(b"9", b"999999") + b"x" * 10_000, socket.socket())
    assert 29 < incoming.deadline < 31
    assert not incoming.is_complete


def test_the_rest_of_an_oversized_request_is_dropped():
    incoming = web_worker.Incoming(max_kept=10_000)
    incoming.add(POST.replace(b"9", b"20000"), socket.socket())
    while not incoming.is_complete:
        incoming.add(b"x" * 500, socket.socket())
    assert 9_500 < sum(map(len, incoming.chunks())) <= 10_000
