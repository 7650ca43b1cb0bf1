"""The search space: ranges of config.yaml as distributions of optuna."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from mlops.errors import InvalidSpace
from mlops.evaluation.parameters import from_json
from recommender.estimators import ESTIMATORS

Space = Mapping[str, Mapping[str, Any]]


def distributions(algorithm: str, space: Space) -> dict[str, BaseDistribution]:
    """One per hyper-parameter. Raises InvalidSpace, which names the key, when the algorithm refuses a value."""
    kind = ESTIMATORS[algorithm]
    known = [field.name for field in fields(kind.config_class)]
    for name, search in space.items():
        where = f"tuning.spaces.{algorithm}.{name}"
        if name not in known:
            raise InvalidSpace(f"{where}: there is no such hyper-parameter; known are {', '.join(known)}.")
        for value in search.get("choices") or (_end(search, "low"), _end(search, "high")):
            try:
                kind(**from_json({name: value}))
            except (TypeError, ValueError) as error:
                raise InvalidSpace(f"{where}: {error}") from None
    return {name: _distribution(search) for name, search in space.items()}


def _end(search: Mapping[str, Any], name: str) -> float:
    return int(search[name]) if search["whole"] else float(search[name])


def _distribution(search: Mapping[str, Any]) -> BaseDistribution:
    if search.get("choices"):
        return CategoricalDistribution(search["choices"])
    if search["whole"]:
        return IntDistribution(int(search["low"]), int(search["high"]), log=search["log"])
    return FloatDistribution(search["low"], search["high"], log=search["log"])
