"""Simple models that a new model has to beat, or is compared with."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from recommender.estimators import ESTIMATORS, Dataset, Recommender

Fitter = Callable[[Dataset], Recommender]

POPULAR = "popular"
ITEM_KNN = "item_knn"
HALF_LIVES_DAYS = (1.0, 7.0, 30.0, 365.0)


def fitter(algorithm: str, random_state: int = 0, **hyper_parameters: Any) -> Fitter:
    """Return a function that fits one algorithm, for `evaluate_on_cuts`.

    Parameters
    ----------
    algorithm
        One of `ALGORITHMS`.
    random_state
        Seed of the model.
    **hyper_parameters
        Those of the algorithm; each fit may choose the others.

    Returns
    -------
    callable
        Dataset -> fitted Recommender.

    Examples
    --------
    >>> fitter("ease", regularization=1.0)(dataset).algorithm
    'ease'
    """

    def fit(dataset: Dataset) -> Recommender:
        return ESTIMATORS[algorithm](random_state=random_state, **hyper_parameters).fit(dataset)

    return fit


def popularity_baselines(half_lives_days: Sequence[float] = HALF_LIVES_DAYS) -> dict[str, Fitter]:
    """Fitters of popularity: `popular` for all time, and one per half-life, such as `popular_7d`."""
    half_lives = {f"{POPULAR}_{days:g}d": days for days in half_lives_days} | {POPULAR: math.inf}
    return {name: fitter("popularity", half_life_days=days) for name, days in half_lives.items()}


def baselines(half_lives_days: Sequence[float] = HALF_LIVES_DAYS) -> dict[str, Fitter]:
    """Return the simple models that a new one has to beat: popularity and item-kNN.

    Parameters
    ----------
    half_lives_days
        In days, one popularity model each: an older positive counts half after so long.

    Returns
    -------
    dict of str to callable
        Fitters by name: `popular` (of all time), `popular_7d` and the like, and `item_knn`.

    Examples
    --------
    >>> sorted(baselines([7.0]))
    ['item_knn', 'popular', 'popular_7d']
    """
    return popularity_baselines(half_lives_days) | {ITEM_KNN: fitter(ITEM_KNN)}


def simple_baselines(names: Iterable[str]) -> list[str]:
    """The given names that are keys of `baselines`."""
    return [name for name in names if name in (POPULAR, ITEM_KNN) or name.startswith(f"{POPULAR}_")]
