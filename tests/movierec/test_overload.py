"""An overloaded web process refuses requests, but still serves the operators' pages."""

import json
from http.client import HTTPConnection, HTTPResponse
from threading import Thread

import pytest

from movierec import overload
from movierec.overload import FEW, MAX_WAIT, Backlog
from tests.movierec.test_web_worker import GET, THREADS, answer_to, connect, post, served
from tests.processes import wait_for


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    monkeypatch.setattr(overload, "time", Clock())
    return overload.time  # type: ignore[return-value]


def work(backlog: Backlog, clock: Clock, *, seconds: float, n: int) -> None:
    for _ in range(n):
        backlog.add()
        began = backlog.begin()
        clock.now += seconds
        backlog.end(began)


def test_as_many_wait_as_can_be_answered_in_time(clock):
    backlog = Backlog(4)
    work(backlog, clock, seconds=0.1, n=200)
    n_waiting = 0
    while not backlog.is_full:
        backlog.add()
        n_waiting += 1
    assert n_waiting == pytest.approx(4 * MAX_WAIT / 0.1, abs=1)


def test_a_few_may_always_wait(clock):
    backlog = Backlog(4)
    work(backlog, clock, seconds=60, n=200)
    for _ in range(4 * FEW):
        backlog.add()
    clock.now += 60
    assert not backlog.is_full
    backlog.add()
    assert backlog.is_full


def test_threads_that_stand_still_are_noticed(clock):
    backlog = Backlog(1)
    work(backlog, clock, seconds=0.001, n=100)
    for _ in range(FEW + 1):
        backlog.add()
    assert not backlog.is_full
    clock.now += MAX_WAIT + 0.1
    assert backlog.is_full
    backlog.begin()
    assert not backlog.is_full


def test_one_long_request_does_not_close_the_door(clock):
    backlog = Backlog(4)
    work(backlog, clock, seconds=0.01, n=200)
    work(backlog, clock, seconds=600, n=1)
    for _ in range(4 * FEW + 1):
        backlog.add()
    assert not backlog.is_full


def test_what_cannot_be_begun_in_time_is_refused_at_once(tmp_path):
    busy = THREADS + THREADS * FEW + 1
    with served(tmp_path, "true") as port:
        threads = [Thread(target=post, args=(port, b"", "/busy"), daemon=True) for _ in range(busy)]
        for thread in threads:
            thread.start()
        wait_for(lambda: refused(port, "/x") is not None, seconds=60, what="a refusal")
        page, error = refused(port, "/movies/"), refused(port, "/api/v1/movies/")
        assert page is not None and error is not None
        assert page.getheader("Content-Type") == "text/html; charset=utf-8"
        assert json.loads(error.read())["error"]["code"] == "busy"
        assert post(port, b"", "/healthz") == "0"
        assert post(port, b"", "/metrics?releases=them") == "0"
        for thread in threads:  # all that were let in are answered
            thread.join(60)
            assert not thread.is_alive()
        with connect(port, GET) as client:
            assert answer_to(client) == "0"


def refused(port: int, path: str) -> HTTPResponse | None:
    """The answer 503; None if the request waits or is answered."""
    connection = HTTPConnection("127.0.0.1", port, timeout=0.2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
    except TimeoutError:
        return None
    finally:
        connection.close()
    if answer.status != 503:
        return None
    assert answer.getheader("Retry-After") == "1" and answer.getheader("Connection") == "close"
    return answer
