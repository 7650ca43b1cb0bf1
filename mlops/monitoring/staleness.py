"""Staleness: the age of the champion, its data, ratings and the scheduler's heartbeat, with alerts by policy."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from catalog.models import ImportRun, Movie, Rating
from mlops.findings import Finding, Outcome
from mlops.models import Backtest, DriftReport, ModelVersion, PipelineRun, Promotion, Watermark
from mlops.monitoring.alerts import alert_on, set_alert
from mlops.monitoring.codes import AlertCode, StalenessCode


@dataclass(frozen=True)
class StalenessCheck:
    """The age of something; older than `limit` raises an alert. `limit` is None where any age is fine."""

    code: StalenessCode
    at: datetime | None
    limit: timedelta | None = None

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
        return age is not None and self.limit is not None and age > self.limit

    def finding(self, now: datetime) -> Finding:
        age = self.age(now)
        if age is None or self.limit is None or self.at is None or age <= self.limit:
            return Finding(self.code, Outcome.OK)
        params = {"age": _text(age), "limit": _text(self.limit), "at": f"{self.at.astimezone(UTC):%Y-%m-%d %H:%M}"}
        return Finding(self.code, Outcome.ALERT, age.total_seconds(), self.limit.total_seconds(), params=params)


def beat_heartbeat() -> datetime:
    """Beat sends this each minute and a worker runs it, which shows that both and the broker are alive."""
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
    ]


def _known_limit() -> float:
    """The age in days up to which the last backtest found little loss; without a backtest only the policy counts."""
    last = Backtest.objects.filter(kind=Backtest.Kind.STALENESS).first()
    return float(last.figures["max_age_days"]) if last else math.inf


def check_staleness(*, now: datetime | None = None) -> list[str]:
    """Opens and closes the alerts, and returns the codes of what is stale."""
    moment = now or timezone.now()
    findings = [check.finding(moment) for check in staleness_checks() if check.limit is not None]
    for finding in findings:
        alert_on(finding)
    _alert_on_training()
    return [str(finding.code) for finding in findings if finding.outcome == Outcome.ALERT]


def watch_scheduler() -> None:
    alert_on(_scheduler().finding(timezone.now()))


def last_heartbeat() -> datetime | None:
    return Watermark.objects.filter(name=Watermark.Job.HEARTBEAT).values_list("at", flat=True).first()


def _scheduler() -> StalenessCheck:
    limit = timedelta(seconds=settings.POLICY.staleness.beat_seconds)
    return StalenessCheck(StalenessCode.SCHEDULER, last_heartbeat(), limit)


def _latest_rating(limit: timedelta) -> StalenessCheck:
    """Has no limit until the first rating after the first promotion: before that the log is an import."""
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
    """Alerts on a bug or a dead worker; a model that the gate refused is not a fault."""
    ended = PipelineRun.objects.exclude(status__in=PipelineRun.ACTIVE).first()
    findings = []
    if ended is not None and ended.status == PipelineRun.Status.ERRORED:
        params = {"run": ended.pk, "error": ended.details.get("error", ended.outcome)}
        findings = [Finding(AlertCode.TRAINING_FAILED, Outcome.ALERT, params=params)]
    set_alert(AlertCode.TRAINING_FAILED, *findings)
