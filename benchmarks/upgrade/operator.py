"""An operator who follows the steps of docs/upgrading.md on a site in a folder, line by line.

Two commands are replaced: `git checkout` copies the files of a checkout, and `make` installs nothing, because the
libraries of this environment are used. Comments that begin with Stop and Start are also steps.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx

from benchmarks.chaos.processes import end, free_port, wait_for
from benchmarks.chaos.servers import MLflow
from benchmarks.checkout import Checkout, say

DOCUMENT = Path("docs/upgrading.md")
BY_HAND = re.compile(r"# (?:\d\. )?(Stop|Start)\b")
STARTED_SECONDS, STOPPED_SECONDS = 600, 120


class Operator:
    """Runs the site's code in `folder`/site. Keeps copies next to it."""

    def __init__(self, folder: Path, *, old: Path, new: Path, mlflow_database: str = "") -> None:
        self.root, self.old, self.new = folder / "site", old.resolve(), new.resolve()
        self.root.mkdir()
        (self.root / ".venv").symlink_to(Path(sys.prefix))
        self._installed: list[str] = []
        self.install(self.old)
        self.checkout = Checkout(self.root)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._logs = folder / "log"
        self._logs.mkdir()
        self.mlflow = MLflow(self.root / "var" / "mlflow", self._logs / "mlflow.log", self.checkout.environment)
        self.mlflow.store = f"postgresql+psycopg2://{mlflow_database}" if mlflow_database else ""

    def install(self, source: Path) -> None:
        """Replaces the files of the previous revision by those of `source`, like `git checkout`."""
        for name in self._installed:
            (self.root / name).unlink()
        self._installed = [name for name in _listed(source) if (source / name).is_file()]
        for name in self._installed:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, self.root / name)

    def follow(self, section: str, number: int) -> Iterator[tuple[str, str]]:
        """Runs the lines of a section's block of commands. Yields each with its error."""
        for line in commands(self.new, section, number):
            say(line)
            yield line, self._take(line)

    def _take(self, line: str) -> str:
        step = BY_HAND.match(line)
        match line.split():
            case _ if step:
                return self.stop() if step[1] == "Stop" else self.start()
            case ["#", *_] | ["make", "setup"]:
                return ""
            case ["git", "checkout", revision, *_]:
                self.install(self.new if revision == "NEW" else self.old)
                return ""
            case ["make", "run"]:
                return self.start()
        return self.run(line.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}"))

    def run(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.root,
            env=self.checkout.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout, file=sys.stderr)
        return f"exit code {done.returncode}: {done.stdout.strip()[-300:]}" if done.returncode else ""

    def start_mlflow(self) -> None:
        if self.mlflow.store and not self.mlflow.answers():
            self.mlflow.launch()
            self.mlflow.wait()

    def start(self) -> str:
        """Runs `make run`, and MLflow's server if the site has one."""
        if self._process is not None:
            return ""
        self.start_mlflow()
        log = self._logs / "make.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["env", "--default-signal=INT", "make", "run", "RUN="],
                cwd=self.root,
                env=self.checkout.environment | {"PORT": str(self.port), "HEALTH_PORT": str(free_port())},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        process = self._process
        wait_for(
            lambda: process.poll() is not None or self._answers(), seconds=STARTED_SECONDS, what="the site answers"
        )
        return "" if process.poll() is None else f"it ended: {log.read_text()[-300:]}"

    def stop(self) -> str:
        """Sends Ctrl-C. Returns a problem if processes of the site remain."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOPPED_SECONDS)
            self._process = None
        self.mlflow.end()
        deadline = time.monotonic() + STOPPED_SECONDS
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(1)
        return f"processes are left: {', '.join(left)}" if left else ""

    def close(self) -> None:
        """Ends all processes."""
        if self._process is not None:
            end(self._process, STOPPED_SECONDS)
        self.mlflow.end()
        for pid in self._left():
            os.kill(int(pid), signal.SIGKILL)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _left(self) -> list[str]:
        """Returns processes that were started with this site's VAR_DIR, with any parent and group."""
        mark, found = f"VAR_DIR={self.checkout.environment['VAR_DIR']}".encode(), []
        for file in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in file.read_bytes().split(b"\0"):
                    found.append(file.parent.name)
            except OSError:
                continue
        return found


def _listed(source: Path) -> list[str]:
    """Returns the files of a working tree, including uncommitted ones but without ignored ones."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True).stdout
    return sorted(set(found.split("\0")) - {"", ".venv"})


def commands(checkout: Path, section: str, number: int) -> list[str]:
    """Returns the lines of a section's block of commands in the document."""
    text = (checkout / DOCUMENT).read_text(encoding="utf-8")
    part = re.search(rf"^## {re.escape(section)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if part is None:
        raise SystemExit(f"{DOCUMENT} has no section {section!r}")
    blocks = re.findall(r"^```sh\n(.*?)^```$", part[1], re.MULTILINE | re.DOTALL)
    return [line.strip() for line in blocks[number].splitlines() if line.strip()]
