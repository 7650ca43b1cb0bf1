"""gunicorn with the site's worker class. Its threads never wait for requests."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread

import pytest

from catalog.policy import MB
from movierec import http_messages, web_worker
from tests.processes import answers, free_port, running, wait_for

THREADS = 2
POLICY = "imports: {max_upload_mb: 1}\nbulk: {max_upload_mb: 3}\n"
APP = """
import os
import resource
from threading import Event
busy, released = [], Event()
def app(environ, start_response):
    path = environ["PATH_INFO"]
    answer = "refused" if path == "/unread" else len(environ["wsgi.input"].read())
    if path == "/busy":
        busy.append(path)
        released.wait()
    if path == "/readyz":
        answer = len(busy)
    if path == "/metrics":
        released.set()
    if path == "/long":
        answer = "long" * (2 << 20)
    if path == "/process":
        answer = (os.getpid(), *resource.getrlimit(resource.RLIMIT_NOFILE))
    start_response("200 OK", [("Content-Length", str(len(str(answer))))])
    return [str(answer).encode()]
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
    with served(tmp_path_factory.mktemp("server"), "ulimit -S -n 100") as port:
        yield port


@contextmanager
def served(folder: Path, limit: str) -> Iterator[int]:
    (folder / "slow_app.py").write_text(APP)
    (folder / "config.yaml").write_text(POLICY)
    port = free_port()
    options = {"--bind": f"127.0.0.1:{port}", "--workers": "1", "--threads": str(THREADS), "--pythonpath": str(folder)}
    options |= {"--worker-class": "movierec.web_worker.Worker", "--worker-connections": "60", "--keep-alive": "5"}
    command = ["gunicorn", "--no-control-socket", *(part for pair in options.items() for part in pair), "slow_app:app"]
    command = ["sh", "-c", f'{limit} && exec "$@"', "sh", *command]
    with running(*command, log=folder / "log", CONFIG_FILE=str(folder / "config.yaml")) as process:
        wait_for(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/"), seconds=60, what="started")
        assert process.poll() is None, (folder / "log").read_text()
        yield port


def connect(port: int, data: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.sendall(data)
    return client


def answer_to(client: socket.socket) -> str:
    """Its body: head and body may come apart."""
    answer = HTTPResponse(client)
    answer.begin()
    return answer.read().decode()


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        client.recv(1)
    except BlockingIOError:
        return True
    except ConnectionResetError:
        pass
    return False


def wait_until_closed(client: socket.socket) -> None:
    with suppress(ConnectionResetError):  # had sent what was not received
        assert client.recv(1) == b""


def post(port: int, body: bytes | Iterator[bytes], path: str = "/") -> str:
    """Returns how many bytes the site received; those of an iterator are sent in chunks."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
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
            assert post(server, b"") == "0"
        if kind != "stays after its answer":
            assert all(is_open(client) for client in slow)  # gunicorn's own worker answers when they have gone


def test_too_many_slow_clients_let_others_in(server):
    with ExitStack() as clients:
        slow = [clients.enter_context(connect(server, SLOW["half a header"][0])) for _ in range(100)]
        assert post(server, b"") == "0"
        assert is_open(slow[-1]) and not is_open(slow[0])


def test_too_few_files_cost_the_oldest_its_connection(tmp_path):
    with served(tmp_path, "ulimit -n 40") as port, ExitStack() as clients:
        process = post(port, b"", "/process")
        slow = [clients.enter_context(connect(port, SLOW["half a header"][0])) for _ in range(50)]
        assert post(port, b"", "/process") == process  # none ended and was replaced
        assert is_open(slow[-1]) and not is_open(slow[0])


def test_a_process_may_open_as_many_files_as_the_system_lets_it(server):
    _, soft, hard = post(server, b"", "/process").strip("()").split(", ")
    assert soft == hard


def test_a_process_keeps_no_more_than_a_number_of_large_requests(server):
    part = POST.replace(b"9", str(4 * MB - 9_999).encode()) + b"x" * (4 * MB - 10_000)
    with ExitStack() as clients:
        slow = [clients.enter_context(connect(server, part)) for _ in range(web_worker.REQUESTS_KEPT + 1)]
        wait_until_closed(slow[0])
        slow[-1].sendall(b"y")
        assert answer_to(slow[-1]) == str(4 * MB - 9_999)
        assert is_open(slow[1])


def test_probes_have_threads_of_their_own(server):
    busy = [Thread(target=post, args=(server, b"", "/busy"), daemon=True) for _ in range(THREADS)]
    for thread in busy:
        thread.start()
    wait_for(lambda: post(server, b"", "/readyz") == str(THREADS), seconds=60, what="all threads are busy")
    assert post(server, b"", "/healthz") == "0"
    assert all(thread.is_alive() for thread in busy)
    assert post(server, b"", "/metrics?releases=them") == "0"
    for thread in busy:
        thread.join()


def test_who_reads_slowly_holds_no_thread(server):
    with ExitStack() as clients:
        slow = [clients.enter_context(connect(server, GET.replace(b"/", b"/long", 1))) for _ in range(THREADS + 1)]
        assert [client.recv(5) for client in slow] == [b"HTTP/"] * len(slow)
        assert post(server, b"") == "0"
        slow[0].sendall(GET.replace(b"Host", b"Connection: close\r\nHost"))  # is answered on the same connection
        answers = b"".join(iter(lambda: slow[0].recv(MB), b"")).split(b"\r\n\r\n")
    assert answers[1].startswith(b"long" * (2 * MB) + b"HTTP/1.1 200 OK")
    assert answers[2] == b"0"


@pytest.mark.parametrize("size", [1, http_messages.CHUNK, http_messages.IN_MEMORY * 3 + 1, 3 * MB])
def test_a_body_arrives_as_it_was_sent(server, size):
    assert post(server, b"x" * size) == str(size)
    assert post(server, iter([b"x" * size, b"y"])) == str(size + 1)


def test_a_request_that_was_cut_is_not_handed_on_short(server):
    request = POST.replace(b"9", str(5 * MB).encode()) + b"x" * 5 * MB
    with connect(server, request) as client:
        assert b"".join(iter(lambda: client.recv(9999), b"")).startswith(b"HTTP/1.1 500 ")  # this app has no limit
    with connect(server, request.replace(b"/", b"/unread", 1)) as client:
        answer = b"".join(iter(lambda: client.recv(9999), b""))  # to the end of the connection
    assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in answer and answer.endswith(b"refused")


def test_a_request_in_pieces_is_one_request(server):
    request = POST + b"123456789"
    with connect(server) as client:
        for start in range(0, len(request), 7):
            client.sendall(request[start : start + 7])
            time.sleep(0.01)
        assert answer_to(client) == "9"
        client.sendall(GET)  # on the same connection
        assert answer_to(client) == "0"


def test_who_waits_for_a_hundred_continue_gets_it(server):
    with connect(server, POST.replace(b"Host", b"Expect: 100-continue\r\nHost")) as client:
        says = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.recv(len(says), socket.MSG_WAITALL) == says
        client.sendall(b"123456789")
        assert answer_to(client) == "9"


def test_what_follows_a_request_closes_the_connection(server):
    with connect(server, GET + GET) as client:
        answer = b"".join(iter(lambda: client.recv(9999), b""))
    assert answer.count(b"200 OK") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize("sent", [b"\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", POST[:-2] + b"Content-Length: 8\r\n\r\n"])
def test_what_is_no_request_is_refused(server, sent):
    with connect(server, sent) as client:
        assert b"".join(iter(lambda: client.recv(9999), b"")).startswith(b"HTTP/1.1 400")
