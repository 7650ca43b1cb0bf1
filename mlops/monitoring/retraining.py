"""Retraining criteria. Each compares a figure with a threshold. A training starts if any criterion is met."""

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from catalog.models import Job, Movie, Rating
from mlops.errors import TrainingAlreadyActive
from mlops.findings import Finding, Outcome, describe_all
from mlops.models import DriftReport, ModelVersion, OnlineMetrics, PipelineRun, RetrainingCheck
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.codes import AlertCode, Message, RetrainingCode, RetrainingResult
from mlops.monitoring.drift.statistics import compare_rates
from mlops.training.runs import start_training
from recommender.models import Dismissal, Feedback, Impression

logger = logging.getLogger(__name__)


def check_retraining(*, now: datetime | None = None) -> RetrainingCheck:
    """Evaluates and saves all criteria, and starts a training if any of them is met."""
    moment = now or timezone.now()
    champion = ModelVersion.champion()
    criteria = [criterion(champion, moment) for criterion in CRITERIA] if champion else [_no_champion()]
    for finding in criteria:
        logger.info("%s: %s", finding.code, finding.sentence)
    reasons = [finding for finding in criteria if finding.outcome == Outcome.ALERT]
    run, result, params = _act(reasons, moment)
    set_alert(AlertCode.RETRAINING, *reasons)
    check = RetrainingCheck.objects.create(
        criteria=[finding.to_dict() for finding in criteria],
        run=run,
        result=result.value,
        params=params,
        checked_at=moment,
    )
    logger.info("%s: %s", check.result, check.sentence)
    return check


def _act(reasons: list[Finding], now: datetime) -> tuple[PipelineRun | None, RetrainingResult, dict[str, Any]]:
    if not reasons:
        return None, RetrainingResult.NOT_MET, {}
    pause_hours = settings.POLICY.retraining.pause_hours
    last = RetrainingCheck.objects.filter(run__isnull=False).first()
    if last is not None and now - last.checked_at < timedelta(hours=pause_hours):
        return None, RetrainingResult.PAUSED, {"run": last.run_id, "pause_hours": pause_hours}
    try:
        run = start_training(trigger=PipelineRun.Trigger.RETRAINING)
    except TrainingAlreadyActive:
        return None, RetrainingResult.ACTIVE, {}
    log = f"Started because: {describe_all(reasons)}"
    Job.objects.filter(pk=run.job_id, status=Job.Status.QUEUED).update(log=log)
    return run, RetrainingResult.STARTED, {"run": run.pk}


def _criterion(code: RetrainingCode, figure: float, threshold: float, **params: Any) -> Finding:
    """Returns the finding of a criterion, which is met if the figure reaches the threshold."""
    return Finding(code, Outcome.alert_if(figure >= threshold), figure, threshold, params=params)


def _no_champion() -> Finding:
    n_ratings = Rating.objects.for_training().count()
    return _criterion(RetrainingCode.NO_CHAMPION, n_ratings, settings.POLICY.training.min_ratings)


def _new_movies(champion: ModelVersion, now: datetime) -> Finding:
    since = champion.snapshot.exported_at
    n = Movie.objects.filter(created_at__gt=since, created_at__lte=now).count()
    return _criterion(RetrainingCode.NEW_MOVIES, n, settings.POLICY.retraining.new_movies)


def _new_ratings(champion: ModelVersion, now: datetime) -> Finding:
    """Counts the ratings since the snapshot or, if greater, the growth. Imported ratings may be older."""
    snapshot = champion.snapshot
    rows = Rating.objects.for_training().order_by()
    given = rows.filter(rated_at__gt=snapshot.exported_at, rated_at__lte=now).count()
    n = max(given, rows.count() - snapshot.n_ratings)
    return _criterion(RetrainingCode.NEW_RATINGS, n, settings.POLICY.retraining.new_ratings)


def _online_metrics(champion: ModelVersion, now: datetime) -> Finding:
    policy, code = settings.POLICY.retraining, RetrainingCode.ONLINE_METRICS
    window = timedelta(days=policy.window_days)
    recent, before = (OnlineMetrics.hits_between(end - window, end, version=champion) for end in (now, now - window))
    if min(recent[1], before[1]) < policy.min_live_ratings or not before[0]:
        params = {"n_before": before[1], "n_recent": recent[1], "needed": policy.min_live_ratings}
        return _insufficient(code, policy.live_fall, Message.TOO_FEW_SCORED, params)
    shift = compare_rates(*recent, *before)
    outcome = Outcome.alert_if(shift.figure >= policy.live_fall and shift.p <= settings.POLICY.drift.significance)
    return Finding(code, outcome, round(shift.figure, 4), policy.live_fall, params={"p": round(shift.p, 4)})


