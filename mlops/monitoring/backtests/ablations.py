"""Is every kind of features worth having? The champion's recipe is fitted without each, and judged against all of them.

New movies are recommended by their features alone, so lists of those are judged by themselves too. One of many
intervals lies below zero by chance: harm counts when two backtests in a row find it.
"""

from dataclasses import replace
from typing import Any

import pandas as pd
from django.conf import settings

from mlops.errors import NothingToTest
from mlops.evaluation.paired_interval import PairedInterval
from mlops.models import Backtest
from mlops.monitoring.backtests.context import BacktestContext
from recommender.estimators import ESTIMATORS
from recommender.evaluation import Comparison, LaterData
from recommender.evaluation.slices import NEW_MOVIES

KINDS = {  # of features: the columns that hold them
    "genres": ("genres",),
    "year": ("release_date",),
    "keywords": ("keywords",),
    "people": ("cast", "directors"),
    "words": ("title", "overview"),
    "language": ("language",),
}
ALL = "all"
GOOD, UNCLEAR, BAD = "beneficial", "unclear", "harmful"
PARTS: dict[str, str | None] = {"lists": None, "lists of new movies": NEW_MOVIES}


def ablate_features(context: BacktestContext) -> tuple[dict[str, Any], bool, str]:
    """Passed: no kind did harm twice in a row, and some do good."""
    present = [kind for kind in KINDS if _has(context.movies, kind)]
    if not ESTIMATORS[context.algorithm].scores_new_movies or not present:
        raise NothingToTest(f"The champion ({context.algorithm}) learns from no features of movies.")
    found = {ALL: context.judged("all features", context.later)}
    for kind in present:
        found[kind] = context.judged(f"without {kind}", _without(context, [kind]))
    if len(present) > 1:
        found["features"] = context.judged("without any", _without(context, present))
    comparison = Comparison(found)
    figures = {name: _worth(comparison, name) for name in found if name != ALL}
    outcomes = {name: figure["outcome"] for name, figure in figures.items()}
    passed = GOOD in outcomes.values() and not _harmful_before().intersection(
        name for name, outcome in outcomes.items() if outcome == BAD
    )
    return figures, passed, "; ".join(f"{name}: {outcome}" for name, outcome in outcomes.items())


def _harmful_before() -> set[str]:
    last = Backtest.objects.filter(kind=Backtest.Kind.FEATURES).first()
    return {name for name, found in last.figures.items() if found["outcome"] == BAD} if last else set()


def _has(movies: pd.DataFrame, kind: str) -> bool:
    return any(_filled(movies[column]).any() for column in KINDS[kind] if column in movies.columns)


def _filled(column: pd.Series) -> pd.Series:
    return column.map(lambda value: len(value) > 0 if hasattr(value, "__len__") else not pd.isna(value))


def _without(context: BacktestContext, kinds: list[str]) -> LaterData:
    """The same questions to a model that is told nothing of these kinds, neither at its fit nor later."""
    columns = [column for kind in kinds for column in KINDS[kind]]
    later = context.later
    blind = context.learnt_from(later.split.train, context.movies.drop(columns=columns, errors="ignore"))
    return replace(later, dataset=blind, catalogue=later.catalogue.drop(columns=columns, errors="ignore"))


def _worth(comparison: Comparison, name: str) -> dict[str, Any]:
    """nDCG with all features less that without these; who needs them for one part only does not lose by the other."""
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    intervals = {
        part: comparison.difference(ALL, name, part=slice_name, resamples=resamples).to_dict()
        for part, slice_name in PARTS.items()
        if slice_name is None or all(comparison[model].new_movies is not None for model in (ALL, name))
    }
    return {
        "outcome": _outcome([PairedInterval.from_dict(interval) for interval in intervals.values()]),
        "worth": intervals,
    }


def _outcome(worth: list[PairedInterval]) -> str:
    known = [found.interval for found in worth if found.interval is not None]
    if any(high < 0 for _, high in known):
        return BAD
    return GOOD if any(low > 0 for low, _ in known) else UNCLEAR
