"""Persistent connections to each web process, to find out which model version it serves."""

from __future__ import annotations

import time
from contextlib import suppress

import httpx
import psutil

from benchmarks.chaos.processes import wait_for

TRIES = 200
PAUSE = 0.2


class WorkerClients:
    """One client for each gunicorn worker, found by the process at the other end of the connection."""

    def __init__(self, address: str, token: str, master: psutil.Process) -> None:
        self._address, self._headers = address, {"Authorization": f"Token {token}"}
        self._workers = [child.pid for child in master.children()]
        self._clients: dict[int, httpx.Client] = {}

    def __enter__(self) -> WorkerClients:
        for _ in range(TRIES):
            if len(self._clients) == len(self._workers):
                return self
            self._connect()
        raise AssertionError(
            f"{len(self._clients)} of {len(self._workers)} web processes answered in {TRIES} connections"
        )

    def __exit__(self, *exc_info: object) -> None:
        for client in self._clients.values():
            client.close()

    def __len__(self) -> int:
        return len(self._workers)

    def versions(self) -> dict[int, int | None]:
        """Returns the version that each process serves, keyed by process id."""
        return {pid: self._list(client).json()["model_version"] for pid, client in self._clients.items()}

    def seconds_until(self, version: int, *, within: float) -> dict[int, float]:
        """Returns how many seconds each process took to serve this version."""
        started, found = time.monotonic(), dict[int, float]()

        def all_do() -> bool:
            for pid, served in self.versions().items():
                if served == version:
                    found.setdefault(pid, time.monotonic() - started)
            return len(found) == len(self)

        wait_for(all_do, seconds=within, what=f"all web processes serve version {version}", pause=PAUSE)
        return found

    def _connect(self) -> None:
        client = httpx.Client(base_url=self._address, headers=self._headers, timeout=30)
        pid = self._process_of(self._list(client))
        if pid is None or pid in self._clients:
            client.close()
        else:
            self._clients[pid] = client

    def _list(self, client: httpx.Client) -> httpx.Response:
        return client.get("/api/v1/recommendations/").raise_for_status()

    def _process_of(self, answer: httpx.Response) -> int | None:
        own = answer.extensions["network_stream"].get_extra_info("client_addr")
        for pid in self._workers:
            with suppress(psutil.Error):
                if any(end.raddr == tuple(own) for end in psutil.Process(pid).net_connections("tcp")):
                    return pid
        return None
