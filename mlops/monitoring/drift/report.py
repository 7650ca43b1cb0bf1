"""The drift report, which compares the latest weeks of ratings, lists and online metrics with the weeks before."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from catalog.models import Source
from catalog.models.rating import RATING_STEPS
from mlops.findings import Finding, Outcome
from mlops.models import DriftReport, OnlineMetrics
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.codes import AlertCode, DriftCode
from mlops.monitoring.drift import checks
from mlops.monitoring.drift.windows import WEEK, Window, genres_of_movies, weekly_counts, windows
from mlops.monitoring.personal_lists import champion_scores, lists_shown
from mlops.policy import DriftPolicy


def check_drift(*, now: datetime | None = None) -> DriftReport:
    """Runs the checks, stores the report, and opens or closes the drift alert."""
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
        status=checks.worst([finding.outcome for finding in found]),
        checks=[finding.to_dict() for finding in found],
        reference_start=before.start,
        window_start=recent.start,
        window_end=end,
    )
    set_alert(AlertCode.DRIFT, *(finding for finding in found if finding.outcome == Outcome.ALERT))
    return report


def _of_ratings(
    recent: Window, before: Window, genres: dict[int, list[int]], genre_names: list[str], policy: DriftPolicy
) -> list[Finding]:
    stars, sources, new_or_not = [f"{step:g}" for step in RATING_STEPS], list(Source.values), ["known", "new"]
    kinds: list[tuple[DriftCode, list[str], Callable[[Window], Any]]] = [
        (DriftCode.RATINGS, stars, lambda window: (window.ratings * 2 - 1).astype(int)),
        (DriftCode.SOURCES, sources, lambda window: _numbers(window.sources, sources)),
        (DriftCode.NEW_USERS, new_or_not, lambda window: window.is_new_user),
        (DriftCode.NEW_MOVIES, new_or_not, lambda window: window.is_new_movie),
    ]
    found = []
    for code, labels, category in kinds:
        now, then = (window.category_weights(category(window), len(labels)) for window in (recent, before))
        found.append(checks.check_shares(code, now, then, (len(recent), len(before)), labels, policy))
    (now, n_now), (then, n_then) = (window.genre_weights(genres, len(genre_names)) for window in (recent, before))
    return [*found, checks.check_shares(DriftCode.GENRES, now, then, (n_now, n_then), genre_names, policy)]


def _of_lists(recent: Window, before: Window, genres: dict[int, list[int]], policy: DriftPolicy) -> list[Finding]:
    scores = [champion_scores(window.users, window.end, policy) for window in (recent, before)]
    now = lists_shown(recent.start, recent.end, policy)
    then = lists_shown(recent.start - policy.window_weeks * WEEK, recent.start, policy)
    sets = {movie: frozenset(found) for movie, found in genres.items()}
    return [
        checks.check_scores(scores[0], scores[1], policy),
        checks.check_coverage(now, then, policy),
        checks.check_diversity(now, then, sets, policy),
    ]


def _of_online_metrics(start: datetime, end: datetime, policy: DriftPolicy) -> Finding:
    """Compares the hit rates over all versions. A worse champion and changed tastes both lower the rate."""
    span = timedelta(weeks=policy.window_weeks)
    now, then = (OnlineMetrics.hits_between(since, since + span) for since in (start, start - span))
    return checks.check_online_metrics((now[0], then[0]), (now[1], then[1]), policy)


def _numbers(values: Any, known: list[str]) -> Any:
    return np.array([known.index(value) for value in values.tolist()], dtype=np.int64)
