"""A rule of the gate: its name, outcome, figure and threshold; and the forms that rules take."""

from dataclasses import dataclass

from mlops.evaluation.paired_interval import PairedInterval, is_number

PASSED, FAILED, NOT_ENOUGH_EVIDENCE, NOT_JUDGED = "passed", "failed", "not_enough_evidence", "not_judged"


@dataclass(frozen=True)
class Rule:
    name: str
    outcome: str
    sentence: str
    figure: float | None = None
    interval: tuple[float, float] | None = None
    threshold: float | None = None


def above(name: str, difference: PairedInterval, threshold: float) -> Rule:
    """The whole interval lies above the threshold."""
    interval = difference.interval
    if interval is None:
        few = f"{name}: too few users for an interval ({difference.n_users})."
        return Rule(name, FAILED, few, difference.mean, None, threshold)
    sentence = f"nDCG differs by {difference} ({name}); the lower bound has to be above {threshold:g}."
    return Rule(name, outcome(interval[0] > threshold), sentence, difference.mean, interval, threshold)


def not_clearly_worse(name: str, difference: PairedInterval, max_loss: float, min_users: int) -> Rule:
    """Clearly worse: by more than the policy's loss, and not by chance."""
    interval, threshold = difference.interval, -max_loss
    if difference.n_users < min_users or interval is None or difference.mean is None:
        few = f"{name}: {difference.n_users} users, too few to judge."
        return Rule(name, NOT_JUDGED, few, difference.mean, interval, threshold)
    is_worse = difference.mean < threshold and interval[1] < 0
    sentence = f"nDCG differs by {difference} ({name}); clearly worse than {threshold:g} is refused."
    return Rule(name, outcome(not is_worse), sentence, difference.mean, interval, threshold)


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
