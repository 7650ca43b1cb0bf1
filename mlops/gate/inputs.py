"""The input of the gate's decision about a candidate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops.evaluation.intervals import PairedInterval


@dataclass(frozen=True)
class Lists:
    """A model's lists over the catalogue; `exposure` is each group's share of the recommended movies."""

    coverage: float | None
    popularity_gini: float | None
    mean_popularity: float | None = None
    scores_new_movies: bool = False
    exposure: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Replay:
    """Past requests, answered again by the candidate and by the champion (None: there is none).

    `source` is the code of where the requests came from.
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
    """`champion` and what is measured against it are None for the first model.

    `figures` are the candidate's means by name (`Evaluation.summary`), `reference` those of the champion, or for the
    first model of the best simple baseline. `metric_differences` are against the champion, by metric.
    `is_sample` and `champion_is_sample`: it learnt from sample data alone.
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
