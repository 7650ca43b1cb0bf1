"""Hyper-parameters that are not set by hand: the memory limit from config.yaml, and values tuned during a fit."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import pandas as pd
from django.conf import settings

from recommender.estimators import ESTIMATORS, Dataset
from recommender.estimators.ease import LAPACK_LIMIT, EaseConfig
from recommender.evaluation import temporal_cuts
from recommender.evaluation.folds import training_dataset

BYTES_PER_PAIR = 5  # a float32 per pair of movies, plus a quarter of that during the computation


def choose_parameters(
    algorithm: str, parameters: Mapping[str, Any], ratings: pd.DataFrame, movies: pd.DataFrame
) -> dict[str, Any]:
    """Returns `parameters`, completed by a fit on the data before the earliest cut.

    All later fits use the same values. Thus no value depends on later data, and the model that goes live has the
    evaluated parameters.
    """
    train = temporal_cuts(ratings, settings.POLICY.evaluation.cuts[:1])[0].train
    threshold = settings.POLICY.training.implicit_threshold
    return complete(algorithm, parameters, lambda: training_dataset(train, movies, threshold))


def complete(algorithm: str, parameters: Mapping[str, Any], dataset: Callable[[], Dataset]) -> dict[str, Any]:
    """Returns `parameters` with the memory limit and with the values that a fit chooses."""
    parameters = with_memory_limit(algorithm, parameters)
    estimator = ESTIMATORS[algorithm](random_state=settings.POLICY.training.random_state, **parameters)
    is_open = [field.name for field in fields(estimator.config) if getattr(estimator.config, field.name) is None]
    if not is_open:
        return parameters
    chosen = estimator.fit(dataset()).best_params_
    return parameters | {name: chosen[name] for name in is_open if name in chosen}


def with_memory_limit(algorithm: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `parameters` with `max_movies` set to fit the available memory, for models with an item-item matrix.

    A given `max_movies` is kept. In a larger catalogue the model covers only the most rated movies, and the estimator
    logs this.
    """
    if "max_movies" in parameters or not issubclass(ESTIMATORS[algorithm].config_class, EaseConfig):
        return dict(parameters)
    return {**parameters, "max_movies": movies_in_memory(settings.POLICY.training.memory_mb)}


def movies_in_memory(memory_mb: float) -> int:
    return min(math.isqrt(int(memory_mb * 1e6 / BYTES_PER_PAIR)), LAPACK_LIMIT)
