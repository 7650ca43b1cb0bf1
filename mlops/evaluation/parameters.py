"""Hyper-parameters in rows and in the API. JSON has no infinity, such as the half-life of all time: it is "inf"."""

import math
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from mlops.errors import UnknownAlgorithm
from recommender.estimators import ALGORITHMS

INFINITY = "inf"


def to_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: INFINITY if value == math.inf else value for name, value in parameters.items()}


def from_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """As an estimator takes them."""
    return {name: math.inf if value == INFINITY else value for name, value in parameters.items()}


def known_algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        text = _("There is no algorithm {name!r}; known are {known}.")
        raise UnknownAlgorithm(text.format(name=name, known=", ".join(sorted(ALGORITHMS))))
    return name
