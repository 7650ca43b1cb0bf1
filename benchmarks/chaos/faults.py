"""Faults other than kills. Each is a context manager that repairs the site on exit."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg2

from benchmarks.chaos.installation import Installation, Means

HOUR = 3600
N_SENDERS = 12
FILL = 2**20  # bytes per write when filling a disk


class Fault(NamedTuple):
    """A fault. `stops_site`: requests that need the database fail. `stops_jobs`: workers get no messages. `ends_runs`:
    a training may fail with a reason. `ends_champion`: no process may keep serving it.
    """

    description: str
    inject: Callable[[Installation], AbstractContextManager[None]]
    seconds: float = 20.0
    stops_site: bool = False
    stops_jobs: bool = False
    ends_runs: bool = False
    ends_champion: bool = False


@contextmanager
def full_disk(site: Installation) -> Iterator[None]:
    filler = site.var / "filler"
    with filler.open("wb", buffering=0) as file:
        size = FILL
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only_disk(site: Installation) -> Iterator[None]:
    """Mounts the folder read-only. Files that are already open can still be written."""
    for options in (["--bind", site.var], ["-o", "remount,ro,bind"]):
        subprocess.run(["mount", *options, site.var], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", site.var], check=True)


def hung(server: str) -> Callable[[Installation], AbstractContextManager[None]]:
    @contextmanager
    def inject(site: Installation) -> Iterator[None]:
        site.servers[server].suspend()
        try:
            yield
        finally:
            site.servers[server].resume()

    return inject


def clock(seconds: int) -> Callable[[Installation], AbstractContextManager[None]]:
    @contextmanager
    def inject(site: Installation) -> Iterator[None]:
        site.set_clock(seconds)
        try:
            yield
        finally:
            site.set_clock(0)

    return inject


@contextmanager
def overwritten_artefact(site: Installation) -> Iterator[None]:
    """Overwrites the second half of the champion's largest array with zeros."""
    file = max((site.var / "models" / _champion(site)).glob("*.np*"), key=lambda path: path.stat().st_size)
    content, mode = file.read_bytes(), file.stat().st_mode
    _write(file, content[: len(content) // 2].ljust(len(content), b"\0"), mode)
    try:
        yield
    finally:
        if file.exists():
            _write(file, content, mode)


def _write(file: Path, content: bytes, mode: int) -> None:
    file.chmod(0o600)
    with file.open("r+b") as opened:
        opened.write(content)
    file.chmod(mode)


def _champion(site: Installation) -> str:
    with closing(psycopg2.connect(site.environment["DATABASE_URL"])) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT artifact FROM mlops_modelversion WHERE status = 'champion'")
        return str(cursor.fetchone()[0])


@contextmanager
def slow_senders(site: Installation) -> Iterator[None]:
    """Opens slow connections that never end the header or the body. Each sends a byte per second."""
    stop = threading.Event()
    threads = [threading.Thread(target=_send_slowly, args=(site.port, n % 2 == 0, stop)) for n in range(N_SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _send_slowly(port: int, in_header: bool, stop: threading.Event) -> None:
    start = b"POST /api/v1/token/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    while not stop.is_set():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as sender:
            sender.sendall(start + (b"X-Slow: " if in_header else b'Content-Length: 999\r\n\r\n{"username": "'))
            while not stop.wait(1):
                sender.sendall(b"a")


FAULTS = {
    "full-disk": Fault("no space is left under VAR_DIR", full_disk, ends_runs=True),
    "read-only-disk": Fault("VAR_DIR cannot be written", read_only_disk, ends_runs=True),
    "hung-redis": Fault("Redis is suspended (SIGSTOP)", hung("redis"), stops_jobs=True),
    "hung-postgres": Fault("Postgres is suspended (SIGSTOP)", hung("postgres"), 40.0, stops_site=True, stops_jobs=True),
    "mlflow-500": Fault("MLflow answers 500", lambda site: site.proxies["mlflow"].failing()),
    "cut-connections": Fault(
        "the site has no connection to Postgres",
        lambda site: site.proxies["postgres"].cut(),
        10.0,
        stops_site=True,
        stops_jobs=True,
    ),
    "clock-ahead": Fault("the clock is an hour ahead", clock(HOUR)),
    "clock-behind": Fault("the clock is an hour behind", clock(-HOUR)),
    "overwritten-artefact": Fault(
        "the champion's file is overwritten in place", overwritten_artefact, ends_champion=True
    ),
    "slow-senders": Fault(f"{N_SENDERS} clients send a byte a second", slow_senders),
}
DISKS, CLOCKS = {"full-disk", "read-only-disk"}, {"clock-ahead", "clock-behind"}


def means_of(faults: list[str]) -> Means:
    """Returns the prerequisites of the faults. Raises SystemExit if this machine cannot inject one."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if DISKS & set(faults) and os.geteuid() != 0:
        raise SystemExit(f"{', '.join(sorted(DISKS))} mount a small file system, which only root may; see --faults")
    if CLOCKS & set(faults) and library is None:
        raise SystemExit("libfaketime was not found (on Debian: apt-get install faketime)")
    return Means(bool(faults), bool(DISKS & set(faults)), library if CLOCKS & set(faults) else None)
