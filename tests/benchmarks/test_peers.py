"""Tests that the load generator counts responses, and that targets fail if a figure is too low."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.chaos.processes import free_port
from benchmarks.peers.bars import BARS, Figures, judge
from benchmarks.peers.generator import Generator, Load
from benchmarks.peers.servers import WebServer, clean_environment
from benchmarks.peers.sites import check_list, check_older_list, post
from tests.processes import ROOT

SECONDS = 0.3


def figures(**changes) -> Figures:
    return Figures(100.0, 5.0, 9.0, 0, 100.0, 40.0, 1.0)._replace(**changes)


def results(**per_second: float):
    names = {"site": 100.0, "peer": 100.0, "others": 70.0, "embedded": 60.0, "checkout": 100 / 12} | per_second
    found = {(name, c): figures(per_second=value) for name, value in names.items() for c in (8, 64)}
    return found | {("batch", 2): figures(per_second=per_second.get("batch", 300.0))}


def failing(found) -> list[str]:
    return [str(row["bar"]) for row in judge(found) if row["holds"] == "no"]


def test_bars_hold_at_their_bounds():
    assert failing(results()) == []
    assert len(judge(results())) == len(BARS) + 2


@pytest.mark.parametrize(
    ("slower", "bar"),
    [
        ({"site": 99.0, "batch": 400.0, "checkout": 1.0}, "users seen before"),
        ({"others": 69.0}, "another user"),
        ({"embedded": 59.0}, "embedded"),
        ({"checkout": 9.0}, "other checkout"),
        ({"batch": 299.0}, "batches"),
    ],
)
def test_a_figure_that_falls_short_fails_its_bar_alone(slower, bar):
    [failed] = failing(results(**slower))

    assert bar in failed


def test_errors_lost_impressions_and_a_slow_median_fail():
    assert failing(results() | {("site", 1): figures(errors=1)}) == ["errors of all participants"]
    assert failing(results() | {("site", 1): figures(kept=0.99)}) == ["loads with lost impressions"]
    [failed] = failing(results() | {("site", 8): figures(p50_ms=5.1)})
    assert "p50" in failed


def test_bars_of_absent_participants_are_left_out():
    assert [row["bar"] for row in judge({("site", 64): figures()})][:-2] == []


def load(tmp_path: Path, address: str, connections: int, *requests: str) -> Load:
    path = tmp_path / "requests"
    path.write_text("\n".join(map(json.dumps, requests)))
    return Load(address, str(path), connections, SECONDS)


def test_every_answer_is_counted(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers.immediate_server", str(port)]
    log = tmp_path / "server.log"
    server = WebServer(command, port=port, cwd=ROOT, log=log, environment=clean_environment(), ready="")
    try:
        server.wait()
        found = Generator(load(tmp_path, server.address, 4, post("/a"), post("/b"))).run()
        assert server.memory_mb() > 1
    finally:
        server.end()

    assert found.statuses == {}
    assert len(found.latencies) == found.n_sent > 100
    assert SECONDS - 0.1 < found.seconds < SECONDS + 1
    assert 0 < found.cpu_seconds < SECONDS + 0.2
    assert found.sample == "x" * 6000


@contextmanager
def server_that(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Gives each request on any connection the next answer, the last one again and again; b"" closes the connection."""
    listener, asked, left = socket.create_server(("127.0.0.1", 0)), [], list(answers)

    def serve(client: socket.socket) -> None:
        with client:
            while request := client.recv(1 << 16):
                asked.append(request)
                answer = left.pop(0) if len(left) > 1 else left[0]
                if not answer:
                    return
                for start in range(0, len(answer), 7):  # in pieces
                    client.sendall(answer[start : start + 7])

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answer(status: str, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


def test_errors_and_closed_connections_are_no_answers(tmp_path):
    good, busy = answer("200 OK", b"found"), answer("429 Too Many Requests")
    with server_that(good, busy, b"", busy, good) as (address, asked):
        found = Generator(load(tmp_path, address, 1, post("/a"), post("/b", "{}"))).run()

    assert found.statuses == {"429": 2, "closed": 1}
    assert len(found.latencies) == found.n_sent - 3 > 0
    assert found.sample == "found"
    assert [request.split(b" ")[1] for request in asked[:3]] == [b"/a", b"/b", b"/a"]


@pytest.mark.parametrize("changes", [{"reason": None}, {"score": None}, {"movie": {"title": ""}}])
def test_an_answer_without_a_part_is_refused(changes):
    row = {"movie": {"title": "Alien"}, "score": 1.0, "rank": 1, "source": "personal", "reason": {"code": "liked"}}
    whole = {"results": [row] * 10, "model_version": 4, "fallback": None, "request_id": "a"}
    check_list(json.dumps(whole))

    with pytest.raises(SystemExit):
        check_list(json.dumps(whole | {"results": [*[row] * 9, row | changes]}))
    with pytest.raises(SystemExit):
        check_list(json.dumps(whole | {"fallback": "popular"}))


def test_an_older_list_needs_no_reason_but_the_rest():
    row = {"movie": {"title": "Alien"}, "score": 1.0, "rank": 1, "source": "personal", "reasons": []}
    whole = {"results": [row] * 10, "model_version": 4, "fallback": None, "request_id": "a"}
    check_older_list(json.dumps(whole))

    with pytest.raises(SystemExit):
        check_older_list(json.dumps(whole | {"results": [row | {"score": None}] * 10}))
    with pytest.raises(SystemExit):
        check_list(json.dumps(whole))
