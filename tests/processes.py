"""Child processes for tests. They use the test database and are always stopped."""

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
    """Returns the environment for a child process, with the test database."""
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
    """Runs the command in its own process group, with output to `log`.

    The group is killed at the end, because a Celery worker takes five seconds to stop, which
    tests/slow/test_make_run.py covers. With `is_killed=False`, the caller stops the group.
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
    """Serves the site with gunicorn as in production. Yields its address."""
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
    """Returns whether GET succeeds. Loads no certificates, which would take most of the time."""
    try:
        return httpx.get(url, timeout=5, verify=False).status_code == 200
    except httpx.TransportError:
        return False


def put_stand_ins(folder: Path, scripts: dict[str, str]) -> dict[str, str]:
    """Creates fake programs that log to `calls`. Returns an environment in which they come first."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "CALLS": str(folder / "calls")}
