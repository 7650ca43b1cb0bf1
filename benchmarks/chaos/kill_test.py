"""A chaos test: kills one part of the site at one point of a training and checks the invariants."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from benchmarks.chaos import checks
from benchmarks.chaos.breakpoints import INJECTION_POINTS, Breakpoint
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.load_generator import NO_ANSWER, Answer, LoadGenerator
from benchmarks.chaos.processes import wait_for
from benchmarks.chaos.site import Operator
from mlops.models import ModelVersion, PipelineRun, RunStep
from mlops.monitoring.staleness import last_heartbeat

DOWNTIME = 3.0  # seconds until a killed server is started again
COMPUTE_TIME = 0.3  # seconds that a fit or an evaluation runs before the kill
# Time limits in seconds, for a busy machine.
REACH_POINT = 300.0
END_OF_RUN = 600.0  # includes an expired heartbeat, a retry and the start of processes
SERVE_CHAMPION = 15.0
HEARTBEAT = 60.0
RECOVER = 5.0  # after Postgres answers again


@dataclass
class Outcome:
    target: str
    point: str
    problems: list[str] = field(default_factory=list)
    attempts: int = 0
    status: str = ""
    seconds: float = 0.0
    answers: list[Answer] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        bad = [answer for answer in self.answers if not answer.is_good]
        return {
            "target": self.target,
            "point": self.point,
            "run": self.status,
            "attempts": self.attempts,
            "seconds to end": self.seconds,
            "requests": len(self.answers),
            "failed": len(bad),
            "slowest s": max((answer.seconds for answer in self.answers), default=0.0),
            "result": "ok" if not self.problems else "FAILED: " + "; ".join(self.problems),
        }


class ChaosTest:
    def __init__(self, installation: Installation, operator: Operator, load: LoadGenerator) -> None:
        self.installation, self.operator, self.load = installation, operator, load

    def inject_fault(self, target: str, point: str) -> Outcome:
        outcome, began = Outcome(target, point), time.monotonic()
        try:
            self._inject(outcome)
        except Exception as error:
            # Any error is the result of this fault; the remaining faults are still injected.
            outcome.problems.append(str(error) or type(error).__name__)
        outcome.answers = self.load.since(began)
        return outcome

    def _inject(self, outcome: Outcome) -> None:
        run = self._run_with_fault(outcome)
        ended = self.operator.wait_for_end(run, seconds=END_OF_RUN)
        outcome.status = ended["status"]
        outcome.attempts = _attempts(run)
        outcome.seconds = time.monotonic() - self.killed_at
        if outcome.status != "succeeded":
            outcome.problems.append(f"run {run}: {ended['message']}")
            again = self.operator.wait_for_end(self.operator.train()["id"], seconds=END_OF_RUN)
            if again["status"] != "succeeded":
                outcome.problems.append(f"the next training fails too: {again['message']}")
        outcome.problems += self._problems(outcome.target)

    def _run_with_fault(self, outcome: Outcome) -> int:
        """Kills the target during a training and starts it again; returns the id of the run."""
        point = INJECTION_POINTS[outcome.point]
        if point.has_breakpoint:
            with Breakpoint(self.installation.environment["DATABASE_URL"], outcome.point) as waiting:
                run = int(self.operator.train()["id"])
                waiting.wait(REACH_POINT)
                self._kill(outcome.target)
                if outcome.target == "training":
                    waiting.drop()
        else:
            run = int(self.operator.train()["id"])
            wait_for(lambda: _is_at(run, point.step), seconds=REACH_POINT, what=f"{point.step} begins", pause=0.02)
            time.sleep(COMPUTE_TIME)
            self._kill(outcome.target)
        self.installation.bring_back(outcome.target, after=DOWNTIME)
        self.back_at = time.monotonic()
        return run

    def _kill(self, target: str) -> None:
        self.installation.kill(target)
        self.killed_at = time.monotonic()

    def _problems(self, target: str) -> Iterator[str]:
        yield from checks.run_problems()
        yield from checks.champion_problems()
        yield from checks.leftover_problems()
        yield from checks.rating_problems(self.load)
        yield from checks.alias_problems()
        yield from self._serving_problems()
        yield from self._scheduler_problems()
        yield from self._request_problems(target)

    def _serving_problems(self) -> Iterator[str]:
        champion = ModelVersion.objects.get(status="champion").pk
        address, token = self.installation.address, self.load.tokens[0]
        try:
            wait_for(
                lambda: checks.versions_served(address, token) == {champion},
                seconds=SERVE_CHAMPION,
                what=f"all web processes serve version {champion}",
            )
        except AssertionError as error:
            yield str(error)

    def _scheduler_problems(self) -> Iterator[str]:
        """A new heartbeat shows that Beat, the broker and the worker are alive."""
        now = timezone.now()
        try:
            wait_for(lambda: (last_heartbeat() or now) > now, seconds=HEARTBEAT, what="the scheduler sends a heartbeat")
        except AssertionError as error:
            yield str(error)

    def _request_problems(self, target: str) -> Iterator[str]:
        """No request fails, except with an error answer while Postgres is down."""
        bad = [answer for answer in self.load.since(self.killed_at) if not answer.is_good]
        if target == "postgres":
            bad = [answer for answer in bad if answer.status == NO_ANSWER or answer.at > self.back_at + RECOVER]
        if bad:
            yield f"{len(bad)} requests failed, first {bad[0].what}: {bad[0].status or 'no answer'}"


def _is_at(run: int, step: str) -> bool:
    return RunStep.objects.filter(run=run, name=step, status="running").exists()


def _attempts(run: int) -> int:
    return PipelineRun.objects.get(pk=run).attempt
