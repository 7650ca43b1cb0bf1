"""Hyper-parameters: a frozen dataclass a model, whose fields are the keywords of its constructor."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np


@dataclass(frozen=True)
class Config:
    """No field. None in a field of a subclass means: chosen by fit on an inner split."""


# Names that hyper-parameters had in earlier releases: manifests, config.yaml and the parameters stored with runs may
# still hold them.
RENAMED_PARAMETERS = {"newcomer_weight": "cold_user_weight", "second_stage": "reranker"}

ConfigType = TypeVar("ConfigType", bound=Config)


def build_config(config_class: type[ConfigType], owner: str, given: dict[str, Any]) -> ConfigType:
    """A `config_class` with the given hyper-parameters, also under the names of earlier releases.

    Raises TypeError for an unknown name and ValueError for a value out of range; `owner` is named in the message.
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
    """The parameters under today's names."""
    return {RENAMED_PARAMETERS.get(name, name): value for name, value in parameters.items()}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def check_seed(value: Any) -> int:
    """The seed as an int; ValueError unless it is a whole number from 0 to 2**32 - 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 2**32:
        raise ValueError(f"random_state: expected an int of 0 or more, got {value!r}")
    return int(value)


def check_number(name: str, value: Any, *, above: float | None = None, at_least: float | None = None) -> None:
    """Refuses what is not a number in range; infinity is the caller's to allow."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
    if not is_number or (above is not None and value <= above) or (at_least is not None and value < at_least):
        bound = f" above {above}" if above is not None else (f" of {at_least} or more" if at_least is not None else "")
        raise ValueError(f"{name}: expected a number{bound}, got {value!r}")


def check_count(name: str, value: Any, at_least: int = 1) -> None:
    """Raise ValueError unless `value` is an int of at least `at_least`; `name` is named in the message."""
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ValueError(f"{name}: expected a whole number of {at_least} or more, got {value!r}")
