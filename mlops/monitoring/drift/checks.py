"""Drift checks. Each compares two windows and returns a finding, whose outcome depends on the policy.

A check alerts if its figure exceeds the chance level by the policy's threshold and is significant. This module does not
use Django.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mlops.findings import Finding, Outcome
from mlops.monitoring.codes import DriftCode, Message
from mlops.monitoring.drift.statistics import (
    Shift,
    compare_rates,
    compare_shares,
    compare_values,
    distinct_ratio,
    list_diversity,
    shares_of,
    weekly_ratio,
)
from mlops.policy import DriftPolicy

ORDER = {Outcome.INSUFFICIENT_DATA: -1, Outcome.OK: 0, Outcome.WARN: 1, Outcome.ALERT: 2}

Array = np.ndarray[Any, Any]


def worst(outcomes: Sequence[str]) -> str:
    """Returns the most severe outcome. Returns insufficient data only if no check had enough data."""
    return max(outcomes, key=lambda outcome: ORDER[Outcome(outcome)])


def check_shares(
    code: DriftCode, recent: Array, before: Array, rows: tuple[int, int], labels: Sequence[str], policy: DriftPolicy
) -> Finding:
    """Compares how rows are distributed over categories.

    `recent` and `before` come from `category_weights`. `rows` are the numbers of rows in both windows.
    """
    found = _begin(code, "PSI", rows, policy.psi_warn, policy.psi_alert)
    if min(rows) < policy.min_ratings:
        return _insufficient(found, Message.RATINGS_NEEDED, policy.min_ratings)
    bars = zip(labels, _rounded(shares_of(before)), _rounded(shares_of(recent)), strict=True)
    found = replace(_with(found, bars=[list(bar) for bar in bars]), message=Message.PSI)
    return _judged(found, compare_shares(recent, before), policy)


def check_scores(recent: Array, before: Array, policy: DriftPolicy) -> Finding:
    """Compares the champion's scores on users' lists in both windows."""
    found = _begin(DriftCode.SCORES, "KS D", (len(recent), len(before)), policy.ks_warn, policy.ks_alert)
    if min(len(recent), len(before)) < policy.min_lists:
        return _insufficient(found, Message.USERS_NEEDED, policy.min_lists)
    return _judged(_with(found, bars=_histogram(recent, before)), compare_values(recent, before), policy)


def check_activity(recent_weeks: Array, weeks_before: Array, policy: DriftPolicy) -> Finding:
    """Compares the numbers of ratings in the median weeks. A rise counts like a fall."""
    warn, alert = policy.activity_warn_ratio, policy.activity_alert_ratio
    found = _begin(DriftCode.ACTIVITY, "ratio", (np.sum(recent_weeks), np.sum(weeks_before)), warn, alert)
    if np.sum(weeks_before) < policy.min_ratings or len(weeks_before) < len(recent_weeks):
        found = _with(found, weeks=len(recent_weeks))
        return _insufficient(found, Message.WEEKS_NEEDED, policy.min_ratings)
    ratio = weekly_ratio(recent_weeks, weeks_before)
    pairs = zip(weeks_before[-len(recent_weeks) :], recent_weeks, strict=True)
    bars = [[str(at), int(earlier), int(later)] for at, (earlier, later) in enumerate(pairs, start=1)]
    outcome = _below(min(ratio, 1 / ratio if ratio else 0.0), warn, alert)
    message = "" if math.isfinite(ratio) else Message.NO_ACTIVITY_BEFORE
    return replace(_with(found, bars=bars), figure=_finite(ratio), outcome=outcome, message=message)


def check_coverage(recent: list[Array], before: list[Array], policy: DriftPolicy) -> Finding:
    """Compares the numbers of distinct movies in equally many shown lists."""
    warn, alert = policy.shown_warn_ratio, policy.shown_alert_ratio
    found = _begin(DriftCode.COVERAGE, "ratio", (len(recent), len(before)), warn, alert)
    if min(len(recent), len(before)) < policy.min_lists:
        return _insufficient(found, Message.LISTS_NEEDED, policy.min_lists)
    ratio = distinct_ratio(recent, before)
    return replace(found, figure=_finite(ratio), outcome=_below(ratio, warn, alert))


def check_diversity(
    recent: list[Array], before: list[Array], genres: dict[int, frozenset[Any]], policy: DriftPolicy
) -> Finding:
    """Compares the genre diversity of shown lists."""
    warn, alert = policy.shown_warn_ratio, policy.shown_alert_ratio
    now, then = list_diversity(recent, genres), list_diversity(before, genres)
    found = _begin(DriftCode.DIVERSITY, "ratio", (len(now), len(then)), warn, alert)
    if min(len(now), len(then)) < policy.min_lists:
        return _insufficient(found, Message.LISTS_NEEDED, policy.min_lists)
    ratio = float(now.mean() / then.mean()) if then.mean() else 1.0
    found = _with(found, diversity=round(float(now.mean()), 4), diversity_before=round(float(then.mean()), 4))
    return replace(found, figure=_finite(ratio), outcome=_below(ratio, warn, alert))


def check_online_metrics(hits: tuple[int, int], n: tuple[int, int], policy: DriftPolicy) -> Finding:
    """Compares the hit rates at 10 on new positive ratings."""
    found = _begin(DriftCode.ONLINE_METRICS, "fall", n, policy.live_warn_fall, policy.live_alert_fall)
    if min(n) < policy.min_ratings or not hits[1]:
        return _insufficient(found, Message.SCORED_NEEDED, policy.min_ratings)
    found = _with(found, hit_rate=round(hits[0] / n[0], 4), hit_rate_before=round(hits[1] / n[1], 4))
    return _judged(found, compare_rates(hits[0], n[0], hits[1], n[1]), policy)


def _begin(code: DriftCode, measure: str, n: tuple[int, int], warn: float, alert: float) -> Finding:
    params = {"measure": measure, "n_recent": int(n[0]), "n_before": int(n[1]), "warn": warn}
    return Finding(code, Outcome.INSUFFICIENT_DATA, threshold=alert, params=params)


def _with(found: Finding, **params: Any) -> Finding:
    return replace(found, params={**found.params, **params})


def _insufficient(found: Finding, message: str, needed: int) -> Finding:
    return replace(_with(found, needed=needed), message=message)


def _judged(found: Finding, shift: Shift, policy: DriftPolicy) -> Finding:
    """Returns the finding with its figure, chance level, p-value and outcome."""
    outcome, message = Outcome.OK, found.message
    if found.threshold is not None and shift.beyond_chance >= found.params["warn"]:
        outcome = Outcome.ALERT if shift.beyond_chance >= found.threshold else Outcome.WARN
        if shift.p > policy.significance:
            outcome, message = Outcome.INSUFFICIENT_DATA, Message.BY_CHANCE
    found = _with(found, chance=round(shift.chance, 4), p=round(shift.p, 4))
    return replace(found, figure=_finite(shift.figure), outcome=outcome, message=message)


def _below(figure: float, warn: float, alert: float) -> Outcome:
    if math.isnan(figure) or figure <= alert:
        return Outcome.ALERT
    return Outcome.WARN if figure <= warn else Outcome.OK


def _finite(figure: float) -> float | None:
    return round(figure, 4) if math.isfinite(figure) else None


def _rounded(values: Array) -> list[float]:
    return [round(float(value), 4) for value in values]


def _histogram(recent: Array, before: Array, n_bins: int = 12) -> list[list[Any]]:
    edges = np.histogram_bin_edges(np.concatenate([recent, before]), bins=n_bins)
    then, now = (np.histogram(values, bins=edges)[0] / len(values) for values in (before, recent))
    labels = [f"{edge:.3g}" for edge in edges[:-1]]
    return [list(bar) for bar in zip(labels, _rounded(then), _rounded(now), strict=True)]
