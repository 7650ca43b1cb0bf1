"""Base class of kill and fault tests: the site, its operator and load, and the checks afterwards."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

from benchmarks.chaos import checks
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.load_generator import LoadGenerator
from benchmarks.chaos.outcome import Outcome, Period
from benchmarks.chaos.processes import wait_for
from benchmarks.chaos.site import Operator
from mlops.models import ModelVersion, PipelineRun
from mlops.monitoring.staleness import last_heartbeat

# Time limits in seconds, for a busy machine.
REACH_POINT = 300.0
END_OF_RUN = 600.0  # includes an expired heartbeat, a retry and the start of processes
SERVE_CHAMPION = 15.0
HEARTBEAT = 60.0
MARKED = 120.0


class ChaosTest(ABC):
    def __init__(self, installation: Installation, operator: Operator, load: LoadGenerator, outcome: Outcome) -> None:
        self.installation, self.operator, self.load, self.outcome = installation, operator, load, outcome

    def run(self) -> Outcome:
        """Injects the fault, waits until the site has recovered, and checks the invariants."""
        outcome, began = self.outcome, time.monotonic()
        try:
            self.inject()
            outcome.problems += self.problems()
            outcome.lost = checks.lost_ratings(self.load)
        except Exception as error:
            # Any error is the result of this fault. The remaining faults are still injected.
            outcome.problems.append(str(error) or type(error).__name__)
        outcome.answers, outcome.health = self.load.since(began), self.load.health_since(began)
        outcome.acknowledged = sum(answer.is_good and answer.what.startswith("PUT") for answer in outcome.answers)
        return outcome

    @abstractmethod
    def inject(self) -> None: ...

    def problems(self) -> Iterator[str]:
        yield from checks.run_problems()
        yield from checks.champion_problems()
        yield from checks.leftover_problems()
        yield from checks.alias_problems()
        yield from self._serving_problems()
        yield from self._scheduler_problems()

    def train(self) -> int:
        return int(self.operator.train()["id"])

    def expect_success(self, run: int, *, attempts: int | None = None) -> None:
        """Waits for the end of the run. Reports a run without success or with more attempts than expected."""
        ended = self.operator.wait_for_end(run, seconds=END_OF_RUN)
        found = PipelineRun.objects.get(pk=run).attempt
        if ended["status"] != "succeeded" or (attempts and found > attempts):
            self.outcome.wrongly_ended += 1
            self.outcome.problems.append(f"run {run}, attempt {found}: {ended['status']}, {ended['message']}")

    def wait_until_marked(self, run: int, since: float) -> None:
        """Measures how long it takes to detect that the run's worker was killed in its first attempt."""

        def is_marked() -> bool:
            found = PipelineRun.objects.get(pk=run)
            return found.attempt > 1 or found.status != "running"

        wait_for(is_marked, seconds=MARKED, what=f"run {run} is marked as dead", pause=0.2)
        self.outcome.marked_seconds = max(self.outcome.marked_seconds or 0.0, time.monotonic() - since)

    def note_period(self, began: float, mended: float) -> None:
        self.outcome.periods.append(Period(began, mended, time.monotonic()))

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
        """Yields a problem unless a new heartbeat shows that Beat, the broker and the worker are running."""
        last = last_heartbeat()
        try:
            wait_for(lambda: last_heartbeat() != last, seconds=HEARTBEAT, what="the scheduler sends a heartbeat")
        except AssertionError as error:
            yield str(error)
