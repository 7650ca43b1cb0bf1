"""The participants: the site on Postgres and Redis, the embedded site, another checkout, and other endpoints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos.policy import QUICK, merged
from benchmarks.chaos.processes import ROOT, free_port
from benchmarks.chaos.servers import Postgres, Redis
from benchmarks.checkout import Sections
from benchmarks.peers import endpoints
from benchmarks.peers.bars import BATCHES
from benchmarks.peers.rotation import Participant
from benchmarks.peers.servers import WebServer, clean_environment
from benchmarks.peers.sites import Site, check_batch, check_list, check_older_list

N_OTHERS = 15_000  # more users than all turns need, so that none is repeated
MAX_BATCH = 1000
EVALUATION = {"cuts": [0.8], "half_lives_days": [30], "bootstrap_resamples": 1000}  # quick; the gate is not measured
TITLES = {
    "peer": "FastAPI + pyfunc, EASE, ids alone",
    "pyfunc": "FastAPI + pyfunc, our champion, ids alone",
    "mlflow": "mlflow models serve, our champion",
    "site": "Movierec, Postgres and Redis",
    "others": "Movierec, each request another user",
    "embedded": "Movierec, SQLite",
    "batch": "Movierec, batches of up to 1,000 users",
    "checkout": "the other checkout, Postgres and Redis",
    "generator": "(a server that answers at once)",
}


@dataclass(frozen=True)
class Options:
    """Options. `connections` are the levels of load. `limit` is the service's rate limit."""

    participants: Sequence[str]
    connections: Sequence[int]
    limit: str
    movielens: Path | None  # None: a few generated ratings and a quick training
    peer: Path
    checkout: Path | None = None


class Comparison:
    """The participants. Their servers run until the stack ends. A kept folder already contains its sites."""

    def __init__(self, options: Options, folder: Path, stack: ExitStack) -> None:
        self.options, self.folder, self._stack = options, folder, stack
        changes: Sections = {"limits": {"service": options.limit}, "evaluation": EVALUATION}
        self._policy = changes if options.movielens else merged(QUICK, changes)

    def participants(self) -> Iterator[Participant]:
        chosen = self.options.participants
        postgres, redis = self._databases()
        main = Site(ROOT, self.folder / "site", self._policy, database=postgres.url("site"), redis=redis(0))
        main.fill(self.options.movielens, N_OTHERS if self.options.movielens else 0)
        yield from self._endpoints(main)
        if {"site", "others", "batch"} & {*chosen}:
            yield from self._of_site(main, self._started(main.serve()))
        if "embedded" in chosen:
            yield self._single("embedded", Site(ROOT, self.folder / "embedded", self._policy), check_list)
        if "checkout" in chosen and self.options.checkout:
            database = postgres.url("checkout")
            other = Site(
                self.options.checkout, self.folder / "checkout", self._policy, database=database, redis=redis(2)
            )
            yield self._single("checkout", other, check_older_list)

    def _databases(self) -> tuple[Postgres, Callable[[int], str]]:
        environment = clean_environment()
        postgres = Postgres(self.folder / "postgres", self.folder / "postgres.log", environment)
        redis = Redis(self.folder / "redis", self.folder / "redis.log", environment)
        is_new = not postgres.folder.exists()
        for server in (postgres, redis):
            if not server.folder.exists():
                server.prepare()
            self._stack.callback(server.end)
            server.launch()
            server.wait()
        if is_new:
            for database in ("site", "checkout"):
                postgres.create(database)
        return postgres, lambda number: redis.url.removesuffix("/0") + f"/{number}"

    def _endpoints(self, site: Site) -> Iterator[Participant]:
        chosen, users = self.options.participants, site.facts["users"]
        if {"peer", "pyfunc"} & {*chosen}:
            python = endpoints.make_environment(self.folder / "venv")
        if "peer" in chosen:
            endpoints.build_peer(self.options.peer, self.folder / "peer", site.folder / "data", python)
            server = self._started(endpoints.serve_peer(self.folder / "peer", python))
            yield self._participant("peer", server, endpoints.ids_for(users), endpoints.check_ids)
        if "pyfunc" in chosen:
            server = self._started(endpoints.serve_champion(site, python))
            yield self._participant("pyfunc", server, endpoints.ids_for(users), endpoints.check_ids)
        if "mlflow" in chosen:
            server = self._started(endpoints.serve_by_mlflow(site))
            yield self._participant("mlflow", server, endpoints.invocations(site), endpoints.check_predictions)
        if "generator" in chosen:
            port = free_port()
            command = [sys.executable, "-m", "benchmarks.peers.immediate_server", str(port)]
            log = self.folder / "immediate.log"
            server = WebServer(command, port=port, cwd=ROOT, log=log, environment=clean_environment(), ready="")
            yield self._participant("generator", self._started(server), site.lists(users), lambda sample: None)

    def _of_site(self, site: Site, server: WebServer) -> Iterator[Participant]:
        users, others, chosen = site.facts["users"], site.facts["others"], self.options.participants
        if "site" in chosen:
            yield self._participant("site", server, site.lists(users), check_list, count=site.n_impressions)
        if "others" in chosen and others:
            yield self._participant("others", server, site.lists(others), check_list, count=site.n_impressions)
        if "batch" in chosen:
            lists = min(len(users), MAX_BATCH)
            batches = site.batches(users[:lists], lists)
            batch = self._participant("batch", server, batches, check_batch, count=site.n_impressions)
            batch.connections, batch.lists = [BATCHES], lists
            yield batch

    def _single(self, name: str, site: Site, check: Callable[[str], None]) -> Participant:
        site.fill(self.options.movielens)
        requests = site.lists(site.facts["users"])
        return self._participant(name, self._started(site.serve()), requests, check, count=site.n_impressions)

    def _started(self, server: WebServer) -> WebServer:
        self._stack.callback(server.end)
        return server

    def _participant(
        self,
        name: str,
        server: WebServer,
        requests: list[str],
        check: Callable[[str], None],
        *,
        count: Callable[[], int] | None = None,
    ) -> Participant:
        path = self.folder / f"{name}.requests"
        path.write_text("\n".join(map(json.dumps, requests)), encoding="utf-8")
        return Participant(name, TITLES[name], server, path, self.options.connections, check, n_impressions=count)
