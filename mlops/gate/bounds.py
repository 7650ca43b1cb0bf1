"""Comparisons that the gate's rules share: a figure or an interval against a threshold, as a finding."""

from dataclasses import replace
from typing import Any

from mlops.evaluation.intervals import PairedInterval, is_number
from mlops.findings import Finding, Outcome
from mlops.gate.codes import Message, Rule

EPSILON = 1e-12


def above(rule: Rule, difference: PairedInterval, threshold: float, subject: str = "") -> Finding:
    """The whole interval lies above the threshold."""
    interval = difference.interval
    outcome = outcome_of(interval is not None and interval[0] > threshold)
    message = Message.NO_INTERVAL if interval is None else Message.ABOVE
    return compared(rule, outcome, difference, threshold, message, subject)


def above_with_enough(
    rule: Rule,
    difference: PairedInterval,
    threshold: float,
    min_users: int,
    outcome: Outcome,
    few: Message,
    subject: str = "",
) -> Finding:
    """Above the threshold; `outcome` and the message `few` where too few users were evaluated."""
    if difference.n_users >= min_users:
        return above(rule, difference, threshold, subject)
    return compared(rule, outcome, difference, threshold, few, subject, min_users=min_users)


def not_clearly_worse(
    rule: Rule, difference: PairedInterval, max_loss: float, min_users: int, subject: str = ""
) -> Finding:
    """Clearly worse: by more than the policy's loss, and not by chance."""
    interval, threshold = difference.interval, -max_loss
    if difference.n_users < min_users or interval is None or difference.mean is None:
        return compared(rule, Outcome.NOT_JUDGED, difference, threshold, Message.TOO_FEW_USERS, subject)
    is_worse = difference.mean < threshold and interval[1] < 0
    return compared(rule, outcome_of(not is_worse), difference, threshold, Message.NOT_WORSE, subject)


def compared(
    rule: Rule,
    outcome: Outcome,
    difference: PairedInterval,
    threshold: float,
    message: Message,
    subject: str = "",
    **params: Any,
) -> Finding:
    params["n_users"] = difference.n_users
    return Finding(rule, outcome, difference.mean, threshold, difference.interval, params, message, subject)


def at_least_times(
    rule: Rule, figure: float | None, reference: float | None, ratio: float, subject: str = "", **params: Any
) -> Finding:
    return _times(1, Finding(rule, "", figure, params=params, subject=subject), reference, ratio)


def at_most_times(rule: Rule, figure: float | None, reference: float | None, ratio: float) -> Finding:
    return _times(-1, Finding(rule, "", figure), reference, ratio)


def _times(sign: int, draft: Finding, reference: float | None, ratio: float) -> Finding:
    if not is_number(reference):
        return replace(draft, outcome=Outcome.NOT_JUDGED, message=Message.NO_REFERENCE)
    params = {"ratio": ratio, "reference": reference, **draft.params}
    message = Message.AT_LEAST_TIMES if sign > 0 else Message.AT_MOST_TIMES
    return _held(replace(draft, params=params, message=message), sign, ratio * float(reference or 0.0), EPSILON)


def at_most(rule: Rule, figure: float | None, threshold: float, subject: str = "", **params: Any) -> Finding:
    return _held(Finding(rule, "", figure, params=params, message=Message.AT_MOST, subject=subject), -1, threshold)


def at_least(rule: Rule, figure: float | None, threshold: float) -> Finding:
    return _held(Finding(rule, "", figure, message=Message.AT_LEAST), 1, threshold)


def _held(draft: Finding, sign: int, threshold: float, tolerance: float = 0.0) -> Finding:
    """A figure that is missing fails."""
    if not is_number(draft.figure):
        return replace(draft, outcome=Outcome.FAILED, figure=None, threshold=threshold, message=Message.NO_FIGURE)
    passed = sign * float(draft.figure or 0.0) >= sign * threshold - tolerance
    return replace(draft, outcome=outcome_of(passed), threshold=threshold)


def reported(rule: Rule, figure: float | None, key: str) -> Finding:
    """For people to see; the policy sets no threshold."""
    return Finding(rule, Outcome.NOT_JUDGED, figure, params={"key": key}, message=Message.NO_THRESHOLD)


def outcome_of(passed: bool) -> Outcome:
    return Outcome.PASSED if passed else Outcome.FAILED
