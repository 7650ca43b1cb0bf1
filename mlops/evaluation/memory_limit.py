"""How large a model may become: the memory of config.yaml as the hyper-parameter that bounds it."""

import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from recommender.estimators import ESTIMATORS
from recommender.estimators.ease import LAPACK_LIMIT, EaseConfig

BYTES_PER_PAIR = 5  # a float32 for each pair of movies, and a quarter as much while it is computed


def within_memory(algorithm: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters`, and for a model with an item-item matrix how many movies that may hold, unless they say so.

    Of a larger catalogue the most rated movies are modelled: the estimator logs it.
    """
    if "max_movies" in parameters or not issubclass(ESTIMATORS[algorithm].config_class, EaseConfig):
        return dict(parameters)
    return {**parameters, "max_movies": movies_within(settings.POLICY.training.memory_mb)}


def movies_within(memory_mb: float) -> int:
    return min(math.isqrt(int(memory_mb * 1e6 / BYTES_PER_PAIR)), LAPACK_LIMIT)
