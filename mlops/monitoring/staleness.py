"""Checks the age of the champion, its data, ratings, backups and the heartbeat, and opens alerts."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from catalog.models import ImportRun, Movie, Rating
from mlops.findings import Finding, Outcome
from mlops.models import Backtest, DriftReport, ModelVersion, PipelineRun, Promotion, Watermark
from mlops.monitoring.alerts import alert_on, set_alert
from mlops.monitoring.codes import AlertCode, Message, StalenessCode
from mlops.next_run import planned_run

BACKUP_GRACE = timedelta(hours=6)  # allowed delay after the planned time, for example if a machine was off


@dataclass(frozen=True)
class StalenessCheck:
    """The time of an event. An age above `limit` opens an alert. If `limit` is None, any age is accepted."""

    code: StalenessCode
    at: datetime | None
    limit: timedelta | None = None
    is_required: bool = False  # whether a missing event also opens the alert

    def age(self, now: datetime) -> timedelta | None:
        return max(now - self.at, timedelta(0)) if self.at else None

    @property
    def title(self) -> str:
        return str(self.code.label)

    @property
    def limit_text(self) -> str:
        return _text(self.limit) if self.limit else ""

    def is_stale(self, now: datetime) -> bool:
        age = self.age(now)
        return self.limit is not None and (self.is_required if age is None else age > self.limit)

    def finding(self, now: datetime) -> Finding:
        if not self.is_stale(now) or self.limit is None:
            return Finding(self.code, Outcome.OK)
        age = self.age(now)
        if age is None or self.at is None:
            return Finding(self.code, Outcome.ALERT, params={"limit": _text(self.limit)}, message=Message.NEVER)
        params = {"age": _text(age), "limit": _text(self.limit), "at": f"{self.at.astimezone(UTC):%Y-%m-%d %H:%M}"}
        return Finding(self.code, Outcome.ALERT, age.total_seconds(), self.limit.total_seconds(), params=params)


def beat_heartbeat() -> datetime:
    """Records a heartbeat. Beat sends it every minute, so a recent one shows that all services run."""
    row, _ = Watermark.objects.update_or_create(name=Watermark.Job.HEARTBEAT, defaults={"at": timezone.now()})
    return row.at


def staleness_checks() -> list[StalenessCheck]:
    policy = settings.POLICY.staleness
    champion = ModelVersion.champion()
    finished = ImportRun.objects.filter(finished_at__isnull=False)
    return [
        _scheduler(),
        StalenessCheck(StalenessCode.CHAMPION, champion.promoted_at if champion else None),
        StalenessCheck(
            StalenessCode.CHAMPION_DATA,
            champion.snapshot.exported_at if champion else None,
            timedelta(days=min(policy.champion_data_days, _known_limit())),
        ),
        _latest_rating(timedelta(days=policy.latest_rating_days)),
        StalenessCheck(StalenessCode.LATEST_MOVIE, Movie.objects.aggregate(at=Max("created_at"))["at"]),
        StalenessCheck(StalenessCode.LATEST_IMPORT, finished.aggregate(at=Max("finished_at"))["at"]),
        StalenessCheck(StalenessCode.LATEST_DRIFT_REPORT, DriftReport.objects.aggregate(at=Max("created_at"))["at"]),
        _backup(),
    ]


def _known_limit() -> float:
    """Returns the age in days up to which the last backtest found little loss, or infinity without a backtest."""
    last = Backtest.objects.filter(kind=Backtest.Kind.STALENESS).first()
    return float(last.figures["max_age_days"]) if last else math.inf


def check_staleness(*, now: datetime | None = None) -> list[str]:
    """Opens and closes the alerts. Returns the codes of the stale items."""
    moment = now or timezone.now()
    findings = [check.finding(moment) for check in staleness_checks()]
    for finding in findings:
        alert_on(finding)
    _alert_on_training()
    return [str(finding.code) for finding in findings if finding.outcome == Outcome.ALERT]


def watch_scheduler() -> None:
    alert_on(_scheduler().finding(timezone.now()))


def last_heartbeat() -> datetime | None:
    return _last(Watermark.Job.HEARTBEAT)


def last_backup() -> datetime | None:
    """Returns the time of the last backup in backup.folder."""
    return _last(Watermark.Job.BACKUP)


@contextmanager
def watch_backup() -> Iterator[None]:
    """Opens an alert if the backup in the body fails. A success is recorded and closes the alert."""
    try:
        yield
    except Exception as error:  # any exception means that there is no backup
        finding = Finding(AlertCode.BACKUP_FAILED, Outcome.ALERT, params={"error": str(error)})
        set_alert(AlertCode.BACKUP_FAILED, finding)
        raise
    Watermark.objects.update_or_create(name=Watermark.Job.BACKUP, defaults={"at": timezone.now()})
    set_alert(AlertCode.BACKUP_FAILED)
    alert_on(_backup().finding(timezone.now()))


def _last(job: Watermark.Job) -> datetime | None:
    return Watermark.objects.filter(name=job).values_list("at", flat=True).first()


def _scheduler() -> StalenessCheck:
    limit = timedelta(seconds=settings.POLICY.staleness.beat_seconds)
    return StalenessCheck(StalenessCode.SCHEDULER, last_heartbeat(), limit)


def _backup() -> StalenessCheck:
    """Returns the check of the last backup. Its limit is None without a folder or schedule."""
    at = last_backup()
    row = PeriodicTask.objects.filter(task="mlops.backup", enabled=True).first()
    if row is None or row.scheduler is None or settings.POLICY.backup.folder is None:
        return StalenessCheck(StalenessCode.BACKUP, at)
    row.last_run_at = at or timezone.now()
    limit = planned_run(row, timezone.now()) - row.last_run_at + BACKUP_GRACE
    return StalenessCheck(StalenessCode.BACKUP, at, limit, is_required=True)


def _latest_rating(limit: timedelta) -> StalenessCheck:
    """Returns the check of the latest rating. Its limit is None until a user rates after the first promotion."""
    at = Rating.objects.for_training().order_by("-rated_at").values_list("rated_at", flat=True).first()
    began = Promotion.objects.order_by("id").values_list("promoted_at", flat=True).first()
    is_alive = at is not None and began is not None and at >= began
    return StalenessCheck(StalenessCode.LATEST_RATING, at, limit if is_alive else None)


def _text(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _alert_on_training() -> None:
    """Opens an alert if the last training errored (a bug, a dead worker), but not if the gate refused its model."""
    ended = PipelineRun.objects.exclude(status__in=PipelineRun.ACTIVE).first()
    findings = []
    if ended is not None and ended.status == PipelineRun.Status.ERRORED:
        params = {"run": ended.pk, "error": ended.details.get("error", ended.outcome)}
        findings = [Finding(AlertCode.TRAINING_FAILED, Outcome.ALERT, params=params)]
    set_alert(AlertCode.TRAINING_FAILED, *findings)
