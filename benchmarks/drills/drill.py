"""One part killed at one moment of a training, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.drills import checks
from benchmarks.drills.holds import MOMENTS, Hold
from benchmarks.drills.installation import Installation
from benchmarks.drills.processes import wait_for
from benchmarks.drills.site import Operator
from benchmarks.drills.visitors import NO_ANSWER, Answer, Visitors

VICTIMS = ("training", "worker", "beat", "redis", "mlflow", "postgres")
AWAY = 3.0  # seconds until a killed server is started again
COMPUTES = 0.3  # seconds that a fit or an evaluation is left to go on before the kill
REACHED = 300.0
ENDS = 600.0  # for what is left of a training, after a lease, a retry and a start of processes on a busy machine
FOLLOWS = 15.0
HEARD = 60.0
RECOVERS = 5.0  # after Postgres answers again


@dataclass
class Outcome:
    victim: str
    moment: str
    problems: list[str] = field(default_factory=list)
    attempts: int = 0
    status: str = ""
    seconds: float = 0.0
    answers: list[Answer] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        bad = [answer for answer in self.answers if not answer.is_good]
        return {
            "killed": self.victim,
            "at": self.moment,
            "run": self.status,
            "attempts": self.attempts,
            "ended after s": self.seconds,
            "requests": len(self.answers),
            "not 200": len(bad),
            "slowest s": max((answer.seconds for answer in self.answers), default=0.0),
            "holds": "yes" if not self.problems else "NO: " + "; ".join(self.problems),
        }


class Drill:
    def __init__(self, installation: Installation, operator: Operator, visitors: Visitors) -> None:
        self.installation, self.operator, self.visitors = installation, operator, visitors

    def strike(self, victim: str, moment: str) -> Outcome:
        outcome, began = Outcome(victim, moment), time.monotonic()
        try:
            self._strike(outcome)
        except Exception as error:
            # Whatever it meets is what this strike found; the others are still made.
            outcome.problems.append(str(error) or type(error).__name__)
        outcome.answers = self.visitors.since(began)
        return outcome

    def _strike(self, outcome: Outcome) -> None:
        run = self._killed_in(outcome)
        ended = self.operator.wait_for_end(run, seconds=ENDS)
        outcome.status = ended["status"]
        outcome.attempts = _attempts(run)
        outcome.seconds = time.monotonic() - self.killed_at
        if outcome.status != "succeeded":
            outcome.problems.append(f"run {run}: {ended['message']}")
            again = self.operator.wait_for_end(self.operator.train()["id"], seconds=ENDS)
            if again["status"] != "succeeded":
                outcome.problems.append(f"nor does a training succeed afterwards: {again['message']}")
        outcome.problems += self._problems(outcome.victim)

    def _killed_in(self, outcome: Outcome) -> int:
        """The number of the run in whose midst the victim was killed and came back."""
        moment = MOMENTS[outcome.moment]
        if moment.is_held:
            with Hold(self.installation.environment["DATABASE_URL"], outcome.moment) as hold:
                run = int(self.operator.train()["id"])
                hold.wait(REACHED)
                self._kill(outcome.victim)
                if outcome.victim == "training":
                    hold.drop()
        else:
            run = int(self.operator.train()["id"])
            wait_for(lambda: _is_at(run, moment.step), seconds=REACHED, what=f"{moment.step} begins", pause=0.02)
            time.sleep(COMPUTES)
            self._kill(outcome.victim)
        self.installation.bring_back(outcome.victim, after=AWAY)
        self.back_at = time.monotonic()
        return run

    def _kill(self, victim: str) -> None:
        self.installation.kill(victim)
        self.killed_at = time.monotonic()

    def _problems(self, victim: str) -> Iterator[str]:
        yield from checks.run_problems()
        yield from checks.champion_problems()
        yield from checks.leftover_problems()
        yield from checks.rating_problems(self.visitors)
        yield from checks.alias_problems()
        yield from self._serving_problems()
        yield from self._scheduler_problems()
        yield from self._visitors_problems(victim)

    def _serving_problems(self) -> Iterator[str]:
        from mlops.models import ModelVersion

        champion = ModelVersion.objects.get(status="champion").pk
        address, token = self.installation.address, self.visitors.tokens[0]
        try:
            wait_for(
                lambda: checks.versions_served(address, token) == {champion},
                seconds=FOLLOWS,
                what=f"all web processes serve version {champion}",
            )
        except AssertionError as error:
            yield str(error)

    def _scheduler_problems(self) -> Iterator[str]:
        """A heartbeat sent from now on shows that Beat, the broker and the worker live."""
        from django.utils import timezone

        from mlops.monitoring.staleness import last_heartbeat

        now = timezone.now()
        try:
            wait_for(lambda: (last_heartbeat() or now) > now, seconds=HEARD, what="the scheduler is heard again")
        except AssertionError as error:
            yield str(error)

    def _visitors_problems(self, victim: str) -> Iterator[str]:
        """Without its database the site can answer nothing but that; it still answers, and soon as before."""
        bad = [answer for answer in self.visitors.since(self.killed_at) if not answer.is_good]
        if victim == "postgres":
            bad = [answer for answer in bad if answer.status == NO_ANSWER or answer.at > self.back_at + RECOVERS]
        if bad:
            yield f"{len(bad)} requests failed, first {bad[0].what}: {bad[0].status or 'no answer'}"


def _is_at(run: int, step: str) -> bool:
    from mlops.models import RunStep

    return RunStep.objects.filter(run=run, name=step, status="running").exists()


def _attempts(run: int) -> int:
    from mlops.models import PipelineRun

    return PipelineRun.objects.get(pk=run).attempt
