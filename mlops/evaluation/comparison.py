"""Evaluates a candidate, the champion and baselines on the same later data, with `recommender.evaluation`."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pandas as pd
from django.conf import settings
from django.utils import timezone

from mlops.errors import StepFailed
from mlops.evaluation.lineage import recipe_hash
from mlops.evaluation.open_parameters import with_memory_limit
from mlops.evaluation.parameters import from_json, to_json
from mlops.models import ModelVersion, Promotion
from recommender.estimators.features import feature_costs
from recommender.evaluation import METRICS, SLICES, Comparison, Evaluation, baselines, evaluate_on_cuts, fitter
from recommender.evaluation.baselines import Fitter
from recommender.evaluation.folds import TemporalFold
from recommender.evaluation.slices import Groups, data_facts, movie_groups, shares

CANDIDATE, CHAMPION = "candidate", "champion"
RECENT = "champion_"  # prefix, followed by the version's number
EASE = "ease"
EASE_BASELINE: dict[str, Any] = {"regularization": 200.0}  # not tuned, for orientation only
NEW_MOVIES = "movies_new"

Progress = Callable[[str, int, int], None]


def evaluate_candidate(
    algorithm: str,
    parameters: Mapping[str, Any],
    *,
    champion: ModelVersion | None,
    ratings: pd.DataFrame,
    movies: pd.DataFrame,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluates all models on the same later data. Returns the figures that are stored with the version.

    Raises StepFailed if the ratings contain no later data.
    """
    policy, threshold = settings.POLICY.evaluation, settings.POLICY.training.implicit_threshold
    fitters = {CANDIDATE: fitter(algorithm, settings.POLICY.training.random_state, **parameters)}
    if champion is not None:
        fitters[CHAMPION] = fitter_of(champion)
        others = recent_champions(champion, recipe_hash(algorithm, to_json(parameters)))
        fitters |= {f"{RECENT}{version.pk}": fitter_of(version) for version in others}
    fitters |= baselines(policy.half_lives_days)
    if algorithm != EASE:
        fitters[EASE] = fitter(EASE, **with_memory_limit(EASE, EASE_BASELINE))
    try:
        comparison = evaluate_on_cuts(
            fitters, ratings, movies, policy.cuts, k=policy.k, implicit_threshold=threshold, progress=progress
        )
    except ValueError as error:
        raise StepFailed(f"The model cannot be evaluated on later data: {error}") from error
    return _figures(comparison, movies) | {"data": data_facts(ratings, movies)}


def fit_and_evaluate(fold: TemporalFold, algorithm: str, parameters: Mapping[str, Any]) -> Evaluation:
    """Fits on the data before the fold's cut, and evaluates on the data after it."""
    model = fitter(algorithm, settings.POLICY.training.random_state, **parameters)(fold.dataset)
    return fold.evaluate(model, settings.POLICY.evaluation.k)


def fitter_of(version: ModelVersion) -> Fitter:
    """Returns a function that fits the version's algorithm and parameters on the training data of a cut.

    The stored model cannot be evaluated, because it was also trained on the later data.
    """
    known = from_json(version.parameters | version.chosen)
    return fitter(version.algorithm, version.random_state, **known)


def difference(comparison: Comparison, model: str, other: str, **options: Any) -> dict[str, Any]:
    """Returns how much better `model` is than `other`, with the interval, as JSON values.

    `options` select a metric or a part of the lists.
    """
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    return comparison.difference(model, other, resamples=resamples, **options).to_dict()


def recent_champions(champion: ModelVersion, candidate: str) -> list[ModelVersion]:
    """Returns the champions of the last `best_champion_days`, one per recipe, latest promotion first.

    Excludes the recipes of the champion and of the candidate (`candidate` is its `recipe_hash`), because versions with
    the same recipe give the same model before a cut.
    """
    policy = settings.POLICY.gate
    since = timezone.now() - timedelta(days=policy.best_champion_days)
    found: dict[str, ModelVersion] = {}
    for promotion in Promotion.objects.filter(promoted_at__gte=since).select_related("version"):
        found.setdefault(_recipe_of(promotion.version), promotion.version)
    known = {candidate, _recipe_of(champion)}
    return [version for recipe, version in found.items() if recipe not in known][: policy.best_champions_tried]


def _recipe_of(version: ModelVersion) -> str:
    return recipe_hash(version.algorithm, version.parameters | version.chosen)


def _figures(comparison: Comparison, movies: pd.DataFrame) -> dict[str, Any]:
    """Returns each model's metrics and the candidate's paired differences, as JSON values."""
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    models = comparison.to_dict()
    has_champion = CHAMPION in models
    pair = [CANDIDATE, CHAMPION] if has_champion else [CANDIDATE]
    groups = movie_groups(movies, settings.POLICY.gate.min_group_share)
    return {
        "models": models,
        "interval": comparison[CANDIDATE].interval(resamples=resamples).to_dict(),
        "slice_intervals": _slice_intervals(comparison[CANDIDATE]),
        "best_simple_baseline": comparison.best_simple_baseline(),
        "differences": {name: difference(comparison, CANDIDATE, name) for name in models if name != CANDIDATE},
        "champion_differences": {
            metric: difference(comparison, CANDIDATE, CHAMPION, metric=metric) for metric in METRICS if has_champion
        },
        "slice_differences": _slice_differences(comparison, groups) if has_champion else {},
        "scores_new_movies": {name: comparison[name].new_movies is not None for name in pair},
        "feature_costs": feature_costs(movies) if comparison[CANDIDATE].new_movies is not None else {},
        "groups": {name: len(ids) / len(movies) for name, ids in groups.items()},
        "exposure": {name: shares(comparison[name].shown, groups) for name in pair},
    }


def _slice_intervals(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    parts = [part for part in SLICES if len(evaluation.per_user(part))]
    return {part: evaluation.interval(part=part, resamples=resamples).to_dict() for part in parts}


def _slice_differences(comparison: Comparison, groups: Groups) -> dict[str, dict[str, Any]]:
    """Returns the differences from the champion, keyed by slice.

    The slices are the fixed ones, and every language, genre and decade with enough users.
    """
    parts = [part for part in SLICES if _both_judged(comparison, part)]
    found = {part: difference(comparison, CANDIDATE, CHAMPION, part=part) for part in parts}
    for name, ids in groups.items():
        among = comparison.among(ids)
        if len(among[CANDIDATE].per_user()) >= settings.POLICY.gate.min_slice_users:
            found[name] = difference(among, CANDIDATE, CHAMPION)
    return found


def _both_judged(comparison: Comparison, part: str) -> bool:
    """Returns whether the two models can be compared on the slice. For new movies, both or neither must score them."""
    pair = (comparison[CANDIDATE], comparison[CHAMPION])
    if part == NEW_MOVIES and len({evaluation.new_movies is None for evaluation in pair}) > 1:
        return False
    return all(len(evaluation.per_user(part)) for evaluation in pair)
