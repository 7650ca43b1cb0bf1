"""Backtests of the champion's recipe on later data: ablations of features, and the cost of older training data.

An ablation leaves out one kind of features. It also compares the lists of new movies, which depend on features only. A
kind is harmful if two consecutive backtests find harm, because one of many intervals may be below zero by chance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from django.conf import settings
from django.utils import timezone
from threadpoolctl import threadpool_limits

from mlops.data.validation import frames_as_of, null_shares
from mlops.errors import NothingToTest, SnapshotNotAvailable, StepFailed
from mlops.evaluation.comparison import difference, fit_and_evaluate
from mlops.evaluation.lineage import fitting_threads
from mlops.evaluation.parameters import from_json
from mlops.models import Backtest, ModelVersion
from mlops.monitoring.codes import AblationCode, FeatureCode, ListsCode
from recommender.estimators import ESTIMATORS
from recommender.evaluation import Comparison, Evaluation, temporal_cuts
from recommender.evaluation.folds import TemporalFold, training_dataset
from recommender.evaluation.slices import NEW_MOVIES

COLUMNS = {
    FeatureCode.GENRES: ("genres",),
    FeatureCode.YEAR: ("release_date",),
    FeatureCode.KEYWORDS: ("keywords",),
    FeatureCode.PEOPLE: ("cast", "directors"),
    FeatureCode.WORDS: ("title", "overview"),
    FeatureCode.LANGUAGE: ("language",),
    FeatureCode.COUNTRIES: ("countries",),
}
COMPLETE = "complete"  # the model with all features
FRESH = "0"  # the model trained on the latest data; other names are the age of the data in days
LISTS: dict[ListsCode, str | None] = {ListsCode.ALL: None, ListsCode.NEW_MOVIES: NEW_MOVIES}

Progress = Callable[[str], None]
Result = tuple[dict[str, Any], bool]  # the figures, and whether the backtest passed


@dataclass(frozen=True)
class BacktestContext:
    """The champion's recipe and the last cut of its data. Models are evaluated on the data after the cut."""

    algorithm: str
    parameters: Mapping[str, Any]
    movies: pd.DataFrame
    later: TemporalFold
    progress: Progress

    def fit_and_evaluate(self, name: str, data: TemporalFold) -> Evaluation:
        self.progress(name)
        return fit_and_evaluate(data, self.algorithm, self.parameters)


def backtest(*, kind: str, on_progress: Progress | None = None) -> Backtest:
    """Runs a backtest and stores its result. Raises NothingToTest, SnapshotNotAvailable, StepFailed."""
    champion = ModelVersion.champion()
    if champion is None:
        raise NothingToTest("There is no champion yet.")
    if champion.snapshot.unavailable_reason:
        raise SnapshotNotAvailable(champion.snapshot.unavailable_reason)
    started = timezone.now()
    with threadpool_limits(limits=fitting_threads(), user_api="blas"):
        figures, passed = BACKTESTS[kind](_context(champion, on_progress or (lambda name: None)))
    return Backtest.objects.create(kind=kind, version=champion, figures=figures, passed=passed, started_at=started)


def _context(champion: ModelVersion, progress: Progress) -> BacktestContext:
    ratings, movies = frames_as_of(champion.snapshot, champion.created_at)
    try:
        split = temporal_cuts(ratings, settings.POLICY.evaluation.cuts[-1:])[0]
        later = TemporalFold.after(split, movies, settings.POLICY.training.implicit_threshold, sampling=None)
    except ValueError as error:
        raise StepFailed(f"There is no later data to evaluate on: {error}") from error
    parameters = from_json(champion.parameters | champion.chosen)
    return BacktestContext(champion.algorithm, parameters, movies, later, progress)


