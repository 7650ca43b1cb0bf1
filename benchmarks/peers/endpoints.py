"""Endpoints over `mlflow.pyfunc`: FastAPI with EASE or the site's champion, and MLflow's own server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from benchmarks.chaos.processes import BIN, free_port
from benchmarks.checkout import say
from benchmarks.peers.servers import WebServer, clean_environment
from benchmarks.peers.sites import WORKERS, Site, post

HERE = Path(__file__).resolve().parent


def make_environment(folder: Path) -> Path:
    """Creates a virtual environment with this folder's additional requirements. Returns its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        say("Making the environment of the endpoints")
        venv.create(folder, with_pip=True)
        packages = next((folder / "lib").glob("python*/site-packages"))
        (packages / "around.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
        command = [python, "-m", "pip", "install", "--quiet", "--requirement", HERE / "requirements.txt"]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return python


def build_peer(source: Path, folder: Path, data: Path, python: Path) -> None:
    """Copies the peer's files to `folder` and runs its build.py there, unless an earlier run did."""
    if (folder / "built").exists():
        return
    say(f"Building the peer of {source}")
    shutil.copytree(source, folder, dirs_exist_ok=True)
    environment = clean_environment() | _peer_variables(folder) | {"SHARED_DATA": str(data), "OPENBLAS_NUM_THREADS": ""}
    subprocess.run([python, "build.py"], cwd=folder, env=environment, check=True, stdout=sys.stderr)
    (folder / "built").touch()


def serve_peer(folder: Path, python: Path) -> WebServer:
    return _uvicorn(folder, python, folder / "peer.log", clean_environment() | _peer_variables(folder))


def serve_champion(site: Site, python: Path) -> WebServer:
    variables = {"MODEL": site.facts["model"], "HISTORIES": str(site.folder / "histories.json")}
    log = site.folder / "pyfunc.log"
    return _uvicorn(HERE / "fastapi_champion", python, log, site.model_environment | variables)


def serve_by_mlflow(site: Site) -> WebServer:
    port = free_port()
    options = [
        "--model-uri",
        site.facts["model"],
        "--port",
        str(port),
        "--workers",
        str(WORKERS),
        "--env-manager",
        "local",
    ]
    return WebServer(
        [str(BIN / "mlflow"), "models", "serve", *options],
        port=port,
        cwd=site.folder,
        log=site.folder / "mlflow-serve.log",
        environment=site.model_environment | {"PATH": f"{BIN}:{clean_environment()['PATH']}"},
        ready="/ping",
    )


def ids_for(users: list[int]) -> list[str]:
    return [post(f"/recommend?user_id={user}&num_recommendations=10") for user in users]


def invocations(site: Site) -> list[str]:
    """Returns requests with a history each, because MLflow's server does not store histories."""
    histories = json.loads((site.folder / "histories.json").read_text(encoding="utf-8"))
    bodies = ({"dataframe_records": [{"history": history}], "params": {"k": 10}} for history in histories.values())
    return [post("/invocations", json.dumps(body)) for body in bodies]


def check_ids(sample: str) -> None:
    found = json.loads(sample)["recommendations"]
    if len(found) != 10 or not all(isinstance(movie, int) for movie in found):
        raise SystemExit(f"Expected the ids of ten movies, got {sample[:200]}")


def check_predictions(sample: str) -> None:
    if len(json.loads(sample)["predictions"]) != 10:
        raise SystemExit(f"Expected ten predictions, got {sample[:200]}")


def _peer_variables(folder: Path) -> dict[str, str]:
    return {"PEER_DIR": str(folder)}


def _uvicorn(cwd: Path, python: Path, log: Path, environment: dict[str, str]) -> WebServer:
    port = free_port()
    options = ["--workers", str(WORKERS), "--no-access-log", "--host", "127.0.0.1", "--port", str(port)]
    options += ["--timeout-worker-healthcheck", "60"]  # by default it kills workers that take 5 s to import mlflow
    command = [str(python), "-m", "uvicorn", "app:app", *options]
    return WebServer(command, port=port, cwd=cwd, log=log, environment=environment, ready="")
