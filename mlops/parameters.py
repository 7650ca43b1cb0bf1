"""Hyper-parameters as rows and the API hold them: JSON knows no infinity (a half-life of all time), so it is "inf"."""

import math
from collections.abc import Mapping
from typing import Any

INFINITY = "inf"


def to_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: INFINITY if value == math.inf else value for name, value in parameters.items()}


def from_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """As an estimator takes them."""
    return {name: math.inf if value == INFINITY else value for name, value in parameters.items()}
