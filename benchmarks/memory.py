"""Measures the memory of the embedded site: `python -m benchmarks.memory --data DIR [--site VAR_DIR]`.

Serves a site with ml-latest-small like `make run` and sends 200 requests of 50 users. Trains and promotes a second
model and sends the requests again. Then runs every scheduled task once, as in a day. Prints the memory of each kind of
process at rest, then that of a free tier's container. `--site` uses a copy of a prepared site.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import httpx

from benchmarks.chaos.processes import BIN, ROOT, end, free_port, start, wait_for
from benchmarks.process_memory import Usage, total_mb, usages
from benchmarks.site import load
from benchmarks.tables import render

N_USERS, N_REQUESTS, WEB_WORKERS = 50, 200, 2
SWAP_SECONDS = 15.0  # time until every web process has loaded a new champion
REST_SECONDS = 75.0  # time until the tasks of every minute have run and idle processes have ended
WEB = "gunicorn: forked"


class Bar(NamedTuple):
    name: str
    found: float
    most: float


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description="Measure the processes' memory.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ml-latest-small")
    parser.add_argument("--site", type=Path, help="VAR_DIR of a prepared site: a copy of it is used")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="movierec-memory-") as folder:
        environment = _environment(Path(folder), options.data / "ml-latest-small")
        _prepare(environment, options.site)
        users = load("benchmarks.serving_users", environment)
        site = import_module("benchmarks.memory_site")
        with users.temporary_users(N_USERS) as tokens:
            bars = [*_all_groups(environment, tokens, site), *_one_group(environment, tokens, site)]
    rows = [
        {"bar": b.name, "MB": b.found, "at most": b.most, "": "met" if b.found <= b.most else "NOT MET"} for b in bars
    ]
    print(render("Bars", rows, {"MB": 0, "at most": 0}))


def _environment(folder: Path, movielens: Path) -> dict[str, str]:
    """Returns the environment of an isolated site, independent of the developer's own."""
    blank = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "MODEL_STORE", "TMDB_READ_TOKEN", "CONFIG_FILE"), "")
    return blank | {
        "DJANGO_SETTINGS_MODULE": "movierec.settings",
        "ENV_FILE": str(folder / "no.env"),
        "VAR_DIR": str(folder / "var"),
        "MOVIELENS_PATH": str(movielens),
        "WEB_WORKERS": str(WEB_WORKERS),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }


def _prepare(environment: dict[str, str], site: Path | None) -> None:
    if site is not None:
        shutil.copytree(site, environment["VAR_DIR"], ignore=shutil.ignore_patterns("*.pid", "broker", "prometheus"))
    command = [str(BIN / "python"), "manage.py", "bootstrap"]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)


def _all_groups(environment: dict[str, str], tokens: list[str], site: Any) -> list[Bar]:
    command = [str(BIN / "python"), "manage.py", "bootstrap", "--serve"]
    with _served(command, environment) as (root, client):
        _request_lists(client, tokens)
        time.sleep(REST_SECONDS)
        one = _shown("One model, at rest", root)
        with _peak(root) as peak:
            version = site.train()
        site.make_champion(version)
        _request_lists(client, tokens, version)
        site.run_every_task()
        time.sleep(REST_SECONDS)
        two = _shown("Two models, at rest", root)
    worker = [mean(usage.private_mb for usage in found if usage.group == WEB) for found in (one, two)]
    return [
        Bar("all processes at rest, two models", total_mb(two), 600),
        Bar("all processes, the most during a training", max(peak), 1500),
        Bar("one more web process", worker[1], 60),
        Bar("a second model, in each web process", worker[1] - worker[0], 30),
    ]


def _one_group(environment: dict[str, str], tokens: list[str], site: Any) -> list[Bar]:
    with _served(["deploy/entrypoint", "all"], environment | {"WEB_WORKERS": "1"}) as (root, client):
        _request_lists(client, tokens)
        site.run_every_task()
        time.sleep(REST_SECONDS)
        found = _shown("Free tier: one group of processes, two models, at rest", root)
    return [Bar("one group of processes for a free tier", total_mb(found), 420)]


@contextmanager
def _served(command: list[str], environment: dict[str, str]) -> Iterator[tuple[int, httpx.Client]]:
    """Yields the site's main process and a client of its API."""
    port = free_port()
    own = {"PORT": str(port), "HEALTH_PORT": str(free_port()), "HOST": "127.0.0.1"}
    log = Path(environment["VAR_DIR"]).parent / "site.log"
    process = start(command, log=log, environment=os.environ | environment | own)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_for(lambda: _is_ready(client), seconds=300, what=f"the site answers; see {log}")
            yield process.pid, client
    finally:
        end(process, 60)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _request_lists(client: httpx.Client, tokens: list[str], version: int | None = None) -> None:
    """Requests lists on separate connections, so that every web process answers some."""
    if version is not None:
        time.sleep(SWAP_SECONDS)
    for token in islice(cycle(tokens), N_REQUESTS):
        headers = {"Authorization": f"Token {token}", "Connection": "close"}
        answer = client.get("/api/v1/recommendations/?k=10", headers=headers).raise_for_status().json()
        if answer["fallback"] or answer["model_version"] is None or version not in (None, answer["model_version"]):
            raise SystemExit(f"Not a list of the champion: {answer['model_version']}, {answer['fallback']}")


@contextmanager
def _peak(root: int) -> Iterator[list[float]]:
    """Collects the memory of all processes every half second."""
    found, stop = [0.0], threading.Event()

    def collect() -> None:
        while not stop.wait(0.5):
            found.append(total_mb(usages(root)))

    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def _shown(title: str, root: int) -> list[Usage]:
    found = usages(root)
    groups = dict.fromkeys(usage.group for usage in found)
    rows: list[dict[str, Any]] = []
    for group in groups:
        of_group = [usage for usage in found if usage.group == group]
        row = {"processes": group, "n": len(of_group), "PSS MB": total_mb(of_group)}
        rows.append(row | {"private MB, each": mean(usage.private_mb for usage in of_group)})
    rows.append({"processes": "all", "n": len(found), "PSS MB": total_mb(found)})
    print(render(title, rows, {"PSS MB": 0, "private MB, each": 0}), flush=True)
    return found


if __name__ == "__main__":
    main()
