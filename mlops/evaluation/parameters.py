"""Converts hyper-parameters to and from JSON. The string "inf" stands for infinity."""

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
    """Converts the parameters from JSON to the form that estimators accept."""
    return {name: math.inf if value == INFINITY else value for name, value in parameters.items()}


def known_algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        text = _("Unknown algorithm {name!r}. Expected one of: {known}.")
        raise UnknownAlgorithm(text.format(name=name, known=", ".join(sorted(ALGORITHMS))))
    return name
