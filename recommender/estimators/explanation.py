"""Reasons for a score, as rows that sum to it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd


class Contribution(NamedTuple):
    kind: str  # movie, feature or interaction
    id: Any
    name: str
    contribution: float


def explanation_frame(rows: Sequence[Contribution], score: float) -> pd.DataFrame:
    """Largest effect first; the last row, `interaction`, holds what is left of the score."""
    ordered = sorted(rows, key=lambda row: -abs(row.contribution))
    rest = score - sum(row.contribution for row in ordered)
    ordered.append(Contribution("interaction", None, "", rest))
    return pd.DataFrame(ordered, dtype=object).astype({"contribution": float})
