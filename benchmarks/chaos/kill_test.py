"""Kills one part of the site at one point of a training, and starts it again."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.chaos.breakpoints import INJECTION_POINTS, Breakpoint
from benchmarks.chaos.chaos_test import REACH_POINT, ChaosTest
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.load_generator import NO_ANSWER, LoadGenerator
from benchmarks.chaos.outcome import Outcome
from benchmarks.chaos.processes import wait_for
from benchmarks.chaos.site import Operator
from mlops.models import RunStep

DOWNTIME = 3.0  # seconds until a killed server is started again
COMPUTE_TIME = 0.3  # seconds of a fit or an evaluation before the kill
RECOVER = 5.0  # seconds to recover after Postgres answers again


class KillTest(ChaosTest):
    def __init__(
        self, installation: Installation, operator: Operator, load: LoadGenerator, target: str, point: str
    ) -> None:
        outcome = Outcome(f"kill {target} at {point}", stops_site=target == "postgres")
        super().__init__(installation, operator, load, outcome)
        self.target, self.point = target, point

    def inject(self) -> None:
        run = self._run_with_fault()
        if self.target == "training":
            self.wait_until_marked(run, self.killed_at)
        self.expect_success(run)
        if self.outcome.problems:
            self.expect_success(self.train())

    def _run_with_fault(self) -> int:
        """Kills the target during a training and starts it again. Returns the id of the run."""
        point = INJECTION_POINTS[self.point]
        if point.has_breakpoint:
            with Breakpoint(self.installation.environment["DATABASE_URL"], self.point) as waiting:
                run = self.train()
                waiting.wait(REACH_POINT)
                self._kill()
                if self.target == "training":
                    waiting.drop()
        else:
            run = self.train()
            wait_for(lambda: _is_at(run, point.step), seconds=REACH_POINT, what=f"{point.step} begins", pause=0.02)
            time.sleep(COMPUTE_TIME)
            self._kill()
        started = self.installation.bring_back(self.target, after=DOWNTIME)
        self.note_period(self.killed_at, started)
        return run

    def _kill(self) -> None:
        self.killed_at = time.monotonic()
        self.installation.kill(self.target)

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        yield from self._request_problems()

    def _request_problems(self) -> Iterator[str]:
        """Yields failed requests, except error responses while Postgres is down."""
        bad = [answer for answer in self.load.since(self.killed_at) if not answer.is_good]
        if self.outcome.stops_site:
            up_at = self.outcome.periods[0].ended + RECOVER
            bad = [answer for answer in bad if answer.status == NO_ANSWER or answer.at > up_at]
        if bad:
            yield f"{len(bad)} requests failed, first {bad[0].what}: {bad[0].status or 'no answer'}"


def _is_at(run: int, step: str) -> bool:
    return RunStep.objects.filter(run=run, name=step, status="running").exists()