def ablate_features(context: BacktestContext) -> Result:
    """Passes if no kind of features is harmful twice in a row and at least one kind is beneficial."""
    missing = null_shares(context.movies)
    present = [kind for kind, columns in COLUMNS.items() if any(missing.get(name, 1) < 1 for name in columns)]
    if not ESTIMATORS[context.algorithm].scores_new_movies or not present:
        raise NothingToTest(f"The champion ({context.algorithm}) does not use movie features.")
    models = {COMPLETE: context.fit_and_evaluate("all features", context.later)}
    for kind in present:
        models[kind.value] = context.fit_and_evaluate(f"without {kind.label}", _without(context, [kind]))
    if len(present) > 1:
        models[FeatureCode.FEATURES.value] = context.fit_and_evaluate("without features", _without(context, present))
    comparison = Comparison(models)
    figures = {name: _worth(comparison, name) for name in models if name != COMPLETE}
    last = Backtest.objects.filter(kind=Backtest.Kind.FEATURES).first()
    harmful_twice = _found(AblationCode.HARMFUL, figures) & _found(AblationCode.HARMFUL, last.figures if last else {})
    return figures, bool(_found(AblationCode.BENEFICIAL, figures)) and not harmful_twice


def _without(context: BacktestContext, kinds: list[FeatureCode]) -> TemporalFold:
    """Returns the fold without the columns of these kinds, in both the training data and the catalogue."""
    columns = [column for kind in kinds for column in COLUMNS[kind]]
    movies, catalogue = (
        frame.drop(columns=columns, errors="ignore") for frame in (context.movies, context.later.catalogue)
    )
    dataset = training_dataset(context.later.split.train, movies, settings.POLICY.training.implicit_threshold)
    return replace(context.later, dataset=dataset, catalogue=catalogue)


def _worth(comparison: Comparison, name: str) -> dict[str, Any]:
    """Returns, for each kind of list, the outcome and the nDCG lost without these features."""
    intervals = {
        code.value: difference(comparison, COMPLETE, name, part=slice_name)
        for code, slice_name in LISTS.items()
        if slice_name is None or all(comparison[model].new_movies is not None for model in (COMPLETE, name))
    }
    return {"outcome": _outcome(list(intervals.values())).value, "worth": intervals}


def _outcome(intervals: Sequence[Mapping[str, Any]]) -> AblationCode:
    known = [found for found in intervals if found["low"] is not None]
    if any(found["high"] < 0 for found in known):
        return AblationCode.HARMFUL
    return AblationCode.BENEFICIAL if any(found["low"] > 0 for found in known) else AblationCode.UNCLEAR


def _found(outcome: AblationCode, figures: Mapping[str, Any]) -> set[str]:
    """Returns the kinds of features whose ablation had this outcome."""
    return {name for name, found in figures.items() if found["outcome"] == outcome}


def measure_staleness(context: BacktestContext) -> Result:
    """Measures the loss by age of the training data. `max_age_days` is the highest age within the policy's limit."""
    policy, training = settings.POLICY.staleness, settings.POLICY.training
    split, models = context.later.split, {}
    for days in sorted({0.0, *policy.backtest_ages_days}):
        kept = split.train[split.train["rated_at"] < split.cut - pd.Timedelta(days=days)]
        if len(kept) >= training.min_ratings:
            dataset = training_dataset(kept, context.movies, training.implicit_threshold)
            data = replace(context.later, dataset=dataset)
            models[f"{days:g}"] = context.fit_and_evaluate(f"{days:g} days old", data)
    if len(models) < 2:
        raise NothingToTest("The ratings do not go back far enough to train an older model.")
    comparison = Comparison(models)
    curve = [_point(comparison, name) for name in models]
    return {"curve": curve, "max_age_days": _oldest(curve, policy.max_backtest_loss)}, True


def _point(comparison: Comparison, name: str) -> dict[str, Any]:
    fresh, old = (comparison[model].summary()["ndcg"] for model in (FRESH, name))
    loss = (fresh - old) / fresh if fresh else 0.0
    return {"days": float(name), "ndcg": old, "loss": loss, "difference": difference(comparison, name, FRESH)}


def _oldest(curve: list[dict[str, Any]], max_loss: float) -> float:
    """Returns the last age before the loss becomes too large, but at least the lowest age above zero."""
    good = curve[0]["days"]
    for point in curve[1:]:
        if point["loss"] > max_loss:
            break
        good = point["days"]
    return float(max(good, curve[1]["days"]))


BACKTESTS: dict[str, Callable[[BacktestContext], Result]] = {
    Backtest.Kind.FEATURES: ablate_features,
    Backtest.Kind.STALENESS: measure_staleness,
}
