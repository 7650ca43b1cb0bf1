"""The models in the tables: every estimator with its own tuning, and popularity at fixed half-lives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

from recommender.estimators import ESTIMATORS, Recommender

HALF_LIVES_DAYS = (1.0, 2.0, 5.0, 7.0, 30.0)


@dataclass(frozen=True)
class Model:
    name: str
    make: Callable[[], Recommender]
    scores_new_movies: bool = False


def random_split_models(names: list[str]) -> list[Model]:
    """Returns models for random splits: all-time popularity, and models that validate at random."""
    return [_popular(math.inf), *(_estimator(name, validation="random") for name in names)]


def later_data_models(names: list[str]) -> list[Model]:
    popular = [_popular(days) for days in (math.inf, *HALF_LIVES_DAYS)]
    return [*popular, *(_estimator(name, validation="time") for name in names)]


def _popular(days: float) -> Model:
    name = "popular, all time" if math.isinf(days) else f"popular, half-life {days:g} d"
    return Model(name, partial(ESTIMATORS["popularity"], half_life_days=days))


def _estimator(name: str, validation: str) -> Model:
    kind = ESTIMATORS[name]
    chooses = {field.name for field in fields(kind.config_class)}
    options = {"validation": validation} if "validation" in chooses else {}
    return Model(name, partial(kind, random_state=0, **options), kind.scores_new_movies)
