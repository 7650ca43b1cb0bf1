"""Simple models for comparison with a new model, which must beat some of them."""

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
        Hyper-parameters of the algorithm. Each fit may tune the others.

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
    """Return popularity fitters: `popular` for all time, and one per half-life, such as `popular_7d`."""
    half_lives = {f"{POPULAR}_{days:g}d": days for days in half_lives_days} | {POPULAR: math.inf}
    return {name: fitter("popularity", half_life_days=days) for name, days in half_lives.items()}


def baselines(half_lives_days: Sequence[float] = HALF_LIVES_DAYS) -> dict[str, Fitter]:
    """Return the simple models that a new model must beat: popularity and item-kNN.

    Parameters
    ----------
    half_lives_days
        Half-lives in days, one popularity model each. A positive counts half after this time.

    Returns
    -------
    dict of str to callable
        Fitters, keyed by name: `popular` (all time), `popular_7d` and so on, and `item_knn`.

    Examples
    --------
    >>> sorted(baselines([7.0]))
    ['item_knn', 'popular', 'popular_7d']
    """
    return popularity_baselines(half_lives_days) | {ITEM_KNN: fitter(ITEM_KNN)}


def simple_baselines(names: Iterable[str]) -> list[str]:
    """Return the names that are keys of `baselines`."""
    return [name for name in names if name in (POPULAR, ITEM_KNN) or name.startswith(f"{POPULAR}_")]
