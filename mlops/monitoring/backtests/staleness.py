"""What does age cost? The champion's recipe made of data that end earlier, all asked the same questions later."""

from dataclasses import replace
from typing import Any

import pandas as pd
from django.conf import settings

from mlops.errors import NothingToTest
from mlops.monitoring.backtests.context import BacktestContext
from recommender.estimators import Dataset
from recommender.evaluation import Comparison


def measure_staleness(context: BacktestContext) -> tuple[dict[str, Any], bool, str]:
    """Passed: it is known. `max_age_days` is the age up to which no more is lost than the policy takes."""
    policy = settings.POLICY.staleness
    found = {}
    for days in sorted({0.0, *policy.backtest_ages_days}):
        dataset = _as_of(context, days)
        if dataset is not None:
            found[_name(days)] = context.judged(f"{days:g} days old", replace(context.later, dataset=dataset))
    if len(found) < 2:
        raise NothingToTest("The ratings do not reach back far enough to make an older model.")
    comparison = Comparison(found)
    curve = [_point(comparison, name) for name in found]
    oldest = _oldest(curve, policy.max_backtest_loss)
    sentence = "; ".join(f"{row['days']:g} days: {-row['loss']:+.1%}" for row in curve[1:])
    return {"curve": curve, "max_age_days": oldest}, True, f"nDCG by age of the data: {sentence}"


def _name(days: float) -> str:
    return f"{days:g}"


def _as_of(context: BacktestContext, days: float) -> Dataset | None:
    """None where too little was there so long before."""
    train = context.later.split.train
    kept = train[train["rated_at"] < context.later.split.cut - pd.Timedelta(days=days)]
    if len(kept) < settings.POLICY.training.min_ratings:
        return None
    return context.learnt_from(kept, context.movies)


def _point(comparison: Comparison, name: str) -> dict[str, Any]:
    fresh, old = (comparison[model].summary()["ndcg"] for model in (_name(0), name))
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    difference = comparison.difference(name, _name(0), resamples=resamples).to_dict()
    return {"days": float(name), "ndcg": old, "loss": (fresh - old) / fresh if fresh else 0.0, "difference": difference}


def _oldest(curve: list[dict[str, Any]], max_loss: float) -> float:
    """The last tested age before the first that loses too much; at least the youngest but fresh, or nothing helps."""
    good = curve[0]["days"]
    for point in curve[1:]:
        if point["loss"] > max_loss:
            break
        good = point["days"]
    return max(good, curve[1]["days"])
