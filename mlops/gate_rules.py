"""A rule of the gate: what was looked at, what was found, what was asked for; and the forms that rules take."""

import math
from dataclasses import dataclass

PASSED, FAILED, NOT_ENOUGH_EVIDENCE, NOT_JUDGED = "passed", "failed", "not_enough_evidence", "not_judged"


@dataclass(frozen=True)
class Bounds:
    """A paired difference in nDCG with its 95 % interval; None where there are too few users for one."""

    mean: float | None
    low: float | None
    high: float | None
    n_users: int

    @property
    def interval(self) -> tuple[float, float] | None:
        if not all(is_number(value) for value in (self.mean, self.low, self.high)):
            return None
        return float(self.low or 0.0), float(self.high or 0.0)

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}], {self.n_users} users"


@dataclass(frozen=True)
class Rule:
    name: str
    outcome: str
    sentence: str
    figure: float | None = None
    interval: tuple[float, float] | None = None
    threshold: float | None = None


def above(name: str, bounds: Bounds, threshold: float) -> Rule:
    """The whole interval lies above the threshold."""
    interval = bounds.interval
    if interval is None:
        few = f"{name}: too few users for an interval ({bounds.n_users})."
        return Rule(name, FAILED, few, bounds.mean, None, threshold)
    sentence = f"nDCG differs by {bounds} ({name}); the lower bound has to be above {threshold:g}."
    return Rule(name, outcome(interval[0] > threshold), sentence, bounds.mean, interval, threshold)


def not_clearly_worse(name: str, bounds: Bounds, max_loss: float, min_users: int) -> Rule:
    """Clearly worse: by more than the policy's loss, and not by chance."""
    interval, threshold = bounds.interval, -max_loss
    if bounds.n_users < min_users or interval is None or bounds.mean is None:
        few = f"{name}: {bounds.n_users} users, too few to judge."
        return Rule(name, NOT_JUDGED, few, bounds.mean, interval, threshold)
    is_worse = bounds.mean < threshold and interval[1] < 0
    sentence = f"nDCG differs by {bounds} ({name}); clearly worse than {threshold:g} is refused."
    return Rule(name, outcome(not is_worse), sentence, bounds.mean, interval, threshold)


def at_least_share_of(name: str, figure: float | None, reference: float | None, ratio: float) -> Rule:
    return _ratio(name, figure, reference, ratio, 1)


def at_most_times(name: str, figure: float | None, reference: float | None, ratio: float) -> Rule:
    return _ratio(name, figure, reference, ratio, -1)


def _ratio(name: str, figure: float | None, reference: float | None, ratio: float, sign: int) -> Rule:
    if not is_number(reference):
        return Rule(name, NOT_JUDGED, f"{name}: the champion has no figure.", figure)
    threshold = ratio * float(reference or 0.0)
    if not is_number(figure):
        return Rule(name, FAILED, f"{name}: this model has no figure.", None, None, threshold)
    passed = sign * float(figure or 0.0) >= sign * threshold - 1e-12
    words = "at least" if sign > 0 else "at most"
    sentence = f"{name}: {figure:.4g}; {words} {threshold:.4g} is asked ({ratio:g} times {reference:.4g})."
    return Rule(name, outcome(passed), sentence, figure, None, threshold)


def at_most(name: str, figure: float | None, threshold: float, of_what: str = "") -> Rule:
    passed = is_number(figure) and float(figure or 0.0) <= threshold
    shown = " ".join([f"{figure:.4g}" if is_number(figure) else "no figure", *([of_what] if of_what else [])])
    return Rule(name, outcome(passed), f"{name}: {shown}; at most {threshold:g} is allowed.", figure, None, threshold)


def at_least(name: str, figure: float | None, threshold: float) -> Rule:
    passed = is_number(figure) and float(figure or 0.0) >= threshold
    shown = f"{figure:.4g}" if is_number(figure) else "no figure"
    return Rule(name, outcome(passed), f"{name}: {shown}; at least {threshold:g} is asked.", figure, None, threshold)


def reported(name: str, figure: float | None, key: str) -> Rule:
    """For people to see; the policy names no bound."""
    shown = f"{figure:.4g}" if is_number(figure) else "no figure"
    return Rule(name, NOT_JUDGED, f"{name}: {shown}; no bound is set ({key} in config.yaml).", figure)


def outcome(passed: bool) -> str:
    return PASSED if passed else FAILED


def is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
