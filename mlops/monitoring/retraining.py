"""When is a training worth it? Each criterion with its figure; any that is met starts one, which the gate judges."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils import timezone

from catalog.models import Job, Movie, Rating
from mlops.errors import TrainingAlreadyActive
from mlops.models import DriftReport, ModelVersion, OnlineMetrics, PipelineRun, Promotion, RetrainingCheck
from mlops.monitoring.alerts import set_alert
from mlops.training.runs import start_training
from recommender.models import Feedback

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Criterion:
    """`figure` is None where there is too little to say anything, which is never met."""

    name: str
    figure: float | None
    threshold: float
    is_met: bool
    sentence: str


def check_retraining(*, now: datetime | None = None) -> RetrainingCheck:
    """Evaluates, logs and keeps every criterion, and starts one training if any is met."""
    moment = now or timezone.now()
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    criteria = [criterion(champion, moment) for criterion in CRITERIA] if champion else [_no_champion()]
    for criterion in criteria:
        logger.info("retraining: %s: %s", criterion.name, criterion.sentence)
    reasons = [criterion.sentence for criterion in criteria if criterion.is_met]
    run, outcome = _act(reasons, moment)
    set_alert("retraining", "; ".join(reasons))
    logger.info("retraining: %s", outcome)
    return RetrainingCheck.objects.create(
        criteria=[asdict(criterion) for criterion in criteria], run=run, outcome=outcome[:300], checked_at=moment
    )


def _act(reasons: list[str], now: datetime) -> tuple[PipelineRun | None, str]:
    if not reasons:
        return None, "No criterion is met."
    policy = settings.POLICY.retraining
    last = RetrainingCheck.objects.filter(run__isnull=False).first()
    if last is not None and now - last.checked_at < timedelta(hours=policy.pause_hours):
        return None, f"Run {last.run_id} was started for such reasons less than {policy.pause_hours:g} h ago."
    try:
        run = start_training(trigger=PipelineRun.Trigger.SCHEDULED)
    except TrainingAlreadyActive as error:
        return None, str(error)
    Job.objects.filter(pk=run.job_id, status=Job.Status.QUEUED).update(log="Started because: " + "; ".join(reasons))
    return run, f"Training run {run.pk} was started."


def _no_champion() -> Criterion:
    n_ratings = Rating.objects.for_training().count()
    enough = settings.POLICY.training.min_ratings
    is_met = n_ratings >= enough
    sentence = f"no model is served, and {n_ratings} ratings are there ({enough} are needed)"
    return Criterion("no champion", n_ratings, enough, is_met, sentence)


def _new_movies(champion: ModelVersion, now: datetime) -> Criterion:
    since = champion.snapshot.exported_at
    n = Movie.objects.filter(created_at__gt=since, created_at__lte=now).count()
    at = settings.POLICY.retraining.new_movies
    return Criterion("new movies", n, at, n >= at, f"{n} movies were added since the champion's data ({at})")


def _new_ratings(champion: ModelVersion, now: datetime) -> Criterion:
    """Given since, or brought in since with earlier dates: whichever are more."""
    snapshot = champion.snapshot
    rows = Rating.objects.for_training().order_by()
    given = rows.filter(rated_at__gt=snapshot.exported_at, rated_at__lte=now).count()
    n = max(given, rows.count() - snapshot.n_ratings)
    at = settings.POLICY.retraining.new_ratings
    return Criterion("new ratings", n, at, n >= at, f"{n} ratings came since the champion's data ({at})")


def _live_fall(champion: ModelVersion, now: datetime) -> Criterion:
    policy = settings.POLICY.retraining
    window = timedelta(days=policy.window_days)
    recent, before = (_live(champion, end - window, end) for end in (now, now - window))
    name = "fall of live quality"
    if min(recent[1], before[1]) < policy.min_live_ratings or not before[0]:
        counts = f"{before[1]} and {recent[1]} scored ratings"
        sentence = f"live quality: {counts} are too few ({policy.min_live_ratings} in each window)"
        return Criterion(name, None, policy.live_fall, False, sentence)
    # Here, so that web processes start without scipy.
    from mlops.monitoring.drift.statistics import compare_rates

    shift = compare_rates(*recent, *before)
    is_met = shift.figure >= policy.live_fall and shift.p <= settings.POLICY.drift.significance
    sentence = f"the hit rate fell by {shift.figure:.0%} of itself (p = {shift.p:.3f}; {policy.live_fall:.0%})"
    return Criterion(name, round(shift.figure, 4), policy.live_fall, is_met, sentence)


def _live(champion: ModelVersion, since: datetime, until: datetime) -> tuple[int, int]:
    rows = OnlineMetrics.objects.filter(version=champion, day__gt=since.date(), day__lte=until.date())
    sums = rows.aggregate(hits=Sum("hits"), n=Sum("n"))
    return sums["hits"] or 0, sums["n"] or 0


def _drift(champion: ModelVersion, now: datetime) -> Criterion:
    """Alerts of the latest reports, as many as lie far enough apart; those from before the champion's data are over."""
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
    sentence = f"drift alerted in {n} windows in a row since the champion's data ({policy.drift_reports})"
    return Criterion("drift", n, policy.drift_reports, n >= policy.drift_reports, sentence)


def _champion_age(champion: ModelVersion, now: datetime) -> Criterion:
    promotion = Promotion.objects.filter(version=champion).first()
    days = (now - (promotion.promoted_at if promotion else champion.created_at)).total_seconds() / 86400
    at = settings.POLICY.retraining.champion_age_days
    return Criterion("champion's age", round(days, 2), at, days >= at, f"the champion is {days:.1f} days old ({at:g})")


def _not_interested(champion: ModelVersion, now: datetime) -> Criterion:
    """Of what people did with recommended movies: how often they did not want them, what was undone left out."""
    policy = settings.POLICY.retraining
    since = max(now - timedelta(days=policy.window_days), champion.created_at)
    kinds = Feedback.Kind
    of_kinds = {kind.value: Count("pk", filter=Q(kind=kind)) for kind in kinds}
    counts = Feedback.objects.filter(created_at__gt=since, created_at__lte=now).aggregate(**of_kinds)
    unwanted = max(0, counts[kinds.NOT_INTERESTED] - counts[kinds.UNDO])
    total = unwanted + counts[kinds.CLICK]
    name, at = "not-interested share", policy.not_interested_share
    if total < policy.min_feedback:
        sentence = f"people acted on {total} recommended movies, too few to say anything ({policy.min_feedback})"
        return Criterion(name, None, at, False, sentence)
    share = unwanted / total
    sentence = f"{share:.0%} of {total} recommended movies that people acted on were not wanted ({at:.0%})"
    return Criterion(name, round(share, 4), at, share >= at, sentence)


CRITERIA: tuple[Callable[[ModelVersion, datetime], Criterion], ...] = (
    _new_movies,
    _new_ratings,
    _live_fall,
    _drift,
    _champion_age,
    _not_interested,
)
