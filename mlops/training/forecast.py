"""How far a training is and how long it still takes, from its steps and from what they took in earlier runs."""

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
ALMOST = 0.95  # of a step that takes longer than it used to and does not tell how far it is


class Forecast(NamedTuple):
    """Of the step and of the whole run; no time where the step takes longer than it used to."""

    share: float
    remaining_seconds: float | None
    run_share: float
    run_remaining_seconds: float | None


class Durations:
    def __init__(self, algorithm: str) -> None:
        self._usual = STEPS | _earlier(algorithm)

    def forecast(self, step: str, elapsed: float, share: float | None) -> Forecast:
        """`share` is what the step itself tells of its progress, where it can."""
        usual, place = self._usual[step], list(STEPS).index(step)
        remaining: float | None
        if share:
            share = min(share, 1.0)
            remaining = elapsed * (1 - share) / share
        else:
            share = min(elapsed / max(usual, 0.1), ALMOST)
            remaining = usual - elapsed if elapsed < usual else None
        seconds = [self._usual[name] for name in STEPS]
        run_share = (sum(seconds[:place]) + share * usual) / sum(seconds)
        after = None if remaining is None else remaining + sum(seconds[place + 1 :])
        return Forecast(share, remaining, run_share, after)


def _earlier(algorithm: str) -> dict[str, float]:
    """Medians of the latest runs of the algorithm; a step that was not repeated on retry has taken nothing."""
    found: dict[str, list[float]] = {}
    done = RunStep.objects.filter(status=RunStep.Status.SUCCEEDED, run__algorithm=algorithm, name__in=STEPS)
    for step in done.order_by("-id").only("name", "started_at", "ended_at")[: EARLIER_RUNS * len(STEPS)]:
        if step.seconds is not None:
            found.setdefault(step.name, []).append(step.seconds)
    return {name: statistics.median(seconds) for name, seconds in found.items()}
