"""Ablations: the champion's recipe fitted without each kind of features, compared with the one that has all of them.

Lists of new movies are compared separately because only features recommend those. One of many intervals lies below
zero by chance, so a kind counts as harmful only when two backtests in a row find harm.
"""

from dataclasses import replace
from typing import Any

import pandas as pd
from django.conf import settings

from mlops.errors import NothingToTest
from mlops.evaluation.intervals import PairedInterval
from mlops.models import Backtest
from mlops.monitoring.backtests.context import BacktestContext
from mlops.monitoring.codes import AblationCode, FeatureCode, ListsCode
from recommender.estimators import ESTIMATORS
from recommender.evaluation.comparison import Comparison, TemporalFold
from recommender.evaluation.slices import NEW_MOVIES

COLUMNS = {
    FeatureCode.GENRES: ("genres",),
    FeatureCode.YEAR: ("release_date",),
    FeatureCode.KEYWORDS: ("keywords",),
    FeatureCode.PEOPLE: ("cast", "directors"),
    FeatureCode.WORDS: ("title", "overview"),
    FeatureCode.LANGUAGE: ("language",),
}
COMPLETE = "complete"  # the model with all features
LISTS: dict[ListsCode, str | None] = {ListsCode.ALL: None, ListsCode.NEW_MOVIES: NEW_MOVIES}


def ablate_features(context: BacktestContext) -> tuple[dict[str, Any], bool]:
    """Passes when no kind of features is harmful twice in a row and at least one is beneficial."""
    present = [kind for kind in COLUMNS if _has(context.movies, kind)]
    if not ESTIMATORS[context.algorithm].scores_new_movies or not present:
        raise NothingToTest(f"The champion ({context.algorithm}) does not use movie features.")
    models = {COMPLETE: context.fit_and_evaluate("all features", context.later)}
    for kind in present:
        models[kind.value] = context.fit_and_evaluate(f"without {kind.label}", _without(context, [kind]))
    if len(present) > 1:
        models[FeatureCode.FEATURES.value] = context.fit_and_evaluate("without features", _without(context, present))
    comparison = Comparison(models)
    figures = {name: _worth(comparison, name) for name in models if name != COMPLETE}
    harmful = {name for name, found in figures.items() if found["outcome"] == AblationCode.HARMFUL}
    is_any_good = any(found["outcome"] == AblationCode.BENEFICIAL for found in figures.values())
    return figures, is_any_good and not harmful & _harmful_before()


def _harmful_before() -> set[str]:
    last = Backtest.objects.filter(kind=Backtest.Kind.FEATURES).first()
    figures = last.figures if last else {}
    return {name for name, found in figures.items() if found["outcome"] == AblationCode.HARMFUL}


def _has(movies: pd.DataFrame, kind: FeatureCode) -> bool:
    return any(_filled(movies[column]).any() for column in COLUMNS[kind] if column in movies.columns)


def _filled(column: pd.Series) -> pd.Series:
    return column.map(lambda value: len(value) > 0 if hasattr(value, "__len__") else not pd.isna(value))


def _without(context: BacktestContext, kinds: list[FeatureCode]) -> TemporalFold:
    """The same evaluation data without the columns of these kinds, for the fit and for new movies."""
    columns = [column for kind in kinds for column in COLUMNS[kind]]
    later = context.later
    dataset = context.training_dataset(later.split.train, context.movies.drop(columns=columns, errors="ignore"))
    return replace(later, dataset=dataset, catalogue=later.catalogue.drop(columns=columns, errors="ignore"))


def _worth(comparison: Comparison, name: str) -> dict[str, Any]:
    """The nDCG with all features minus that without these, on each kind of lists."""
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    intervals = {
        code.value: comparison.difference(COMPLETE, name, part=slice_name, resamples=resamples).to_dict()
        for code, slice_name in LISTS.items()
        if slice_name is None or all(comparison[model].new_movies is not None for model in (COMPLETE, name))
    }
    outcome = _outcome([PairedInterval.from_dict(interval) for interval in intervals.values()])
    return {"outcome": outcome.value, "worth": intervals}


def _outcome(worth: list[PairedInterval]) -> AblationCode:
    known = [found.interval for found in worth if found.interval is not None]
    if any(high < 0 for _, high in known):
        return AblationCode.HARMFUL
    return AblationCode.BENEFICIAL if any(low > 0 for low, _ in known) else AblationCode.UNCLEAR
