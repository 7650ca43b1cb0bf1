"""Comparisons shared by the gate's rules. Each compares a figure or an interval with a threshold."""

from dataclasses import replace
from typing import Any

from mlops.evaluation.intervals import PairedInterval, is_number
from mlops.findings import Finding, Outcome
from mlops.gate.codes import Message, Rule

EPSILON = 1e-12

Bound = float | None


def above(
    rule: Rule,
    difference: PairedInterval,
    threshold: float,
    subject: str = "",
    *,
    min_users: int = 0,
    if_few: tuple[Outcome, Message] = (Outcome.FAILED, Message.NO_INTERVAL),
) -> Finding:
    """Passes if the whole interval lies above the threshold.

    `if_few` is the outcome and message if fewer than `min_users` users were evaluated.
    """
    if difference.n_users < min_users:
        return compared(rule, if_few[0], difference, threshold, if_few[1], subject, min_users=min_users)
    if difference.interval is None:
        return compared(rule, Outcome.FAILED, difference, threshold, Message.NO_INTERVAL, subject)
    outcome = outcome_of(difference.interval[0] > threshold)
    return compared(rule, outcome, difference, threshold, Message.ABOVE, subject)


def not_clearly_worse(
    rule: Rule,
    difference: PairedInterval,
    max_loss: float,
    min_users: int,
    subject: str = "",
    message: Message = Message.NOT_WORSE,
) -> Finding:
    """Fails if the mean loss exceeds `max_loss` and the whole interval is below 0."""
    if difference.n_users < min_users or difference.mean is None or difference.high is None:
        return compared(rule, Outcome.NOT_JUDGED, difference, -max_loss, Message.TOO_FEW_USERS, subject)
    is_worse = difference.mean < -max_loss and difference.high < 0
    return compared(rule, outcome_of(not is_worse), difference, -max_loss, message, subject)


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


def at_least(
    rule: Rule, figure: float | None, bound: Bound, subject: str = "", times: float | None = None, **params: Any
) -> Finding:
    """Passes if the figure is at least the bound; with `times`, at least `times` the reference figure `bound`."""
    message = Message.AT_LEAST if times is None else Message.AT_LEAST_TIMES
    return _held(Finding(rule, "", figure, bound, None, params, message, subject), 1, times)


def at_most(
    rule: Rule, figure: float | None, bound: Bound, subject: str = "", times: float | None = None, **params: Any
) -> Finding:
    """Passes if the figure is at most the bound; with `times`, at most `times` the reference figure `bound`."""
    message = Message.AT_MOST if times is None else Message.AT_MOST_TIMES
    return _held(Finding(rule, "", figure, bound, None, params, message, subject), -1, times)


def _held(draft: Finding, sign: int, times: float | None) -> Finding:
    """Returns the draft with its outcome. A missing figure fails. Without a bound, the outcome is NOT_JUDGED."""
    bound, figure = draft.threshold, draft.figure
    if bound is None or not is_number(bound):
        without = Message.NOTHING_KNOWN if figure is None else Message.NO_THRESHOLD
        message = without if times is None else Message.NO_REFERENCE
        return replace(draft, outcome=Outcome.NOT_JUDGED, threshold=None, message=message)
    if times is not None:
        params = {"ratio": times, "reference": bound, **draft.params}
        bound *= times
        draft = replace(draft, threshold=bound, params=params)
    if figure is None or not is_number(figure):
        return replace(draft, outcome=Outcome.FAILED, figure=None, message=Message.NO_FIGURE)
    return replace(draft, outcome=outcome_of(sign * figure >= sign * bound - EPSILON))


def outcome_of(passed: bool) -> Outcome:
    return Outcome.PASSED if passed else Outcome.FAILED
