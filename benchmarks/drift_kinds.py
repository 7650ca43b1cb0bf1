"""A kind of drift check in the benchmark, and how weeks are drawn for its windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops.findings import Finding

Array = np.ndarray[Any, Any]
Rows = dict[str, Array]
Rng = np.random.Generator

SIZES = (500, 1000, 5000)  # ratings in each window
N_WEEKS, STRETCH = 4, 12


@dataclass(frozen=True)
class Kind:
    """A kind of drift check.

    `draw(size, rng, fat)` makes two windows without drift. `judge(recent, before)` runs one check. `plant(recent)`
    makes the change that it should detect. `fat` multiplies the size of one week of the recent window."""

    name: str
    planted: str
    draw: Callable[..., tuple[Any, Any]]
    judge: Callable[[Any, Any], Finding]
    plant: Callable[[Any, Rng], Any]
    sizes: tuple[int, ...] = SIZES
    draws_fat_weeks: bool = True


def draw_weeks(numbers: list[int], rng: Rng) -> list[int]:
    """Draws eight of twelve consecutive weeks, in random order."""
    at = int(rng.integers(0, max(1, len(numbers) - STRETCH + 1)))
    return [int(number) for number in rng.permutation(numbers[at : at + STRETCH])[: 2 * N_WEEKS]]
