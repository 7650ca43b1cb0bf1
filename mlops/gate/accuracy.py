"""The gate's accuracy rules: precision of the lists, RMSE of predicted stars, and recovery of liked movies."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.findings import Finding, Outcome
from mlops.gate.bounds import at_least, at_most, not_clearly_worse
from mlops.gate.codes import Message, Rule
from mlops.gate.inputs import GateInput
from mlops.policy import GatePolicy


def precision(given: GateInput, policy: GatePolicy) -> Iterator[Finding]:
    """Yields the findings on precision, which is the share of recommended movies that the user liked next.

    It is at most 1 / k, because each list is evaluated against one held-out like.
    """
    yield at_least(Rule.PRECISION, given.figures.get("precision"), policy.min_precision, key="gate.min_precision")
    if (difference := given.metric_differences.get("precision")) is not None:
        loss, users, message = policy.max_precision_loss, policy.min_slice_users, Message.PRECISION_NOT_WORSE
        yield not_clearly_worse(Rule.PRECISION_CHAMPION, difference, loss, users, message=message)


def predicted_stars(given: GateInput, policy: GatePolicy) -> Iterator[Finding]:
    """Yields the findings on the RMSE of ratings after each cut, for movies that had ratings before it."""
    rmse, n_stars = given.figures.get("rmse"), int(given.figures.get("n_stars") or 0)
    if n_stars < policy.min_stars:
        params = {"n_stars": n_stars, "min_stars": policy.min_stars}
        yield Finding(Rule.RMSE, Outcome.NOT_JUDGED, rmse, params=params, message=Message.TOO_FEW_STARS)
        return
    yield at_most(Rule.RMSE, rmse, policy.max_rmse, key="gate.max_rmse")
    yield at_most(Rule.RMSE_REFERENCE, rmse, given.reference.get("rmse"), times=policy.max_rmse_ratio)


def liked_share(result: Mapping[str, Any], policy: GatePolicy) -> Finding:
    """Returns the finding on the share of liked movies that the saved model ranks in the first tenth of the catalogue.

    The model was trained on the complete histories of these users. If it misses their likes, its files belong to other
    data.
    """
    share, n_liked = result.get("liked_share"), result.get("n_liked") or 0
    if n_liked >= policy.min_liked:
        return at_least(Rule.LIKED_SHARE, share, policy.min_liked_share)
    params, message = {"n_liked": n_liked}, Message.TOO_FEW_MOVIES
    return Finding(Rule.LIKED_SHARE, Outcome.NOT_JUDGED, share, params=params, message=message)
