"""The input of the gate's decision on a candidate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops.evaluation.intervals import PairedInterval


@dataclass(frozen=True)
class Lists:
    """How a model's lists cover the catalogue. `exposure` is each group's share of the recommended movies."""

    coverage: float | None
    popularity_gini: float | None
    mean_popularity: float | None = None
    scores_new_movies: bool = False
    exposure: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Replay:
    """Figures of the candidate and the champion on replayed requests. The champion's are None if there is no champion.

    `source` is a `ReplaySource` code. `n_excluded` counts recommended movies that the user had seen or dismissed.
    """

    source: str
    n_requests: int
    n_errors: int
    n_excluded: int
    latency_p95_ms: float | None
    champion_latency_p95_ms: float | None = None
    overlap: float | None = None
    score_psi: float | None = None


@dataclass(frozen=True)
class GateInput:
    """The input of all rules. `champion` and the comparisons with it are None or empty for the first model.

    `figures` are the candidate's means by name (`Evaluation.summary`). `reference` are those of the champion or, for
    the first model, of the best simple baseline. `metric_differences` from the champion are keyed by metric.
    `is_sample` and `champion_is_sample` tell whether the model was trained only on sample data.
    """

    baseline: str
    against_baseline: PairedInterval
    lists: Lists
    smoke_test: Mapping[str, Any]
    artifact_mb: float
    data_age_hours: float
    is_refresh: bool = False
    is_sample: bool = False
    champion_is_sample: bool = False
    champion: Lists | None = None
    against_champion: PairedInterval | None = None
    against_recent_best: PairedInterval | None = None
    recent_best: int | None = None
    against_linear: PairedInterval | None = None
    slices: Mapping[str, PairedInterval] = field(default_factory=dict)
    feature_costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    catalogue: Mapping[str, float] = field(default_factory=dict)
    replay: Replay | None = None
    figures: Mapping[str, float | None] = field(default_factory=dict)
    reference: Mapping[str, float | None] = field(default_factory=dict)
    metric_differences: Mapping[str, PairedInterval] = field(default_factory=dict)
