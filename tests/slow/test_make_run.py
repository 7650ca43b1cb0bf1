"""`make run` from nothing to a site with a promoted model, until all processes have stopped."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.mlops.site import write_policy
from tests.processes import BIN, ROOT, answers, end, environment, free_port, wait_for

# In this order, on one site: deploy/test keeps each file on one core. Limits in seconds only end what hangs.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ACCOUNT = {"username": "ada", "password": "correct horse battery"}
HITS, TOPICS, SIZE = 10, 10, 8


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder of its own with a policy that trains in seconds and a sample whose users have tastes."""
    folder = tmp_path_factory.mktemp("site")
    write_policy(folder / "config.yaml")
    write_sample(folder / "movielens")
    return folder


def write_sample(folder: Path) -> None:
    """120 users who like most of three topics and some hits: a model that learns tastes beats popularity."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    movies = [f"{n},Movie {n} ({1980 + n % 40}),Drama" for n in range(1, HITS + TOPICS * SIZE + 1)]
    ratings = []
    for user in range(1, 121):
        topics = rng.choice(TOPICS, 3, replace=False)
        liked = [HITS + topic * SIZE + n for topic in topics for n in rng.permutation(SIZE)[:6]]
        liked += [hit for hit in range(HITS) if rng.random() < 0.5]
        start = 1_700_000_000 + int(rng.uniform(0, 300 * 86_400))
        ratings += [
            f"{user},{movie + 1},{rng.choice([3.5, 4.0, 5.0])},{start + place * 130_000}"
            for place, movie in enumerate(rng.permutation(liked))
        ]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *movies, ""]), encoding="utf-8")
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings, ""]), encoding="utf-8")
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n", encoding="utf-8")


@contextmanager
def make_run(place: Path, port: int, **changes: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Without make's own installation: the requirements are in the environment that runs the tests."""
    log = place / "make.log"
    values = {
        "CONFIG_FILE": str(place / "config.yaml"),
        "VAR_DIR": str(place / "var"),
        "MOVIELENS_PATH": str(place / "movielens"),
        "PORT": str(port),
        "HEALTH_PORT": str(free_port()),
        "DATABASE_URL": "",
        "REDIS_URL": "",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["env", "--default-signal=INT", "make", "run", "RUN=", f"BIN={BIN}"],  # a background job ignores it
            cwd=ROOT,
            env=environment(**values | changes),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        end(process)
        for pid in processes_of(place):
            os.kill(pid, signal.SIGKILL)


def processes_of(place: Path) -> list[int]:
    """Whoever was started with this place's VAR_DIR, whatever its parent and group are now."""
    mark, found = f"VAR_DIR={place / 'var'}".encode(), []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in file.read_bytes().split(b"\0"):
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found


def wait_until_served(process: subprocess.Popen[bytes], log: Path, port: int, host: str = "127.0.0.1") -> str:
    says = f"Movierec is at http://{host}:{port}"
    wait_for(lambda: process.poll() is not None or says in log.read_text(), seconds=600, what=says)
    assert process.poll() is None, log.read_text()
    return log.read_text()


def assert_nothing_is_left(process: subprocess.Popen[bytes], place: Path) -> None:
    process.wait(120)
    wait_for(lambda: processes_of(place) == [], seconds=60, what="all processes ended")


def _set_up(port: int, log: Path) -> None:
    """Makes the first staff account by the link that the last line shows."""
    wait_for(lambda: "/setup/?code=" in log.read_text(), seconds=120, what="the link")
    [link] = re.findall(rf"http://127\.0\.0\.1:{port}/setup/\?code=\S+", log.read_text())
    with httpx.Client(timeout=60) as browser:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(link).text)[1]
        again = {"password_again": ACCOUNT["password"], "csrfmiddlewaretoken": token}
        assert browser.post(link, data=ACCOUNT | again).status_code == 302
        assert browser.get(f"http://127.0.0.1:{port}/mlops/start/").status_code == 200


def test_first_start_serves_a_model_and_sigterm_ends_everything(place):
    port = free_port()
    with make_run(place, port) as (process, log):
        said = wait_until_served(process, log, port)

        assert "Version 1 passed the gate and was promoted." in said
        _set_up(port, log)
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz").json()
        assert ready["parts"]["model"]["detail"].startswith("version 1")
        signed_in = httpx.post(f"http://127.0.0.1:{port}/api/v1/token/", json=ACCOUNT, timeout=60)
        assert signed_in.status_code == 200
        assert _listening_addresses(port) == {"127.0.0.1"}

        killed = _kill_the_web_server(place)
        wait_for(lambda: killed.isdisjoint(_web_processes(place)), seconds=120, what="its workers ended")
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/readyz"), seconds=120, what="the web server started again")

        process.terminate()
        assert_nothing_is_left(process, place)


def test_second_start_reuses_everything_and_ctrl_c_ends_it(place):
    port = free_port()
    with make_run(place, port) as (process, log):
        said = wait_until_served(process, log, port)

        assert "/setup/" not in said
        assert "First model" not in said
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz").json()
        assert ready["parts"]["model"]["detail"].startswith("version 1")

        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        assert_nothing_is_left(process, place)


def test_an_interrupt_of_make_alone_ends_everything(place):
    """Here of a site on IPv6."""
    port = free_port()
    with make_run(place, port, HOST="::1") as (process, log):
        wait_until_served(process, log, port, host="[::1]")
        assert httpx.get(f"http://[::1]:{port}/").status_code == 200
        assert _listening_addresses(port) == {f"{1 << 24:032X}"}  # of IPv6 alone

        process.send_signal(signal.SIGINT)
        assert_nothing_is_left(process, place)


def test_a_port_in_use_is_said_at_once(place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with make_run(place, port) as (process, log):
            process.wait(120)

    assert process.returncode != 0
    assert f"Choose another port: PORT={port + 1} make run" in log.read_text()


def test_a_python_that_is_too_old_is_named(tmp_path):
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\ncase "$*" in *version_info\\[*) echo 3.9.18;; *) exit 1;; esac\n')
    old.chmod(0o755)

    done = subprocess.run(
        [ROOT / "deploy" / "setup", old, tmp_path / "venv", "requirements.txt"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "is Python 3.9.18, but 3.11 or newer is needed" in done.stderr
    assert not (tmp_path / "venv").exists()


def _listening_addresses(port: int) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, number = address.split(":")
            if state == "0A" and int(number, 16) == port:
                found.add(".".join(str(byte) for byte in reversed(bytes.fromhex(host))) if table == "tcp" else host)
    return found


def _kill_the_web_server(place: Path) -> set[int]:
    """The oldest process that listens is the master of the workers; then they see that it has gone and end."""
    found = _web_processes(place)
    os.kill(min(found), signal.SIGKILL)
    return found


def _web_processes(place: Path) -> set[int]:
    found = set()
    for pid in processes_of(place):
        with suppress(OSError):  # it has ended by now
            if b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found
