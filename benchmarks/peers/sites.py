"""Sites of this and other checkouts. They are filled once in a folder and served by gunicorn as with `make run`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.chaos.processes import free_port
from benchmarks.checkout import Checkout, Sections, say
from benchmarks.peers.servers import WebServer

SCRIPT = Path(__file__).resolve().parent / "prepare_site.py"
WORKERS = 2  # processes of each participant
COMPLETE = ("movie", "score", "rank", "source", "reason")
Request = dict[str, Any]


class Site:
    def __init__(self, root: Path, folder: Path, policy: Sections, *, database: str = "", redis: str = "") -> None:
        self.folder, self._database = folder, database
        self._checkout = Checkout(root)
        self._checkout.use_site(folder, policy, database=database)
        if redis:
            self._checkout.environment |= {"REDIS_URL": redis, "REDIS_PREFIX": folder.name}
        self._checkout.environment["WEB_WORKERS"] = str(WORKERS)

    def fill(self, movielens: Path | None, n_others: int = 0) -> None:
        """Fills the site, unless an earlier run that kept its folder did."""
        if not (self.folder / "site.json").exists():
            say(f"{self.folder.name}: filling the site and training its champion")
            self._checkout.environment["MOVIELENS_PATH"] = str(movielens or "")
            if self._checkout.script(SCRIPT, self.folder, n_others):
                raise SystemExit(f"The site in {self.folder} could not be made.")
        self.facts: dict[str, Any] = json.loads((self.folder / "site.json").read_text(encoding="utf-8"))

    def serve(self) -> WebServer:
        port = free_port()
        own = {"PORT": str(port), "HEALTH_PORT": str(free_port()), "HOST": "127.0.0.1"}
        own["PROMETHEUS_MULTIPROC_DIR"] = str(self.folder / "prometheus")
        return WebServer(
            [self._checkout.python, "-m", "gunicorn", "--config", "deploy/gunicorn.py"],
            port=port,
            cwd=self._checkout.root,
            log=self.folder / f"{self.folder.name}.log",
            environment=self._checkout.environment | own,
            ready="/readyz",
        )

    @property
    def model_environment(self) -> dict[str, str]:
        """Returns the environment for loading the champion from the site's MLflow store, with this site's code."""
        store = self.folder / "var" / "mlflow" / "mlflow.db"
        return self._checkout.environment | {"MLFLOW_TRACKING_URI": f"sqlite:///{store}"}

    def lists(self, users: list[int]) -> list[str]:
        return [self._post("recommend", {"user_id": user, "num_recommendations": 10}) for user in users]

    def batches(self, users: list[int], size: int) -> list[str]:
        starts = range(0, len(users), size)
        return [self._post("recommend/batch", *({"user_id": u} for u in users[at : at + size])) for at in starts]

    def n_impressions(self) -> int:
        query = "SELECT count(*) FROM recommender_impression"
        if self._database:
            with closing(psycopg2.connect(self._database)) as connection, connection.cursor() as cursor:
                cursor.execute(query)
                return int(cursor.fetchone()[0])
        with closing(sqlite3.connect(self.folder / "var" / "db.sqlite3")) as connection:
            return int(connection.execute(query).fetchone()[0])

    def _post(self, path: str, *lines: Request) -> str:
        body = "\n".join(json.dumps(line) for line in lines)
        kind = "application/x-ndjson" if path.endswith("batch") else "application/json"
        return post(f"/api/v1/{path}", body, kind, f"Authorization: Token {self.facts['token']}\r\n")


def post(path: str, body: str = "", kind: str = "application/json", headers: str = "") -> str:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    return f"{head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"


def check_list(sample: str, parts: Sequence[str] = COMPLETE) -> None:
    """Rejects a response without cards, scores, sources, version, reasons or an id for feedback."""
    found = json.loads(sample)
    rows = found["results"]
    missing = [name for name in ("model_version", "request_id") if not found[name]]
    missing += [f"{name} of a row" for row in rows for name in parts if not row.get(name)]
    missing += ["title" for row in rows if not row["movie"]["title"]]
    if missing or found["fallback"] or len(rows) != 10:
        raise SystemExit(f"{len(rows)} movies, fallback {found['fallback']}, without {', '.join(missing) or 'nothing'}")


def check_older_list(sample: str) -> None:
    """Like `check_list`, for checkouts that return no reasons."""
    check_list(sample, COMPLETE[:-1])


def check_batch(sample: str) -> None:
    for line in sample.splitlines():
        check_list(line)
