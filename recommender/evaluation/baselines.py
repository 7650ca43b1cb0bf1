"""The models that a new one has to beat, or to be seen beside."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from recommender.estimators import ESTIMATORS, Dataset, Recommender

Fitter = Callable[[Dataset], Recommender]

POPULAR = "popular"
ITEM_KNN = "item_knn"
HALF_LIVES_DAYS = (1.0, 7.0, 30.0, 365.0)


def fitter(algorithm: str, random_state: int = 0, **hyper_parameters: Any) -> Fitter:
    """Fits ESTIMATORS[algorithm] with these hyper-parameters; what is not given is chosen by each fit."""

    def fit(dataset: Dataset) -> Recommender:
        return ESTIMATORS[algorithm](random_state=random_state, **hyper_parameters).fit(dataset)

    return fit


def popularity_baselines(half_lives_days: Sequence[float] = HALF_LIVES_DAYS) -> dict[str, Fitter]:
    """`popular` of all time, and `popular_7d` and the like with that half-life."""
    half_lives = {f"{POPULAR}_{days:g}d": days for days in half_lives_days} | {POPULAR: math.inf}
    return {name: fitter("popularity", half_life_days=days) for name, days in half_lives.items()}


def baselines(half_lives_days: Sequence[float] = HALF_LIVES_DAYS) -> dict[str, Fitter]:
    """What a person would build in an hour: popularity of each kind and item-kNN."""
    return popularity_baselines(half_lives_days) | {ITEM_KNN: fitter(ITEM_KNN)}


def simple_baselines(names: Iterable[str]) -> list[str]:
    """Those of the names that `baselines` gives."""
    return [name for name in names if name in (POPULAR, ITEM_KNN) or name.startswith(f"{POPULAR}_")]
