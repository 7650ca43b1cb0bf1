"""Estimates a training's progress and remaining time from the step durations of earlier runs."""

import statistics
from typing import NamedTuple

from mlops.models import RunStep

# The steps in order, with default durations in seconds, measured on a site with a few million ratings. Durations from
# earlier runs replace the defaults.
STEPS = {
    "export": 20.0,
    "snapshot": 5.0,
    "checks": 10.0,
    "fit": 120.0,
    "evaluate": 300.0,
    "register": 20.0,
    "gate": 20.0,
    "promote": 2.0,
}
EARLIER_RUNS = 5
TRUST_SECONDS = 20.0  # weight of the usual durations relative to the pace of this run
ALMOST = 0.95  # highest share shown for a step that takes longer than usual and reports no progress


class Forecast(NamedTuple):
    """The finished share and remaining seconds of the current step and, as `run_*`, of the whole run."""

    share: float
    remaining_seconds: float
    run_share: float
    run_remaining_seconds: float


class Durations:
    def __init__(self, algorithm: str) -> None:
        self._usual = STEPS | _earlier(algorithm)
        self._done = self._took = 0.0  # usual and actual seconds of the steps completed in this attempt

    def end(self, step: str, seconds: float) -> None:
        """Records the duration of a completed step, to estimate the speed of this machine."""
        self._done, self._took = self._done + self._usual[step], self._took + seconds

    def forecast(self, step: str, elapsed: float, share: float | None) -> Forecast:
        """Forecasts the step and the run. `share` is the progress reported by the step, or None."""
        usual, place = self._usual[step], list(STEPS).index(step)
        is_told, share = bool(share), min(share or elapsed / max(usual, 0.1), 1.0 if share else ALMOST)
        pace = (self._took + elapsed + TRUST_SECONDS) / (self._done + share * usual + TRUST_SECONDS)
        remaining = elapsed * (1 - share) / share if is_told else (1 - share) * usual * pace
        seconds = [self._usual[name] for name in STEPS]
        run_share = (sum(seconds[:place]) + share * usual) / sum(seconds)
        return Forecast(share, remaining, run_share, remaining + pace * sum(seconds[place + 1 :]))


def _earlier(algorithm: str) -> dict[str, float]:
    """Returns the median duration of each step in the algorithm's latest runs.

    Steps skipped by a retry have no row, so they do not count as 0 s.
    """
    found: dict[str, list[float]] = {}
    done = RunStep.objects.filter(status=RunStep.Status.SUCCEEDED, run__algorithm=algorithm, name__in=STEPS)
    for step in done.order_by("-id").only("name", "started_at", "ended_at")[: EARLIER_RUNS * len(STEPS)]:
        if step.seconds is not None:
            found.setdefault(step.name, []).append(step.seconds)
    return {name: statistics.median(seconds) for name, seconds in found.items()}
