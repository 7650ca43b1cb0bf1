"""Has the world changed since the month before? A first, simple look: how people rate, and how much."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from catalog.models import Rating
from catalog.models.rating import RATING_STEPS
from mlops.models import DriftReport

Status = DriftReport.Status
SMALLEST_SHARE = 1e-4  # stands for an empty bin, whose logarithm has no value


def check_drift(*, now: datetime | None = None) -> DriftReport:
    """The latest window of ratings against the one before it; written as a row whatever it finds."""
    policy = settings.POLICY.drift
    end = now or timezone.now()
    window = timedelta(days=policy.window_days)
    recent, before = _counts(end - window, end), _counts(end - 2 * window, end - window)
    checks = [check_distribution(recent, before, policy), check_activity(sum(recent), sum(before), policy)]
    return DriftReport.objects.create(
        status=worst([str(check["status"]) for check in checks]),
        checks=checks,
        window_start=end - window,
        window_end=end,
    )


def check_distribution(recent: Sequence[int], before: Sequence[int], policy: Any) -> dict[str, Any]:
    """Population stability index; its bands mean nothing in small samples, which are called insufficient."""
    found: dict[str, Any] = {
        "name": "rating distribution",
        "measure": "PSI",
        "n_recent": sum(recent),
        "n_before": sum(before),
        "warn": policy.psi_warn,
        "alert": policy.psi_alert,
    }
    if min(sum(recent), sum(before)) < policy.min_ratings:
        needed = f"each window needs {policy.min_ratings} ratings"
        return found | {"figure": None, "status": Status.INSUFFICIENT_DATA, "sentence": needed}
    index = population_stability_index(recent, before)
    status = _above(index, policy.psi_warn, policy.psi_alert)
    return found | {"figure": round(index, 4), "status": status, "sentence": f"PSI {index:.3f}"}


def check_activity(n_recent: int, n_before: int, policy: Any) -> dict[str, Any]:
    """How many ratings there are, as a share of those in the window before."""
    found: dict[str, Any] = {
        "name": "activity",
        "measure": "ratio",
        "n_recent": n_recent,
        "n_before": n_before,
        "warn": policy.activity_warn_ratio,
        "alert": policy.activity_alert_ratio,
    }
    if n_before < policy.min_ratings:
        needed = f"the window before needs {policy.min_ratings} ratings"
        return found | {"figure": None, "status": Status.INSUFFICIENT_DATA, "sentence": needed}
    ratio = n_recent / n_before
    status = _above(-ratio, -policy.activity_warn_ratio, -policy.activity_alert_ratio)
    return found | {"figure": round(ratio, 4), "status": status, "sentence": f"{ratio:.0%} of the window before"}


def population_stability_index(recent: Sequence[int], before: Sequence[int]) -> float:
    """sum over bins of (p - q) ln(p / q), p and q the shares of the two windows (Siddiqi, "Credit Risk Scorecards")."""
    p = np.maximum(np.asarray(recent) / sum(recent), SMALLEST_SHARE)
    q = np.maximum(np.asarray(before) / sum(before), SMALLEST_SHARE)
    return float(((p - q) * np.log(p / q)).sum())


def worst(statuses: Sequence[str]) -> str:
    """What could not be looked at does not hide what was found; only if nothing could it is the answer."""
    order: Mapping[str, int] = {Status.INSUFFICIENT_DATA: -1, Status.OK: 0, Status.WARN: 1, Status.ALERT: 2}
    return max(statuses, key=lambda status: order[status])


def _above(figure: float, warn: float, alert: float) -> str:
    if math.isnan(figure) or figure >= alert:
        return Status.ALERT
    return Status.WARN if figure >= warn else Status.OK


def _counts(start: datetime, end: datetime) -> list[int]:
    """Ratings of the window, for each half star."""
    rows = Rating.objects.for_training().filter(rated_at__gt=start, rated_at__lte=end)
    found = dict(rows.order_by().values_list("rating").annotate(n=Count("pk")))
    return [found.get(step, 0) for step in RATING_STEPS]
