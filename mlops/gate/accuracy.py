"""The gate's rules about liked movies, the precision of lists and predicted stars, part of `RULES`."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.findings import Finding, Outcome
from mlops.gate.bounds import at_least, at_most, not_clearly_worse
from mlops.gate.codes import Message, Rule
from mlops.gate.inputs import GateInput
from mlops.policy import GatePolicy


def precision(given: GateInput, policy: GatePolicy) -> Iterator[Finding]:
    """Of the movies of a list, the share that was liked next: at most 1 / k, since a list is asked for each like."""
    yield at_least(Rule.PRECISION, given.figures.get("precision"), policy.min_precision, key="gate.min_precision")
    if (difference := given.metric_differences.get("precision")) is not None:
        loss, users, message = policy.max_precision_loss, policy.min_slice_users, Message.PRECISION_NOT_WORSE
        yield not_clearly_worse(Rule.PRECISION_CHAMPION, difference, loss, users, message=message)


def predicted_stars(given: GateInput, policy: GatePolicy) -> Iterator[Finding]:
    """On ratings given after each cut, of movies that were rated before it."""
    rmse, n_stars = given.figures.get("rmse"), int(given.figures.get("n_stars") or 0)
    if n_stars < policy.min_stars:
        params = {"n_stars": n_stars, "min_stars": policy.min_stars}
        yield Finding(Rule.RMSE, Outcome.NOT_JUDGED, rmse, params=params, message=Message.TOO_FEW_STARS)
        return
    yield at_most(Rule.RMSE, rmse, policy.max_rmse, key="gate.max_rmse")
    yield at_most(Rule.RMSE_REFERENCE, rmse, given.reference.get("rmse"), times=policy.max_rmse_ratio)


def liked_share(result: Mapping[str, Any], policy: GatePolicy) -> Finding:
    """From the saved files, for users whose whole history the model learnt: one of other data cannot."""
    share, n_liked = result.get("liked_share"), result.get("n_liked") or 0
    if n_liked >= policy.min_liked:
        return at_least(Rule.LIKED_SHARE, share, policy.min_liked_share)
    params, message = {"n_liked": n_liked}, Message.TOO_FEW_MOVIES
    return Finding(Rule.LIKED_SHARE, Outcome.NOT_JUDGED, share, params=params, message=message)