def _drift(champion: ModelVersion, now: datetime) -> Finding:
    """Counts the latest consecutive drift reports with an alert. Skips reports that overlap or precede the data."""
    policy = settings.POLICY.retraining
    reports = DriftReport.objects.filter(window_end__gt=champion.snapshot.exported_at, window_end__lte=now).order_by(
        "-window_end"
    )
    n, counted = 0, None
    for report in reports:
        if report.status != DriftReport.Status.ALERT:
            break
        if counted is None or counted - report.window_end >= timedelta(hours=policy.drift_apart_hours):
            n, counted = n + 1, report.window_end
        if n == policy.drift_reports:
            break
    return _criterion(RetrainingCode.DRIFT, n, policy.drift_reports)


def _champion_age(champion: ModelVersion, now: datetime) -> Finding:
    days = (now - (champion.promoted_at or champion.created_at)).total_seconds() / 86400
    limit = settings.POLICY.retraining.champion_age_days
    return Finding(RetrainingCode.CHAMPION_AGE, Outcome.alert_if(days >= limit), round(days, 2), limit)


def _not_interested(champion: ModelVersion, now: datetime) -> Finding:
    """Averages the share of unwanted movies among recommendations that users acted on.

    Each list counts once per user, and each user once. The average excludes the user with the highest share, and the
    sample sizes exclude the user who acted on the most lists, so that no single account can meet the criterion.
    """
    policy, code = settings.POLICY.retraining, RetrainingCode.NOT_INTERESTED
    parts = _unwanted_parts(max(now - timedelta(days=policy.window_days), champion.created_at), now)
    lengths = sorted(len(of_lists) for of_lists in parts.values())
    params = {"n_people": max(0, len(lengths) - 1), "n_lists": sum(lengths[:-1])}
    if params["n_people"] < policy.min_feedback_people or params["n_lists"] < policy.min_feedback:
        params |= {"needed_people": policy.min_feedback_people, "needed_lists": policy.min_feedback}
        return _insufficient(code, policy.not_interested_share, Message.TOO_FEW_PEOPLE, params)
    figure = fmean(sorted(fmean(of_lists) for of_lists in parts.values())[:-1])
    outcome, limit = Outcome.alert_if(figure >= policy.not_interested_share), policy.not_interested_share
    return Finding(code, outcome, round(figure, 4), limit, params=params, message=Message.UNWANTED)


def _unwanted_parts(since: datetime, until: datetime) -> dict[int, list[float]]:
    """Returns each user's shares of unwanted movies, one per list. Ignores dismissals that were undone."""
    shown = Impression.objects.filter(request_id=OuterRef("request_id"), user=OuterRef("user"))
    dismissed = Dismissal.objects.filter(user=OuterRef("user"), movie=OuterRef("movie"))
    is_unwanted = Q(kind=Feedback.Kind.NOT_INTERESTED) & Exists(dismissed)
    acts = Feedback.objects.filter(Exists(shown), created_at__gt=since, created_at__lte=until).order_by()
    lists = acts.filter(Q(kind=Feedback.Kind.CLICK) | is_unwanted).values("user", "request_id")
    counted = lists.annotate(
        n=Count("movie", distinct=True),
        unwanted=Count("movie", distinct=True, filter=Q(kind=Feedback.Kind.NOT_INTERESTED)),
    )
    parts: dict[int, list[float]] = defaultdict(list)
    for user, n, unwanted in counted.values_list("user", "n", "unwanted").iterator():
        parts[user].append(unwanted / n)
    return parts


def _insufficient(code: RetrainingCode, threshold: float, message: str, params: dict[str, Any]) -> Finding:
    return Finding(code, Outcome.INSUFFICIENT_DATA, threshold=threshold, params=params, message=message)


CRITERIA: tuple[Callable[[ModelVersion, datetime], Finding], ...] = (
    _new_movies,
    _new_ratings,
    _online_metrics,
    _drift,
    _champion_age,
    _not_interested,
)
