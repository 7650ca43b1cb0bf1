"""Loads the participants in turn, so that other load on the machine affects all of them equally."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.chaos.processes import ROOT
from benchmarks.peers.bars import PEER, Figures, Results
from benchmarks.peers.generator import Load, Result
from benchmarks.peers.servers import WebServer

FLUSH_SECONDS = 2.5  # impressions are written a second after their list


@dataclass
class Participant:
    """A participant. `lists` is the number of lists per request. `check` rejects incomplete responses."""

    name: str
    title: str
    server: WebServer
    requests: Path
    connections: Sequence[int]
    check: Callable[[str], object] = lambda sample: None
    lists: int = 1
    n_impressions: Callable[[], int] | None = None
    n_sent: int = field(default=0, init=False)


@dataclass(frozen=True)
class Turn:
    result: Result
    n_lists: int
    memory_mb: float
    kept: float | None


def generate(load: Load) -> Result:
    command = [sys.executable, "-m", "benchmarks.peers.generator"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(asdict(load)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"The load generator failed: {done.stderr[-2000:]}")
    return Result(**json.loads(done.stdout))


def run(participants: Sequence[Participant], *, turns: int, seconds: float, warm_up: float) -> Results:
    """Returns the medians over the turns. Each turn starts with another participant."""
    for participant in participants:
        participant.server.wait()
        found = _load(participant, min(participant.connections[-1], 32), warm_up)
        if found.statuses:
            raise SystemExit(f"{participant.title}: {found.statuses} of {found.n_sent} requests at the start")
        participant.check(found.sample)
    jobs = [
        (turn, participants[(at + turn) % len(participants)])
        for turn in range(turns)
        for at in range(len(participants))
    ]
    measured: dict[tuple[str, int], list[Turn]] = {}
    for _turn, participant in tqdm(jobs, unit="turn"):
        for connections in participant.connections:
            measured.setdefault((participant.name, connections), []).append(_turn_of(participant, connections, seconds))
    return {key: _medians(found) for key, found in measured.items()}


def _turn_of(participant: Participant, connections: int, seconds: float) -> Turn:
    before = participant.n_impressions() if participant.n_impressions else 0
    result = _load(participant, connections, seconds)
    n_lists, kept = len(result.latencies) * participant.lists, None
    if participant.n_impressions and n_lists:
        time.sleep(FLUSH_SECONDS)
        kept = (participant.n_impressions() - before) / n_lists
    if result.sample:
        participant.check(result.sample)
    return Turn(result, n_lists, participant.server.memory_mb(), kept)


def _load(participant: Participant, connections: int, seconds: float) -> Result:
    requests = str(participant.requests)
    load = Load(participant.server.address, requests, connections, seconds, start=participant.n_sent)
    result = generate(load)
    participant.n_sent += result.n_sent
    return result


def _medians(turns: list[Turn]) -> Figures:
    def of(figure: Callable[[Turn], float]) -> float:
        return float(median(figure(turn) for turn in turns))

    kept = [turn.kept for turn in turns if turn.kept is not None]
    return Figures(
        per_second=of(lambda turn: turn.n_lists / max(turn.result.seconds, 1e-9)),
        p50_ms=of(lambda turn: _milliseconds(turn, 0.5)),
        p99_ms=of(lambda turn: _milliseconds(turn, 0.99)),
        errors=sum(sum(turn.result.statuses.values()) + len(turn.result.refused) for turn in turns),
        memory_mb=max(turn.memory_mb for turn in turns),
        generator_us=of(lambda turn: 1e6 * turn.result.cpu_seconds / max(turn.result.n_sent, 1)),
        kept=min(kept) if kept else None,
    )


def _milliseconds(turn: Turn, quantile: float) -> float:
    return 1000 * float(np.quantile(turn.result.latencies, quantile)) if turn.result.latencies else float("nan")


def rows(results: Results, titles: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "participant": titles[name],
            "c": connections,
            "lists/s": figures.per_second,
            "p50 ms": figures.p50_ms,
            "p99 ms": figures.p99_ms,
            "errors": figures.errors,
            "PSS MB": figures.memory_mb,
            "impressions kept": figures.kept,
            "generator us": figures.generator_us,
            "of the peer": _ratio(results, name, connections),
        }
        for (name, connections), figures in sorted(results.items(), key=lambda item: (item[0][1], item[0][0]))
    ]


def _ratio(results: Results, name: str, connections: int) -> float | None:
    peer = results.get((PEER, connections))
    return results[name, connections].per_second / peer.per_second if peer else None
