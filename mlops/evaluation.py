"""A candidate, the champion and the baselines on the same later data; the arithmetic is recommender.evaluation's."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import pandas as pd
from django.conf import settings

from mlops.errors import StepFailed
from mlops.gate import Bounds
from mlops.models import ModelVersion
from recommender.estimators import ESTIMATORS, Dataset, Recommender
from recommender.evaluation import SLICES, Comparison, baselines, evaluate_on_cuts

CANDIDATE, CHAMPION = "candidate", "champion"
NEW_MOVIES = "movies_new"

Progress = Callable[[str, int, int], None]


class ChosenOnce:
    """Fits a model at each cut; what was not given is chosen at the first one, which is the earliest, and kept.

    That is honest, since no later cut's own later data was looked at, and saves a search for each cut.
    """

    def __init__(self, algorithm: str, random_state: int, parameters: Mapping[str, Any]) -> None:
        self.algorithm, self.random_state = algorithm, random_state
        self.parameters = dict(parameters)

    def __call__(self, dataset: Dataset) -> Recommender:
        model = ESTIMATORS[self.algorithm](random_state=self.random_state, **self.parameters).fit(dataset)
        self.parameters |= reusable(model)
        return model


def reusable(model: Recommender) -> dict[str, Any]:
    """Of what a fit chose, the part that can be given to the next one as hyper-parameters."""
    names = {field.name for field in fields(model.config)}
    return {name: value for name, value in model.chosen_.items() if name in names}


def evaluate_candidate(
    *,
    algorithm: str,
    parameters: Mapping[str, Any],
    champion: ModelVersion | None,
    ratings: pd.DataFrame,
    movies: pd.DataFrame,
    progress: Progress | None = None,
) -> tuple[Comparison, dict[str, Any]]:
    """The comparison, and the hyper-parameters that the candidate used in it."""
    policy = settings.POLICY.evaluation
    seed = settings.POLICY.training.random_state
    candidate = ChosenOnce(algorithm, seed, parameters)
    fitters: dict[str, Callable[[Dataset], Recommender]] = {CANDIDATE: candidate}
    if champion is not None:
        # Its algorithm and what it had chosen are fitted again before each cut: its stored files have learnt from
        # the later data, and would be asked about what they have already seen.
        known = champion.parameters | _reusable_of(champion)
        fitters[CHAMPION] = ChosenOnce(champion.algorithm, champion.random_state, known)
    for name, fitter in baselines(policy.half_lives_days).items():
        if name != algorithm or parameters:  # the candidate itself would be fitted twice
            fitters[name] = ChosenOnce(name, seed, {}) if name in ESTIMATORS else fitter
    try:
        comparison = evaluate_on_cuts(
            fitters,
            ratings,
            movies,
            policy.cuts,
            k=policy.k,
            implicit_threshold=settings.POLICY.training.implicit_threshold,
            seed=seed,
            progress=progress,
        )
    except ValueError as error:
        raise StepFailed(f"The model cannot be judged on later data: {error}") from error
    return comparison, candidate.parameters


def _reusable_of(version: ModelVersion) -> dict[str, Any]:
    names = {field.name for field in fields(ESTIMATORS[version.algorithm].config_class)}
    return {name: value for name, value in version.chosen.items() if name in names}


def figures_of(comparison: Comparison) -> dict[str, Any]:
    """What is kept on the version, JSON-able: every model's figures and the candidate's paired differences."""
    resamples = {"resamples": settings.POLICY.evaluation.bootstrap_resamples}
    models = comparison.to_dict()
    against = {
        name: comparison.difference(CANDIDATE, name, **resamples).to_dict() for name in models if name != CANDIDATE
    }
    slices: dict[str, dict[str, Any]] = {}
    if CHAMPION in models:
        for part in SLICES:
            if _both_judged(comparison, part):
                slices[part] = comparison.difference(CANDIDATE, CHAMPION, part=part, **resamples).to_dict()
    return {
        "models": models,
        "interval": comparison[CANDIDATE].interval(**resamples).to_dict(),
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
