"""The memory limit of config.yaml as a hyper-parameter of the models that it concerns."""

import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from recommender.estimators import ESTIMATORS
from recommender.estimators.ease import LAPACK_LIMIT, EaseConfig

BYTES_PER_PAIR = 5  # a float32 for each pair of movies, and a quarter more while it is computed


def with_memory_limit(algorithm: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters`, and for a model with an item-item matrix the number of movies that fits, unless given.

    The model then covers the most rated movies of a larger catalogue, and the estimator logs it.
    """
    if "max_movies" in parameters or not issubclass(ESTIMATORS[algorithm].config_class, EaseConfig):
        return dict(parameters)
    return {**parameters, "max_movies": movies_in_memory(settings.POLICY.training.memory_mb)}


def movies_in_memory(memory_mb: float) -> int:
    return min(math.isqrt(int(memory_mb * 1e6 / BYTES_PER_PAIR)), LAPACK_LIMIT)
