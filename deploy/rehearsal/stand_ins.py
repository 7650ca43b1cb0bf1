"""Local stand-ins for external services: Render's API as documented, and the container that Render starts."""

import json
import os
import shutil
import signal
import subprocess
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rehearsal.workflow import ROOT

STAGES = ("queued", "build_in_progress", "update_in_progress", "live")


class Container:
    """Runs the site like Render's free instance type: in one process group, with an empty disk at each start."""

    def __init__(self, environment: dict[str, str], disk: Path, log: Path) -> None:
        self.environment, self.disk, self.log = environment, disk, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.kill()
        shutil.rmtree(self.disk, ignore_errors=True)
        self.disk.mkdir()
        values = self.environment | {"VAR_DIR": str(self.disk), "TMPDIR": str(self.disk)}
        with self.log.open("ab") as log:
            command = ["deploy/entrypoint", "all"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=values, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Render:
    """Render's API. `calls` holds the received requests.

    Each request for the status of a deployment advances it by one stage, or sets it to `failing` if that is not empty.
    """

    failing = ""

    def __init__(self, container: Container, key: str) -> None:
        self.container, self.key = container, key
        self.calls: list[tuple[str, str, Any]] = []
        self.deploys: dict[str, list[dict[str, Any]]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def was_live(self, service: str, commit: str) -> None:
        self.deploys[service] = [_deploy(0, commit) | {"status": STAGES[-1]}]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.calls.append((method, path, body))
        parts = path.partition("?")[0].split("/")[2:]
        if len(parts) < 3 or parts[0] != "services":
            return 404, {"id": "rehearsal", "message": "not found"}
        deploys = self.deploys.setdefault(parts[1], [])
        if method == "POST" and parts[2] == "deploys":
            deploys.insert(0, _deploy(len(deploys), body["commitId"]))
            # Render returns 202 without a body if another deploy is in progress. Here every second deploy gets one.
            return (201, deploys[0]) if len(deploys) % 2 else (202, None)
        if method == "GET" and parts[2] == "deploys" and len(parts) == 3:
            return 200, [{"deploy": deploy, "cursor": deploy["id"]} for deploy in deploys]
        if method == "GET" and parts[2] == "deploys":
            return self._look(next(deploy for deploy in deploys if deploy["id"] == parts[3]), deploys)
        if method == "POST" and parts[2] == "rollback":
            former = next(deploy for deploy in deploys if deploy["id"] == body["deployId"])
            deploys.insert(0, _deploy(len(deploys), former["commit"]["id"]) | {"trigger": "rollback"})
            return 201, deploys[0]
        if method == "POST" and parts[2] == "restart":
            self.container.start()
            return 200, None
        return 404, {"id": "rehearsal", "message": "not found"}

    def _look(self, deploy: dict[str, Any], deploys: list[dict[str, Any]]) -> tuple[int, Any]:
        if self.failing:
            deploy["status"] = self.failing
        elif deploy["status"] in STAGES[:-1]:
            deploy["status"] = STAGES[STAGES.index(deploy["status"]) + 1]
            if deploy["status"] == STAGES[-1]:
                for other in deploys[1:]:
                    other["status"] = "deactivated"
                self.container.start()
        return 200, deploy


def _deploy(number: int, commit: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    about = {"commit": {"id": commit, "message": "", "createdAt": now}, "trigger": "api"}
    return {"id": f"dep-{number}", "status": STAGES[0], "createdAt": now, "updatedAt": now, **about}


def _handler(render: Render) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers["Authorization"] != f"Bearer {render.key}":
                status, found = 401, {"id": "rehearsal", "message": "Unauthorized"}
            else:
                status, found = render.answer(self.command, self.path, json.loads(text) if text else None)
            content = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 # names required by http.server

        def log_message(self, *arguments: Any) -> None: ...

    return Handler
