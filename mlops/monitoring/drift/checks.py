"""Distances between two windows, judged by policy: each check is a row of a report.

Plain Python, like the statistics: an alert takes a figure that is large beyond chance, and that chance makes rarely.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlops.monitoring.drift.statistics import (
    Shares,
    Shift,
    compare_rates,
    compare_shares,
    compare_values,
    distinct_ratio,
    list_diversity,
    weekly_ratio,
)

OK, WARN, ALERT, INSUFFICIENT_DATA = "ok", "warn", "alert", "insufficient_data"
ORDER = {INSUFFICIENT_DATA: -1, OK: 0, WARN: 1, ALERT: 2}

Array = np.ndarray[Any, Any]
Check = dict[str, Any]


def worst(statuses: Sequence[str]) -> str:
    """What could not be looked at does not hide what was found; only if nothing could it is the answer."""
    return max(statuses, key=lambda status: ORDER[status])


def check_shares(
    name: str, recent: Shares, before: Shares, rows: tuple[int, int], labels: Sequence[str], policy: Any
) -> Check:
    """How rows divide into categories; `rows` are the numbers of rows, recent and before."""
    found = _begin(name, "PSI", rows, policy.psi_warn, policy.psi_alert)
    if min(rows) < policy.min_ratings:
        return _insufficient(found, f"each window needs {policy.min_ratings} ratings")
    shift = compare_shares(recent, before)
    bars = zip(labels, _rounded(before.shares), _rounded(recent.shares), strict=True)
    return _judged(found, shift, policy, f"PSI {shift.figure:.3f}, {shift.chance:.3f} by chance") | {
        "bars": [list(bar) for bar in bars]
    }


def check_scores(recent: Array, before: Array, policy: Any) -> Check:
    """The champion's scores of the lists of people then and now."""
    found = _begin("score distribution", "KS D", (len(recent), len(before)), policy.ks_warn, policy.ks_alert)
    if min(len(recent), len(before)) < policy.min_lists:
        return _insufficient(found, f"each window needs {policy.min_lists} people with ratings")
    shift = compare_values(recent, before)
    return _judged(found, shift, policy, f"D {shift.figure:.3f}, {shift.chance:.3f} by chance") | {
        "bars": _histogram(recent, before)
    }


def check_activity(recent_weeks: Array, weeks_before: Array, policy: Any) -> Check:
    """Ratings of the median week, now against before; floods count like droughts."""
    n_recent, n_before = int(np.sum(recent_weeks)), int(np.sum(weeks_before))
    found = _begin("activity", "ratio", (n_recent, n_before), policy.activity_warn_ratio, policy.activity_alert_ratio)
    if n_before < policy.min_ratings or len(weeks_before) < len(recent_weeks):
        return _insufficient(
            found, f"the {len(recent_weeks)} weeks before need {policy.min_ratings} ratings, in each of them some"
        )
    ratio = weekly_ratio(recent_weeks, weeks_before)
    status = _below(min(ratio, 1 / ratio if ratio else 0.0), policy.activity_warn_ratio, policy.activity_alert_ratio)
    return found | {
        "figure": _finite(ratio),
        "status": status,
        "sentence": f"the median week has {ratio:.0%} of the ratings of the median week before",
        "bars": [[f"week {at + 1}", int(b), int(a)] for at, (b, a) in enumerate(_paired(weeks_before, recent_weeks))],
    }


def check_coverage(recent: list[Array], before: list[Array], policy: Any) -> Check:
    """Distinct movies in equally many shown lists."""
    found = _begin(
        "coverage shown", "ratio", (len(recent), len(before)), policy.shown_warn_ratio, policy.shown_alert_ratio
    )
    if min(len(recent), len(before)) < policy.min_lists:
        return _insufficient(found, f"each window needs {policy.min_lists} personal lists shown")
    ratio = distinct_ratio(recent, before)
    status = _below(ratio, policy.shown_warn_ratio, policy.shown_alert_ratio)
    sentence = f"equally many lists show {ratio:.0%} of the distinct movies of before"
    return found | {"figure": _finite(ratio), "status": status, "sentence": sentence}


def check_diversity(recent: list[Array], before: list[Array], genres: dict[int, frozenset[Any]], policy: Any) -> Check:
    """How unlike the movies of a shown list are, by genre."""
    now, then = list_diversity(recent, genres), list_diversity(before, genres)
    found = _begin("diversity shown", "ratio", (len(now), len(then)), policy.shown_warn_ratio, policy.shown_alert_ratio)
    if min(len(now), len(then)) < policy.min_lists:
        return _insufficient(found, f"each window needs {policy.min_lists} personal lists shown")
    ratio = float(now.mean() / then.mean()) if then.mean() else 1.0
    status = _below(ratio, policy.shown_warn_ratio, policy.shown_alert_ratio)
    sentence = f"mean diversity of a list is {now.mean():.3f}, {then.mean():.3f} before"
    return found | {"figure": _finite(ratio), "status": status, "sentence": sentence}


def check_online_metrics(hits: tuple[int, int], n: tuple[int, int], policy: Any) -> Check:
    """Hit rate at 10 of new positive ratings, recent and before."""
    found = _begin("live quality", "fall", n, policy.live_warn_fall, policy.live_alert_fall)
    if min(n) < policy.min_ratings or not hits[1]:
        return _insufficient(found, f"each window needs {policy.min_ratings} scored ratings, and hits before")
    shift = compare_rates(hits[0], n[0], hits[1], n[1])
    return _judged(found, shift, policy, f"hit rate {hits[0] / n[0]:.3f}, {hits[1] / n[1]:.3f} before")


def _begin(name: str, measure: str, n: tuple[int, int], warn: float, alert: float) -> Check:
    return {
        "name": name,
        "measure": measure,
        "figure": None,
        "n_recent": int(n[0]),
        "n_before": int(n[1]),
        "warn": warn,
        "alert": alert,
    }


def _insufficient(found: Check, needed: str) -> Check:
    return found | {"status": INSUFFICIENT_DATA, "sentence": needed}


def _judged(found: Check, shift: Shift, policy: Any, sentence: str) -> Check:
    status = OK
    if shift.beyond_chance >= found["warn"]:
        status = ALERT if shift.beyond_chance >= found["alert"] else WARN
        if shift.p > policy.significance:
            status, sentence = INSUFFICIENT_DATA, f"{sentence}; chance alone does that too often (p = {shift.p:.2f})"
    return found | {
        "figure": _finite(shift.figure),
        "chance": round(shift.chance, 4),
        "p": round(shift.p, 4),
        "status": status,
        "sentence": sentence,
    }


def _below(figure: float, warn: float, alert: float) -> str:
    if math.isnan(figure) or figure <= alert:
        return ALERT
    return WARN if figure <= warn else OK


def _finite(figure: float) -> float | None:
    return round(figure, 4) if math.isfinite(figure) else None


def _rounded(values: Array) -> list[float]:
    return [round(float(value), 4) for value in values]


def _histogram(recent: Array, before: Array, n_bins: int = 12) -> list[list[Any]]:
    edges = np.histogram_bin_edges(np.concatenate([recent, before]), bins=n_bins)
    then, now = (np.histogram(values, bins=edges)[0] / len(values) for values in (before, recent))
    return [
        list(bar) for bar in zip([f"{edge:.3g}" for edge in edges[:-1]], _rounded(then), _rounded(now), strict=True)
    ]


def _paired(before: Array, recent: Array) -> list[tuple[Any, Any]]:
    return list(zip(before[-len(recent) :], recent, strict=True))
