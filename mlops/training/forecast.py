"""The progress and remaining time of a training, from its steps and their times in earlier runs."""

import statistics
from typing import NamedTuple

from mlops.models import RunStep

# Seconds of each step, in order, while no earlier run tells: of a site with a few million ratings.
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
TRUST_SECONDS = 20.0  # how long the usual times are believed against what this run shows of its machine
ALMOST = 0.95  # of a step that takes longer than it used to and does not tell how far it is


class Forecast(NamedTuple):
    """Of the step and of the whole run."""

    share: float
    remaining_seconds: float
    run_share: float
    run_remaining_seconds: float


class Durations:
    def __init__(self, algorithm: str) -> None:
        self._usual = STEPS | _earlier(algorithm)
        self._done = self._took = 0.0  # usual and real seconds of the steps that this attempt has done

    def end(self, step: str, seconds: float) -> None:
        """Learns from a step that has ended how fast this machine is."""
        self._done, self._took = self._done + self._usual[step], self._took + seconds

    def forecast(self, step: str, elapsed: float, share: float | None) -> Forecast:
        """`share` is what the step itself tells of its progress, where it can."""
        usual, place = self._usual[step], list(STEPS).index(step)
        is_told, share = bool(share), min(share or elapsed / max(usual, 0.1), 1.0 if share else ALMOST)
        pace = (self._took + elapsed + TRUST_SECONDS) / (self._done + share * usual + TRUST_SECONDS)
        remaining = elapsed * (1 - share) / share if is_told else (1 - share) * usual * pace
        seconds = [self._usual[name] for name in STEPS]
        run_share = (sum(seconds[:place]) + share * usual) / sum(seconds)
        return Forecast(share, remaining, run_share, remaining + pace * sum(seconds[place + 1 :]))


def _earlier(algorithm: str) -> dict[str, float]:
    """Medians of the latest runs of the algorithm; a step that was not repeated on retry has taken nothing."""
    found: dict[str, list[float]] = {}
    done = RunStep.objects.filter(status=RunStep.Status.SUCCEEDED, run__algorithm=algorithm, name__in=STEPS)
    for step in done.order_by("-id").only("name", "started_at", "ended_at")[: EARLIER_RUNS * len(STEPS)]:
        if step.seconds is not None:
            found.setdefault(step.name, []).append(step.seconds)
    return {name: statistics.median(seconds) for name, seconds in found.items()}
