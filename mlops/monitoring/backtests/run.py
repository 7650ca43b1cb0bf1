"""Backtests of the champion's recipe on later data: ablations of features, and the cost of older training data."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
from django.conf import settings
from django.utils import timezone
from threadpoolctl import threadpool_limits

from mlops.data.validation import frames_as_of
from mlops.errors import NothingToTest, SnapshotNotAvailable, StepFailed
from mlops.evaluation.lineage import fitting_threads
from mlops.evaluation.parameters import from_json
from mlops.models import Backtest, ModelVersion
from mlops.monitoring.backtests.ablations import ablate_features
from mlops.monitoring.backtests.context import BacktestContext, Progress
from recommender.estimators import Dataset
from recommender.evaluation.comparison import Comparison, TemporalFold
from recommender.evaluation.splits import temporal_cuts


def backtest(*, kind: str, on_progress: Progress | None = None) -> Backtest:
    """Fits the champion's recipe several times. Raises NothingToTest, SnapshotNotAvailable, StepFailed."""
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    if champion is None:
        raise NothingToTest("There is no champion yet.")
    if champion.snapshot.unavailable_reason:
        raise SnapshotNotAvailable(champion.snapshot.unavailable_reason)
    started = timezone.now()
    with threadpool_limits(limits=fitting_threads(), user_api="blas"):
        figures, passed = BACKTESTS[kind](_context(champion, on_progress or (lambda name: None)))
    return Backtest.objects.create(
        kind=kind,
        version=champion,
        figures=figures,
        passed=passed,
        started_at=started,
        ended_at=timezone.now(),
    )


def _context(champion: ModelVersion, progress: Progress) -> BacktestContext:
    ratings, movies = frames_as_of(champion.snapshot, champion.created_at)
    try:
        split = temporal_cuts(ratings, settings.POLICY.evaluation.cuts[-1:])[0]
        later = TemporalFold.after(split, movies, settings.POLICY.training.implicit_threshold, sampling=None)
    except ValueError as error:
        raise StepFailed(f"There is no later data to evaluate on: {error}") from error
    parameters = from_json(champion.parameters | champion.chosen)
    return BacktestContext(champion.algorithm, parameters, movies, later, progress)


def measure_staleness(context: BacktestContext) -> tuple[dict[str, Any], bool]:
    """Passes when it can be measured. `max_age_days` is the age up to which the loss stays within the policy."""
    policy = settings.POLICY.staleness
    models = {}
    for days in sorted({0.0, *policy.backtest_ages_days}):
        dataset = _as_of(context, days)
        if dataset is not None:
            models[_name(days)] = context.fit_and_evaluate(
                f"{days:g} days old", replace(context.later, dataset=dataset)
            )
    if len(models) < 2:
        raise NothingToTest("The ratings do not go back far enough to train an older model.")
    comparison = Comparison(models)
    curve = [_point(comparison, name) for name in models]
    return {"curve": curve, "max_age_days": _oldest(curve, policy.max_backtest_loss)}, True


def _name(days: float) -> str:
    return f"{days:g}"


def _as_of(context: BacktestContext, days: float) -> Dataset | None:
    """The training data so many days before the cut; None when there were too few ratings."""
    train = context.later.split.train
    kept = train[train["rated_at"] < context.later.split.cut - pd.Timedelta(days=days)]
    if len(kept) < settings.POLICY.training.min_ratings:
        return None
    return context.training_dataset(kept, context.movies)


def _point(comparison: Comparison, name: str) -> dict[str, Any]:
    fresh, old = (comparison[model].summary()["ndcg"] for model in (_name(0), name))
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    difference = comparison.difference(name, _name(0), resamples=resamples).to_dict()
    return {"days": float(name), "ndcg": old, "loss": (fresh - old) / fresh if fresh else 0.0, "difference": difference}


def _oldest(curve: list[dict[str, Any]], max_loss: float) -> float:
    """The last age before the first that loses too much; at least the youngest age above zero."""
    good = curve[0]["days"]
    for point in curve[1:]:
        if point["loss"] > max_loss:
            break
        good = point["days"]
    return float(max(good, curve[1]["days"]))


BACKTESTS: dict[str, Callable[[BacktestContext], tuple[dict[str, Any], bool]]] = {
    Backtest.Kind.FEATURES: ablate_features,
    Backtest.Kind.STALENESS: measure_staleness,
}
