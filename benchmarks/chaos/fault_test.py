"""Injects a fault twice: during a training, and after the training's worker has been killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.chaos.breakpoints import Breakpoint
from benchmarks.chaos.chaos_test import REACH_POINT, ChaosTest
from benchmarks.chaos.checks import versions_served
from benchmarks.chaos.faults import FAULTS
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.load_generator import NO_ANSWER, LoadGenerator
from benchmarks.chaos.outcome import SERVING_BAR, Outcome
from benchmarks.chaos.processes import wait_for
from benchmarks.chaos.site import Operator
from mlops.models import ModelVersion, PipelineRun

POINT = "checks"  # the training waits for the fault in this step; fit, save, register and promote follow


class FaultTest(ChaosTest):
    def __init__(self, installation: Installation, operator: Operator, load: LoadGenerator, name: str) -> None:
        self.fault = FAULTS[name]
        super().__init__(installation, operator, load, Outcome(name, stops_site=self.fault.stops_site))

    def inject(self) -> None:
        with ExitStack() as broken:
            with self._breakpoint() as waiting:
                run = self.train()
                waiting.wait(REACH_POINT)
                champion = ModelVersion.objects.get(status="champion").pk
                broken.enter_context(self._broken())
                if self.fault.ends_champion:  # before the training has created another
                    self._expect_fallback(champion)
            time.sleep(self.fault.seconds)
        self._expect_end(run, attempts=1)
        with ExitStack() as broken:
            with self._breakpoint() as waiting:
                run = self.train()
                waiting.wait(REACH_POINT)
                killed_at = self._kill_worker(run)
                waiting.drop()
                broken.enter_context(self._broken())
            if self.fault.stops_jobs:
                time.sleep(self.fault.seconds)
            else:
                self.wait_until_marked(run, killed_at)
        if self.fault.stops_jobs:
            self.wait_until_marked(run, self.outcome.periods[-1].ended)
        self.installation.bring_back("training", after=0)
        self._expect_end(run)

    @contextmanager
    def _broken(self) -> Iterator[None]:
        began = mended = time.monotonic()
        try:
            with self.fault.inject(self.installation):
                try:
                    yield
                finally:
                    mended = time.monotonic()
        finally:
            self.note_period(began, mended)

    def _breakpoint(self) -> Breakpoint:
        return Breakpoint(self.installation.environment["DATABASE_URL"], POINT)

    def _kill_worker(self, run: int) -> float:
        """Kills the worker as if it ran on another host, where only missing heartbeats show its death."""
        PipelineRun.objects.filter(pk=run).update(worker_namespace="another host")
        self.installation.kill("training")
        return time.monotonic()

    def _expect_fallback(self, champion: int) -> None:
        address, token = self.installation.address, self.load.tokens[0]
        wait_for(
            lambda: champion not in versions_served(address, token),
            seconds=SERVING_BAR,
            what=f"no web process serves version {champion}",
        )

    def _expect_end(self, run: int, *, attempts: int | None = None) -> None:
        if self.fault.ends_runs:
            self.operator.wait_for_end(run, seconds=REACH_POINT)
            run, attempts = self.train(), None
        self.expect_success(run, attempts=attempts)

    def problems(self) -> Iterator[str]:
        yield from super().problems()
        answers = self.load.since(self.outcome.periods[0].began)
        if self.fault.stops_site and (silent := [answer for answer in answers if answer.status == NO_ANSWER]):
            yield f"{len(silent)} requests got no answer, first {silent[0].what}"
