"""Servers of a test site: Postgres, Redis with an append-only file, and MLflow. Each can be killed."""

from __future__ import annotations

import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg2
import redis

from benchmarks.chaos.processes import BIN, end, free_port, kill_group, start, wait_for

START_TIMEOUT = 120.0  # seconds, for a busy machine


class Server(ABC):
    """A process on a free port. After a kill it starts again with the data on disk."""

    name = ""

    def __init__(self, folder: Path, log: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.log, self.environment = folder, log, environment
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def options(self) -> dict[str, Any]:
        return {}

    def launch(self) -> None:
        self._process = start(self.command(), log=self.log, environment=self.environment, **self.options())

    def wait(self) -> None:
        wait_for(lambda: self._has_ended() or self.answers(), seconds=START_TIMEOUT, what=f"{self.name} answers")
        if self._has_ended():
            raise SystemExit(f"{self.name} did not start. End of its log:\n{self.log.read_text()[-2000:]}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kills the whole group at once with SIGKILL, like a power failure."""
        if self._process is not None:
            kill_group(self._process.pid)
            self._process.wait()

    def suspend(self) -> None:
        """Suspends the server and its children. They keep their connections but do not answer."""
        for process in self._processes():
            process.suspend()

    def resume(self) -> None:
        for process in reversed(self._processes()):
            process.resume()

    def end(self) -> None:
        if self._process is not None:
            end(self._process)

    def _processes(self) -> list[psutil.Process]:
        """Returns the processes, parent first, because a suspended parent starts no more children."""
        if self._process is None:
            return []
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


class Postgres(Server):
    name = "Postgres"

    def prepare(self) -> None:
        self.folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        done = subprocess.run(
            [_postgres("initdb"), "--pgdata", self.folder / "data", "--username", "postgres", "--auth", "trust"],
            capture_output=True,
            text=True,
            check=False,
            **self.options(),
        )
        if done.returncode:
            raise SystemExit(f"initdb failed: {done.stderr[-2000:]}")

    def options(self) -> dict[str, Any]:
        """Returns options for running as another user, because Postgres refuses to run as root."""
        is_root = os.geteuid() == 0
        return {"user": "postgres", "group": "postgres", "extra_groups": []} if is_root else {}

    def command(self) -> list[str]:
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [_postgres("postgres"), "-D", str(self.folder / "data"), *options]

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def answers(self) -> bool:
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url(), connect_timeout=5).close()
            return True
        return False

    def create(self, database: str) -> None:
        connection = psycopg2.connect(self.url())
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{database}"')
        connection.close()


class Redis(Server):
    """Redis, configured as in docker-compose.yml, so that queued messages survive a crash."""

    name = "Redis"

    def prepare(self) -> None:
        self.folder.mkdir()

    def command(self) -> list[str]:
        program = shutil.which("redis-server")
        if program is None:
            raise SystemExit("redis-server was not found (on Debian: apt-get install redis-server)")
        own = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [program, *own, "--appendonly", "yes", "--maxmemory-policy", "noeviction"]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        with suppress(redis.RedisError):
            return bool(redis.Redis.from_url(self.url, socket_timeout=2).ping())
        return False


class MLflow(Server):
    """MLflow. Stores its rows in `store`, and uses the same store again after a kill."""

    name = "MLflow"
    store = ""

    def prepare(self, store: str) -> None:
        self.folder.mkdir()
        self.store = store

    def command(self) -> list[str]:
        options = [f"--backend-store-uri={self.store}", f"--artifacts-destination={self.folder}"]
        return [str(BIN / "mlflow"), "server", "--host=127.0.0.1", f"--port={self.port}", "--workers=1", *options]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        return False


def _postgres(program: str) -> str:
    """Returns the path of a server program, which Debian does not put on the PATH."""
    found = shutil.which(program) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)), None
    )
    if found is None:
        raise SystemExit(f"{program} was not found (on Debian: apt-get install postgresql)")
    return found
