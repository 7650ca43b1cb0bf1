"""Real processes for tests: on the test's own database, ended whatever happens."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import connection

from benchmarks.chaos.processes import BIN, ROOT, end, free_port, kill_group, start, wait_for

__all__ = ["BIN", "ROOT", "answers", "end", "environment", "free_port", "running", "site", "wait_for"]


def environment(**changes: str) -> dict[str, str]:
    """This run's environment for a child, on the test database."""
    values = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "DJANGO_SETTINGS_MODULE": "movierec.settings",
    }
    if not settings.EMBEDDED:
        values["DATABASE_URL"] = (
            urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + connection.settings_dict["NAME"]).geturl()
        )
    return values | changes


@contextmanager
def running(*command: str, log: Path, is_killed: bool = True, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a process group of its own; its output goes to `log`.

    The group is killed at the end, when the test has seen what it wants: a Celery worker takes five seconds to end by
    itself, which tests/slow/test_make_run.py covers. `is_killed=False` is for who has to end groups of others.
    """
    log.unlink(missing_ok=True)
    process = start(command, log=log, environment=environment(**changes))
    try:
        yield process
    finally:
        if is_killed:
            kill_group(process.pid)
            process.wait()
        else:
            end(process)


@contextmanager
def site(*, log: Path, workers: int = 2, **changes: str) -> Iterator[str]:
    """The site behind gunicorn as it is run for users; yields its address."""
    port = free_port()
    changes = {"PORT": str(port), "WEB_WORKERS": str(workers)} | changes
    with running("gunicorn", "--config", "deploy/gunicorn.py", log=log, **changes) as process:
        address = f"http://127.0.0.1:{port}"
        wait_for(
            lambda: process.poll() is not None or answers(f"{address}/healthz"), seconds=120, what=f"{address} answers"
        )
        assert process.poll() is None, log.read_text()
        yield address


def answers(url: str) -> bool:
    """Whether GET succeeds. Loads no certificates: for a loop over one URL that is most of the work."""
    try:
        return httpx.get(url, timeout=5, verify=False).status_code == 200
    except httpx.TransportError:
        return False


def put_stand_ins(folder: Path, scripts: dict[str, str]) -> dict[str, str]:
    """The environment in which they come first, and log into `calls`."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "CALLS": str(folder / "calls")}
