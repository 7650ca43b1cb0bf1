"""The latest weeks against those before, as a report: ratings, what was shown, and what came of it."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from catalog.models import Source
from catalog.models.rating import RATING_STEPS
from mlops.models import DriftReport, OnlineMetrics
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.drift import checks
from mlops.monitoring.drift.shown import champion_scores, lists_shown
from mlops.monitoring.drift.windows import WEEK, Window, genres_of_movies, weekly_counts, windows

logger = logging.getLogger(__name__)


def check_drift(*, now: datetime | None = None) -> DriftReport:
    """Written as a row whatever it finds; an alert is opened or closed."""
    policy = settings.POLICY.drift
    end = now or timezone.now()
    recent, before = windows(end, policy)
    genres, genre_names = genres_of_movies()
    found = [
        *_of_ratings(recent, before, genres, genre_names, policy),
        checks.check_activity(*weekly_counts(end, policy), policy),
        *_of_lists(recent, before, genres, policy),
        _of_online_metrics(recent.start, end, policy),
    ]
    report = DriftReport.objects.create(
        status=checks.worst([check["status"] for check in found]),
        checks=found,
        reference_start=before.start,
        window_start=recent.start,
        window_end=end,
    )
    alerts = [f"{check['name']}: {check['sentence']}" for check in found if check["status"] == checks.ALERT]
    set_alert("drift", "; ".join(alerts))
    return report


def _of_ratings(
    recent: Window, before: Window, genres: dict[int, list[int]], genre_names: list[str], policy: Any
) -> list[dict[str, Any]]:
    rows = (len(recent), len(before))
    new_or_not = ["known", "new"]
    stars, sources = [f"{step:g}" for step in RATING_STEPS], list(Source.values)
    kinds: list[tuple[str, Any, list[str]]] = [
        ("rating distribution", lambda window: (window.ratings * 2 - 1).astype(int), stars),
        ("source mix", lambda window: _numbers(window.sources, sources), sources),
        ("new-user share", lambda window: window.is_new_user, new_or_not),
        ("new-movie share", lambda window: window.is_new_movie, new_or_not),
    ]
    found = [
        checks.check_shares(
            name,
            recent.shares(category(recent), len(labels)),
            before.shares(category(before), len(labels)),
            rows,
            labels,
            policy,
        )
        for name, category, labels in kinds
    ]
    (now, n_now), (then, n_then) = (window.genre_shares(genres, len(genre_names)) for window in (recent, before))
    return [*found, checks.check_shares("genre mix", now, then, (n_now, n_then), genre_names, policy)]


def _of_lists(recent: Window, before: Window, genres: dict[int, list[int]], policy: Any) -> list[dict[str, Any]]:
    scores = [champion_scores(window.users, window.end, policy) for window in (recent, before)]
    now = lists_shown(recent.start, recent.end, policy)
    then = lists_shown(recent.start - policy.window_weeks * WEEK, recent.start, policy)
    sets = {movie: frozenset(found) for movie, found in genres.items()}
    return [
        checks.check_scores(scores[0], scores[1], policy),
        checks.check_coverage(now, then, policy),
        checks.check_diversity(now, then, sets, policy),
    ]


def _of_online_metrics(start: datetime, end: datetime, policy: Any) -> dict[str, Any]:
    """All versions' scores: a worse new champion and a world that moved on look alike to users."""
    span = timedelta(weeks=policy.window_weeks)
    now, then = (_live(since, since + span) for since in (start, start - span))
    return checks.check_online_metrics((now[0], then[0]), (now[1], then[1]), policy)


def _live(since: datetime, until: datetime) -> tuple[int, int]:
    rows = OnlineMetrics.objects.filter(day__gt=since.date(), day__lte=until.date())
    sums = rows.aggregate(hits=Sum("hits"), n=Sum("n"))
    return sums["hits"] or 0, sums["n"] or 0


def _numbers(values: Any, known: list[str]) -> Any:
    import numpy as np

    return np.array([known.index(value) for value in values.tolist()], dtype=np.int64)
