"""How old everything is that models and schedules live by; what is older than policy allows raises an alert."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from catalog.models import ImportRun, Movie, Rating
from mlops.models import Backtest, DriftReport, ModelVersion, PipelineRun, Promotion, Watermark
from mlops.monitoring.alerts import set_alert
from recommender.serving.periodic import PeriodicThread

HEARTBEAT = "beat"
WATCH_SECONDS = 60.0


@dataclass(frozen=True)
class StalenessCheck:
    """`limit` is the age from which on it is an alert; None where no age is wrong."""

    subject: str
    at: datetime | None
    limit: timedelta | None = None

    def age(self, now: datetime) -> timedelta | None:
        return max(now - self.at, timedelta(0)) if self.at else None

    @property
    def limit_text(self) -> str:
        return _text(self.limit)

    def is_old(self, now: datetime) -> bool:
        age = self.age(now)
        return age is not None and self.limit is not None and age > self.limit


def beat_heartbeat() -> datetime:
    """Sent by Beat each minute and done by a worker: that it gets here shows that both live, and the broker too."""
    row, _ = Watermark.objects.update_or_create(name=HEARTBEAT, defaults={"at": timezone.now()})
    return row.at


def staleness_checks() -> list[StalenessCheck]:
    policy = settings.POLICY.staleness
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    promotion = Promotion.objects.filter(version=champion).first() if champion else None
    finished = ImportRun.objects.filter(finished_at__isnull=False)
    return [
        StalenessCheck("scheduler", last_heartbeat(), timedelta(seconds=policy.beat_seconds)),
        StalenessCheck("champion", promotion.promoted_at if promotion else None),
        StalenessCheck(
            "champion's data",
            champion.snapshot.exported_at if champion else None,
            timedelta(days=min(policy.champion_data_days, _known_limit())),
        ),
        _latest_rating(timedelta(days=policy.latest_rating_days)),
        StalenessCheck("latest movie", Movie.objects.aggregate(at=Max("created_at"))["at"]),
        StalenessCheck("latest import", finished.aggregate(at=Max("finished_at"))["at"]),
        StalenessCheck("latest drift report", DriftReport.objects.aggregate(at=Max("created_at"))["at"]),
    ]


def _known_limit() -> float:
    """Days up to which age costs little, as the last backtest found; without one only the policy counts."""
    last = Backtest.objects.filter(kind=Backtest.Kind.STALENESS).first()
    return float(last.figures["max_age_days"]) if last else math.inf


def check_staleness(*, now: datetime | None = None) -> list[str]:
    """Opens and closes the alerts; returns the subjects that are too old."""
    moment = now or timezone.now()
    old = []
    for check in staleness_checks():
        if check.limit is not None:
            is_old = check.is_old(moment)
            set_alert(f"age of {check.subject}", _sentence(check, moment) if is_old else "")
            old += [check.subject] if is_old else []
    set_alert("training", _broken_training())
    return old


def watch_scheduler() -> None:
    """For the web processes: a dead Beat or worker cannot say so itself."""
    check = StalenessCheck("scheduler", last_heartbeat(), timedelta(seconds=settings.POLICY.staleness.beat_seconds))
    now = timezone.now()
    set_alert("age of scheduler", _sentence(check, now) if check.is_old(now) else "")


scheduler_watch = PeriodicThread("watch the scheduler", watch_scheduler, lambda: WATCH_SECONDS)


def last_heartbeat() -> datetime | None:
    return Watermark.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()


def _latest_rating(limit: timedelta) -> StalenessCheck:
    """No age is wrong while nobody has rated since the first model went live: the log was brought in from elsewhere."""
    at = Rating.objects.for_training().order_by("-rated_at").values_list("rated_at", flat=True).first()
    began = Promotion.objects.order_by("id").values_list("promoted_at", flat=True).first()
    is_alive = at is not None and began is not None and at >= began
    return StalenessCheck("latest rating", at, limit if is_alive else None)


def _sentence(check: StalenessCheck, now: datetime) -> str:
    age, limit = check.age(now), check.limit
    return f"nothing was heard of it for {_text(age)}, more than {_text(limit)} ({check.at:%Y-%m-%d %H:%M} UTC)"


def _text(span: timedelta | None) -> str:
    seconds = span.total_seconds() if span else 0.0
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _broken_training() -> str:
    """A bug or a dead worker; a model that the gate refused is no fault."""
    ended = PipelineRun.objects.exclude(status__in=PipelineRun.ACTIVE).first()
    if ended is None or ended.status != PipelineRun.Status.ERRORED:
        return ""
    return f"run {ended.pk} ended with an error: {ended.message}"
