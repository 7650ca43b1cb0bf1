"""The effect of one kill or fault, as a row of the table, and the limits that it must meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from math import inf
from typing import Any, NamedTuple

from benchmarks.chaos.load_generator import Answer

SERVING_BAR = 30.0  # seconds until requests succeed again
MARKED_BAR = 60.0  # seconds until a run with a dead worker is marked
SETTLED = 1.0  # seconds after which a health response must reflect the fault


class Period(NamedTuple):
    """The start of a fault, the start of its repair, and the time at which the site has recovered.

    All times are on the monotonic clock. The site may serve from the start of the repair.
    """

    began: float
    mended: float
    ended: float


@dataclass
class Outcome:
    fault: str
    stops_site: bool = False
    problems: list[str] = field(default_factory=list)
    acknowledged: int = 0
    lost: int = 0
    wrongly_ended: int = 0
    marked_seconds: float | None = None
    periods: list[Period] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    health: list[Answer] = field(default_factory=list)

    @property
    def serving_seconds(self) -> float:
        """Returns the seconds until the last bad response, from the end of a fault that stops the site or its start."""
        return max((late for late, _ in self._late_answers()), default=0.0)

    def violations(self) -> list[str]:
        """Returns the problems found and the limits exceeded."""
        return [*self.problems, *self._missed_bars()]

    def row(self) -> dict[str, Any]:
        violations = self.violations()
        return {
            "fault": self.fault,
            "acknowledged": self.acknowledged,
            "lost": self.lost,
            "runs wrongly ended": self.wrongly_ended,
            "health": "FALSE" if self._false_health() else "true",
            "serving again s": self.serving_seconds,
            "dead run marked s": self.marked_seconds,
            "requests": len(self.answers),
            "failed": sum(not answer.is_good for answer in self.answers),
            "slowest s": max((answer.seconds for answer in self.answers), default=0.0),
            "result": "ok" if not violations else "FAILED: " + "; ".join(violations),
        }

    def _missed_bars(self) -> Iterator[str]:
        if self.lost:
            yield f"{self.lost} ratings that were accepted are not stored"
        if self.wrongly_ended:
            yield f"{self.wrongly_ended} runs were wrongly ended"
        if self.serving_seconds > SERVING_BAR:
            late, answer = max(self._late_answers())
            yield f"served again after {late:.0f} s, last bad {answer.what}: {answer.status or 'no answer'}"
        if (self.marked_seconds or 0) > MARKED_BAR:
            yield f"the dead run was marked after {self.marked_seconds:.0f} s"
        if false := self._false_health():
            yield f"{len(false)} answers of /readyz were false, first {false[0].status or 'no answer'}"

    def _false_health(self) -> list[Answer]:
        """Returns responses of /readyz that said "ready" for a stopped site, or "not ready" for one that serves."""
        return [answer for answer in self.health if self._expected(answer) is (answer.status != 200)]

    def _expected(self, answer: Answer) -> bool | None:
        """Returns whether the site should have been ready, or None if both are acceptable."""
        for began, mended, ended in self.periods if self.stops_site else []:
            if began + SETTLED <= answer.at and answer.at + answer.seconds < mended:
                return False
            if began - answer.seconds <= answer.at < ended + SERVING_BAR:
                return None
        return True

    def _late_answers(self) -> Iterator[tuple[float, Answer]]:
        """Yields each bad response with its delay after the time from which responses must be good."""
        for period, following in zip_longest(self.periods, self.periods[1:]):
            since, until = period.ended if self.stops_site else period.began, following.began if following else inf
            for answer in self.answers:
                if not answer.is_good and since <= answer.at < until:
                    yield answer.at + answer.seconds - since, answer
