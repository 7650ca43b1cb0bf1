"""Servers under load, each on a free port with its own log. Measures memory including child processes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from benchmarks.chaos.processes import end, wait_for

START_SECONDS = 180.0


class WebServer:
    def __init__(
        self, command: Sequence[str], *, port: int, cwd: Path, log: Path, environment: Mapping[str, str], ready: str
    ) -> None:
        """Starts the server. `ready` is a URL that returns 200 when all is loaded, or "" for any response."""
        self.address, self._log, self._ready = f"http://127.0.0.1:{port}", log, ready
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=cwd, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def wait(self) -> None:
        wait_for(lambda: self._has_ended() or self._answers(), seconds=START_SECONDS, what=f"{self._log.stem} answers")
        if self._has_ended():
            raise SystemExit(f"{self._log.stem} did not start. End of its log:\n{self._log.read_text()[-3000:]}")

    def end(self) -> None:
        end(self._process)

    def memory_mb(self) -> float:
        """Returns the memory of the process and its children (sum of proportional set sizes)."""
        parent, total = psutil.Process(self._process.pid), 0
        for process in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
        return total / 2**20

    def _has_ended(self) -> bool:
        return self._process.poll() is not None

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            status = httpx.get(self.address + self._ready, timeout=5).status_code
            return status == 200 or not self._ready
        return False


def clean_environment() -> dict[str, str]:
    """Returns the environment with one BLAS thread per process, because more would compete."""
    return os.environ | {"OPENBLAS_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
