"""A candidate, the champion and the baselines on the same later data; the arithmetic is recommender.evaluation's."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import pandas as pd
from django.conf import settings

from mlops.errors import StepFailed
from mlops.gate import Bounds
from mlops.models import ModelVersion
from mlops.parameters import from_json
from recommender.estimators import ESTIMATORS, Dataset
from recommender.evaluation import SLICES, Comparison, baselines, evaluate_on_cuts, fitter, temporal_cuts

CANDIDATE, CHAMPION = "candidate", "champion"
EASE = "ease"
EASE_BASELINE: dict[str, Any] = {"regularization": 200.0}  # for orientation only, not worth a search
NEW_MOVIES = "movies_new"

Progress = Callable[[str, int, int], None]


def choose_parameters(
    algorithm: str, parameters: Mapping[str, Any], ratings: pd.DataFrame, movies: pd.DataFrame
) -> dict[str, Any]:
    """`parameters`, and what they leave open as a fit on the data before the earliest cut chooses it.

    One search for all fits to come: no cut's later data was looked at, and what is judged is what goes live.
    """
    estimator = ESTIMATORS[algorithm](random_state=settings.POLICY.training.random_state, **parameters)
    is_open = [field.name for field in fields(estimator.config) if getattr(estimator.config, field.name) is None]
    if not is_open:
        return dict(parameters)
    train = temporal_cuts(ratings, settings.POLICY.evaluation.cuts[:1])[0].train
    known = movies[movies["movie_id"].isin(train["movie_id"].unique())]
    dataset = Dataset.from_frames(train, known, settings.POLICY.training.implicit_threshold)
    chosen = estimator.fit(dataset).chosen_
    return dict(parameters) | {name: chosen[name] for name in is_open if name in chosen}


def evaluate_candidate(
    *,
    algorithm: str,
    parameters: Mapping[str, Any],
    champion: ModelVersion | None,
    ratings: pd.DataFrame,
    movies: pd.DataFrame,
    progress: Progress | None = None,
) -> Comparison:
    """All models on the same later data. Raises StepFailed where the log has nothing later to judge by."""
    policy = settings.POLICY.evaluation
    fitters = {CANDIDATE: fitter(algorithm, settings.POLICY.training.random_state, **parameters)}
    if champion is not None:
        # Its algorithm is fitted again before each cut, with what it had chosen: its stored files have learnt from
        # the later data, and would be asked about what they have already seen.
        known = from_json(champion.parameters | champion.chosen)
        fitters[CHAMPION] = fitter(champion.algorithm, champion.random_state, **known)
    fitters |= baselines(policy.half_lives_days)
    fitters[EASE] = fitter(EASE, **EASE_BASELINE)
    if algorithm == EASE:
        del fitters[EASE]
    try:
        return evaluate_on_cuts(
            fitters,
            ratings,
            movies,
            policy.cuts,
            k=policy.k,
            implicit_threshold=settings.POLICY.training.implicit_threshold,
            progress=progress,
        )
    except ValueError as error:
        raise StepFailed(f"The model cannot be judged on later data: {error}") from error


def figures_of(comparison: Comparison) -> dict[str, Any]:
    """What is kept on the version, JSON-able: every model's figures and the candidate's paired differences."""
    resamples = settings.POLICY.evaluation.bootstrap_resamples
    models = comparison.to_dict()
    against = {
        name: comparison.difference(CANDIDATE, name, resamples=resamples).to_dict()
        for name in models
        if name != CANDIDATE
    }
    slices: dict[str, dict[str, Any]] = {}
    if CHAMPION in models:
        for part in SLICES:
            if _both_judged(comparison, part):
                slices[part] = comparison.difference(CANDIDATE, CHAMPION, part=part, resamples=resamples).to_dict()
    return {
        "models": models,
        "interval": comparison[CANDIDATE].interval(resamples=resamples).to_dict(),
        "best_simple_baseline": comparison.best_simple_baseline(),
        "differences": against,
        "slice_differences": slices,
        "scores_new_movies": {
            name: comparison[name].new_movies is not None for name in (CANDIDATE, CHAMPION) if name in models
        },
    }


def _both_judged(comparison: Comparison, part: str) -> bool:
    """Lists of new movies are judged only of models that can score those."""
    pair = (comparison[CANDIDATE], comparison[CHAMPION])
    if part == NEW_MOVIES and len({evaluation.new_movies is None for evaluation in pair}) > 1:
        return False
    return all(len(evaluation.per_user(part)) for evaluation in pair)


def bounds(interval: Mapping[str, Any]) -> Bounds:
    return Bounds(interval["mean"], interval["low"], interval["high"], interval["n_users"])
