"""A complete test site in a temporary folder: web, workers and Beat under the same supervisor as `make run`.

Starts its own Postgres, Redis and MLflow. URLs can replace the first two. Everything stops at the end of the `with`
block, also after Ctrl-C. If this process is killed, `deploy/watch.py` stops the supervisor.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import django
import httpx
import psutil
import yaml

from benchmarks.chaos.processes import BIN, ROOT, end, free_port, kill_group, start, wait_for
from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.servers import MLflow, Postgres, Redis
from benchmarks.checkout import Sections

CHILDREN = {  # name -> a word that occurs only in this child's command line
    "web": "gunicorn",
    "worker": "default",
    "training": "training",
}
SERVERS = ("redis", "mlflow", "postgres")
TARGETS = ("training", "worker", *SERVERS)  # targets of kill tests
PASSWORD = "correct horse battery staple"
DISK = "400m"  # size of the disk in tests that fill it
# libfaketime 0.9.10 makes clock_nanosleep fail unless it also changes the monotonic clock.
SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
WEB_THREADS = 2  # per web process; the four processes have as many threads as a site by default


class Means(NamedTuple):
    """Prerequisites for injecting faults."""

    has_proxies: bool = False
    has_small_disk: bool = False
    clock_library: Path | None = None  # path of libfaketime


class Installation:
    def __init__(
        self,
        *,
        policy: Sections,
        web_workers: int = 4,
        database_url: str = "",
        redis_url: str = "",
        prefix: str = "",
        means: Means = Means(),  # noqa: B008 (immutable)
    ) -> None:
        self._policy, self._web_workers, self._means = policy, web_workers, means
        self._database_url, self._redis_url, self._prefix = database_url, redis_url, prefix
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Installation:
        self.folder = Path(tempfile.mkdtemp(prefix="movierec-chaos-"))
        self.folder.chmod(0o711)  # Postgres runs as another user and needs access to its own folder
        self.var, self.logs = self.folder / "var", self.folder / "log"
        self.var.mkdir()
        if self._means.has_small_disk:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.var], check=True)
        for folder in (self.logs, self.var / "log"):
            folder.mkdir()
        os.environ.pop("CACHE_URL", None)
        self.environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"} | self._settings()
        # Redis does not start with libfaketime, and MLflow becomes very slow.
        clean = {name: value for name, value in self.environment.items() if name != "LD_PRELOAD"}
        self.servers = {
            name: kind(self.folder / name, self.logs / f"{name}.log", environment)
            for name, kind, environment in (
                ("postgres", Postgres, self.environment),
                ("redis", Redis, clean),
                ("mlflow", MLflow, clean),
            )
        }
        try:
            self._start_servers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._supervisor is not None:
            groups = [child.pid for child in self._children().values()]
            end(self._supervisor, 60)
            for pid in groups:
                kill_group(pid)
        for server in self.servers.values():
            server.resume()
            server.end()
        if self._means.has_small_disk:
            subprocess.run(["umount", "--lazy", self.var], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _settings(self) -> dict[str, str]:
        """Returns settings that do not depend on the developer's own site or external services."""
        blank = ("MOVIELENS_PATH", "MOVIELENS_URL", "TMDB_READ_TOKEN", "DVC_REMOTE_URL", "ALERT_EMAILS")
        return (
            dict.fromkeys((*blank, "ALERT_WEBHOOK_URL"), "")
            | {
                "DJANGO_SETTINGS_MODULE": "movierec.settings",
                "ENV_FILE": str(self.folder / "no.env"),
                "VAR_DIR": str(self.var),
                "CONFIG_FILE": str(self._write_policy()),
                "SECRET_KEY": "test-site-only",
                "METRICS_TOKEN": "test-site-only",
                "PORT": str(self.port),
                "HOST": "127.0.0.1",
                "WEB_WORKERS": str(self._web_workers),
                "WEB_THREADS": str(WEB_THREADS),
                "SITE_DIR": str(ROOT),
                "MAKE_PID": str(os.getpid()),
                "MODEL_DIR": str(self.var / "models"),
                "SNAPSHOT_DIR": str(self.var / "snapshots"),
                "STATIC_ROOT": str(self.var / "static"),
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            }
            | self._clock_settings()
        )

    def _clock_settings(self) -> dict[str, str]:
        """Returns settings that make the site's processes and Postgres use the clock of `set_clock`."""
        self._clock = self.folder / "clock"
        self.set_clock(0)
        if self._means.clock_library is None:
            return {}
        (self.folder / "sitecustomize.py").write_text(SLEEP, encoding="utf-8")
        return {
            "PYTHONPATH": str(self.folder),
            "LD_PRELOAD": str(self._means.clock_library),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set_clock(self, seconds: int) -> None:
        """Sets the site's clock this far ahead of the real one. Takes effect within a second."""
        self._clock.write_text(f"{seconds:+d}\n", encoding="ascii")

    def _write_policy(self) -> Path:
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(self._policy, sort_keys=False), encoding="utf-8")
        return path

    def _start_servers(self) -> None:
        postgres, redis, mlflow = (self.servers[name] for name in ("postgres", "redis", "mlflow"))
        if not self._database_url:
            postgres.prepare()
            postgres.launch()
        if not self._redis_url:
            redis.prepare()
            redis.launch()
            redis.wait()
        mlflow_store = f"sqlite:///{self.folder / 'mlflow.db'}"
        if not self._database_url:
            postgres.wait()
            for database in ("movierec", "mlflow"):
                postgres.create(database)
            mlflow_store = postgres.url("mlflow").replace("postgres://", "postgresql+psycopg2://")
        mlflow.prepare(mlflow_store)
        mlflow.launch()
        self.environment |= {
            "DATABASE_URL": self._database_url or postgres.url("movierec"),
            "REDIS_URL": self._redis_url or redis.url,
            "REDIS_PREFIX": self._prefix or "movierec",
            "MLFLOW_TRACKING_URI": mlflow.url,
        }

    def _proxied(self) -> dict[str, str]:
        """Returns the addresses used by the site itself."""
        if not self._means.has_proxies:
            return {}
        self.proxies = {name: Proxy(self.servers[name].port) for name in ("postgres", "mlflow")}
        return {
            key: self.environment[key].replace(f":{self.servers[name].port}", f":{self.proxies[name].port}")
            for key, name in (("DATABASE_URL", "postgres"), ("MLFLOW_TRACKING_URI", "mlflow"))
        }

    def load(self, module: str) -> Any:
        """Configures Django in this process with the test site's settings, then imports a module that has models."""
        os.environ.update({name: value for name, value in self.environment.items() if name != "LD_PRELOAD"})
        django.setup()
        return import_module(module)

    def serve(self) -> None:
        """Starts the processes of `make run` and waits for all of them."""
        program = str(BIN / "supervisord")
        command = [program, "--configuration", str(ROOT / "deploy" / "supervisord.conf")]
        self.servers["mlflow"].wait()
        environment = self.environment | self._proxied()
        self._supervisor = start(command, log=self.logs / "supervisord.log", environment=environment)
        wait_for(self.is_ready, seconds=120, what=f"{self.address} answers; see {self.var / 'log'}")
        wait_for(self._has_all_web_processes, seconds=30, what=f"{self._web_workers} web processes run")

    def _has_all_web_processes(self) -> bool:
        """Returns whether all web processes run. The first one answers before the last one has started."""
        return len(self.web_process().children()) == self._web_workers

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self, name: str) -> None:
        if name in SERVERS:
            self.servers[name].kill()
        else:
            kill_group(self._children()[name].pid)

    def bring_back(self, name: str, *, after: float) -> float:
        """Starts a server again after this many seconds. The supervisor restarts children at once.

        Returns the start time, on the monotonic clock, once the server answers.
        """
        started = time.monotonic()
        if name in SERVERS:
            time.sleep(after)
            started = time.monotonic()
            self.servers[name].launch()
            self.servers[name].wait()
        else:
            wait_for(lambda: name in self._children(), seconds=30, what=f"{name} is started again")
        return started

    def web_process(self) -> psutil.Process:
        """Returns the gunicorn master. Its children answer requests."""
        return self._children()["web"]

    def keep_logs(self, folder: str) -> None:
        for source in (self.logs, self.var / "log"):
            shutil.copytree(source, folder, dirs_exist_ok=True)

    def _children(self) -> dict[str, psutil.Process]:
        found = {}
        for child in psutil.Process(self._supervisor.pid).children() if self._supervisor else []:
            try:
                words = child.cmdline()
            except psutil.Error:
                continue
            for name, word in CHILDREN.items():
                if any(part == word or part.endswith(f"/{word}") for part in words):
                    found[name] = child
        return found
