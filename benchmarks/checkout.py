"""Runs scripts and commands with the code of another checkout of this repository."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Sections = Mapping[str, Mapping[str, Any]]

OUTSIDE = (  # variables of the environment that are hidden from a benchmark's site
    "CACHE_URL",
    "DATABASE_URL",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_MODEL_NAME",
    "MODEL_DIR",
    "REDIS_URL",
    "SNAPSHOT_DIR",
    "TMDB_READ_TOKEN",
)


@dataclass(frozen=True)
class Usage:
    """Resources used by a process and the children that it waited for."""

    code: int
    seconds: float
    cpu_seconds: float


class Checkout:
    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        python = self.root / ".venv" / "bin" / "python"
        self.python = str(python) if python.exists() else sys.executable
        self.environment = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
        self.environment |= {"PYTHONPATH": str(self.root), "OPENBLAS_NUM_THREADS": "1"}

    def use_site(self, folder: Path, policy: Sections, *, database: str = "") -> None:
        """Configures a site in the folder. `policy` overrides the checkout's config.yaml."""
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / f"{self.root.name}.yaml"
        config.write_text(yaml.safe_dump(self._policy(policy), sort_keys=False), encoding="utf-8")
        self.environment |= {
            "VAR_DIR": str(folder / "var"),
            "CONFIG_FILE": str(config),
            "ENV_FILE": str(folder / "no.env"),
            "DJANGO_SETTINGS_MODULE": "movierec.settings",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        if database:
            secrets = {"SECRET_KEY": "benchmark-only", "METRICS_TOKEN": "benchmark-only"}
            self.environment |= {"DATABASE_URL": database, **secrets}

    def _policy(self, changes: Sections) -> dict[str, Any]:
        policy = yaml.safe_load((self.root / "config.yaml").read_text(encoding="utf-8")) or {}
        return policy | {name: policy.get(name, {}) | dict(values) for name, values in changes.items()}

    def script(self, path: Path, *arguments: object, **variables: str) -> int:
        """Runs the script and returns its exit code. Its output goes to stderr."""
        return self._run("-P", str(path), *map(str, arguments), **variables)

    def manage(self, *arguments: object) -> int:
        return self._run("manage.py", *map(str, arguments))

    def measured(self, *arguments: str, **variables: str) -> Usage:
        """Runs Python with these arguments. The output goes to stderr."""
        begin, command = time.perf_counter(), [self.python, *arguments]
        process = subprocess.Popen(command, cwd=self.root, env=self.environment | variables, stdout=sys.stderr)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Usage(process.returncode, time.perf_counter() - begin, used.ru_utime + used.ru_stime)

    def _run(self, *arguments: str, **variables: str) -> int:
        command = [self.python, *arguments]
        environment = self.environment | variables
        return subprocess.run(command, cwd=self.root, env=environment, stdout=sys.stderr, check=False).returncode


def say(line: str) -> None:
    print(f"== {line}", file=sys.stderr, flush=True)
