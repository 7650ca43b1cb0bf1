"""Tests parts of the chaos tests. The complete run starts a whole site and takes minutes."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import psutil
import pytest

from benchmarks.chaos.__main__ import kills, read_options
from benchmarks.chaos.breakpoints import INJECTION_POINTS
from benchmarks.chaos.faults import FAULTS
from benchmarks.chaos.installation import TARGETS
from benchmarks.chaos.load_generator import Answer
from benchmarks.chaos.outcome import Outcome, Period
from benchmarks.chaos.policy import merged
from benchmarks.chaos.processes import wait_for
from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.servers import Server
from mlops.training.forecast import STEPS


def test_every_step_of_a_training_has_an_injection_point():
    assert {point.step for point in INJECTION_POINTS.values()} - {""} == set(STEPS)


def test_every_combination_runs_by_default():
    everything = kills(read_options([]))
    assert len(set(everything)) == len(everything) == len(TARGETS) * len(INJECTION_POINTS) == 50
    assert kills(read_options(["--targets", "redis", "--steps", "fit", "gate"])) == [
        ("redis", "fit"),
        ("redis", "gate"),
    ]
    few = kills(read_options(["--kills", "5", "--steps", "fit", "gate"]))
    assert [target for target, _ in few] == list(TARGETS)
    assert [point for _, point in few][:3] == ["fit", "gate", "fit"]


def test_faults_are_chosen_by_name(capsys):
    assert read_options([]).faults == list(FAULTS)
    assert read_options(["--faults"]).faults == []
    assert read_options(["--faults", "hung-redis", "clock-ahead"]).faults == ["hung-redis", "clock-ahead"]
    with pytest.raises(SystemExit):
        read_options(["--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in [*FAULTS, *INJECTION_POINTS])


def test_an_unknown_step_is_refused(capsys):
    with pytest.raises(SystemExit):
        read_options(["--steps", "lunch"])
    assert "lunch" in capsys.readouterr().err


def answered(at: float, status: int = 200, seconds: float = 0.1) -> Answer:
    return Answer(at, status, seconds, "GET /")


def test_a_row_names_the_violations():
    good = Outcome("kill worker at fit", answers=[answered(1), answered(2)])
    bad = Outcome("hung-redis", problems=["2 versions are the champion"], lost=1, marked_seconds=61.0)

    assert good.violations() == []
    assert (good.row()["result"], good.row()["requests"], good.row()["failed"]) == ("ok", 2, 0)
    assert len(bad.violations()) == 3
    assert bad.row()["result"].startswith("FAILED: 2 versions are the champion; ")


@pytest.mark.parametrize(("stops_site", "seconds", "n_violations"), [(True, 29.0, 0), (False, 49.0, 1)])
def test_a_fault_that_stops_the_site_ends_before_the_bar_counts(stops_site, seconds, n_violations):
    answers = [answered(5, 503), answered(110, 503), answered(148, 0, seconds=1.0), answered(150)]
    outcome = Outcome("hung", stops_site=stops_site, periods=[Period(100, 118, 120)], answers=answers)

    assert outcome.serving_seconds == seconds
    assert len(outcome.violations()) == n_violations


def test_each_injection_has_its_own_recovery():
    answers = [answered(101, 503), answered(205, 503, seconds=1.0)]
    outcome = Outcome("slow", periods=[Period(100, 118, 120), Period(200, 218, 220)], answers=answers)

    assert outcome.serving_seconds == 6.0


@pytest.mark.parametrize(
    ("stops_site", "status", "at", "is_true"),
    [
        (True, 200, 110, False),  # the site says "ready" while the database hangs
        (True, 503, 110, True),
        (True, 0, 110, True),
        (True, 200, 119, True),  # its mending has begun
        (True, 200, 130, True),  # it recovers, and may say either
        (True, 503, 130, True),
        (True, 503, 151, False),
        (False, 503, 110, False),  # it serves, but says "not ready"
        (False, 200, 110, True),
    ],
)
def test_health_has_to_be_true(stops_site, status, at, is_true):
    outcome = Outcome("x", stops_site=stops_site, periods=[Period(100, 118, 120)], health=[answered(at, status)])

    assert outcome.row()["health"] == ("true" if is_true else "FALSE")
    assert bool(outcome.violations()) is not is_true


@pytest.fixture
def server() -> Iterator[int]:
    """Answers every request with its path."""

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.path)))
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.server_port
        running.shutdown()


def test_a_proxy_forwards_cuts_and_fails(server):
    proxy = Proxy(server)
    with httpx.Client(base_url=f"http://127.0.0.1:{proxy.port}") as client:
        assert client.get("/before").text == "/before"
        with proxy.cut(), pytest.raises(httpx.TransportError):
            client.get("/cut")
        with proxy.failing():
            assert client.get("/failing").status_code == 500
        assert client.get("/after").text == "/after"


def test_a_suspended_server_answers_nothing_until_it_is_resumed(tmp_path):
    class Sleeper(Server):
        def command(self) -> list[str]:
            return ["sleep", "60"]

        def answers(self) -> bool:
            return psutil.Process(self._process.pid).status() != psutil.STATUS_STOPPED

    sleeper = Sleeper(tmp_path, tmp_path / "log", os.environ)
    sleeper.launch()
    try:
        sleeper.suspend()
        wait_for(lambda: not sleeper.answers(), seconds=60, what="it is suspended")
        sleeper.resume()
        wait_for(sleeper.answers, seconds=60, what="it runs again")
    finally:
        sleeper.end()


def test_policy_changes_are_merged():
    assert merged({"a": {"x": 1, "y": 1}}, {"a": {"y": 2}, "b": {"z": 3}}) == {"a": {"x": 1, "y": 2}, "b": {"z": 3}}
