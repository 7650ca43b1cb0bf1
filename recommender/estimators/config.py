"""Hyper-parameters. Each model has a frozen dataclass whose fields are its constructor's keyword arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Config:
    """Base class of all configs. In subclasses, `fit` tunes fields that are None on an inner split.

    Raises ValueError if a field declared by `number` or `count` is out of range.
    """

    def __post_init__(self) -> None:
        for declared in fields(self):
            value = getattr(self, declared.name)
            if "check" in declared.metadata and (value is not None or declared.default is not None):
                declared.metadata["check"](declared.name, value)


def number(default: float | None, **bounds: Any) -> Any:
    """Declare a field for a number. `bounds` are the keyword arguments of `check_number`."""
    return field(default=default, metadata={"check": partial(check_number, **bounds)})


def count(default: int, **bounds: Any) -> Any:
    """Declare a field for a whole number. `bounds` are the keyword arguments of `check_count`."""
    return field(default=default, metadata={"check": partial(check_count, **bounds)})


# Hyper-parameter names of earlier releases. Manifests, config.yaml and the parameters stored with runs may contain
# them.
RENAMED_PARAMETERS = {"newcomer_weight": "cold_user_weight", "second_stage": "reranker"}
RENAMED_STATE = {  # fitted attributes, which occur only in manifests
    "chosen_": "best_params_",
    "histories_": "interactions_",
    "newcomer_weight_": "cold_user_weight_",
    "signal_features_": "item_feature_weights_",
    "signal_means_": "item_feature_means_",
    "signals_": "item_features_",
    "stage_traits_": "reranker_user_features_",
    "stage_weights_": "reranker_weights_",
    "star_mean_": "rating_mean_",
    "star_scale_": "rating_scale_",
}


def build_config(config_class: type[Config], owner: str, given: dict[str, Any]) -> Config:
    """Return a `config_class` with the given hyper-parameters. Also accepts names from earlier releases.

    Raises TypeError for an unknown name and ValueError for a value out of range. `owner` appears in the message.
    """
    given = renamed_parameters(given)
    known = [field.name for field in fields(config_class)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise TypeError(
            f"{owner}: unknown hyper-parameter {', '.join(unknown)}; known are {', '.join([*known, 'random_state'])}"
        )
    return config_class(**{name: _plain(value) for name, value in given.items()})


def renamed_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters under their current names."""
    return {RENAMED_PARAMETERS.get(name, name): value for name, value in parameters.items()}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def check_seed(value: Any) -> int:
    """Return the seed as an int. Raises ValueError unless it is a whole number from 0 to 2**32 - 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 2**32:
        raise ValueError(f"random_state: expected an int of 0 or more, got {value!r}")
    return int(value)


def check_number(
    name: str, value: Any, *, above: float | None = None, at_least: float | None = None, below: float | None = None
) -> None:
    """Raise ValueError unless `value` is a number in range. Infinity is valid unless `below` is set."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
    is_low = is_number and ((above is not None and value <= above) or (at_least is not None and value < at_least))
    if not is_number or is_low or (below is not None and value >= below):
        lower = f" above {above}" if above is not None else (f" of {at_least} or more" if at_least is not None else "")
        upper = f" below {below}" if below is not None else ""
        raise ValueError(f"{name}: expected a number{lower}{upper}, got {value!r}")


def check_count(name: str, value: Any, *, at_least: int = 1, at_most: int | None = None) -> None:
    """Raise ValueError unless `value` is an int in range. The message starts with `name`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ValueError(f"{name}: expected a whole number of {at_least} or more, got {value!r}")
    if at_most is not None and value > at_most:
        raise ValueError(f"{name}: at most {at_most}, got {value}")
