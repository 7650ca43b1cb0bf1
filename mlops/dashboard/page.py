"""The staff dashboard's data, read from the database: one function for each panel."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from mlops.dashboard.plots import Point, Series, pair_bars, points_chart
from mlops.dashboard.report import difference_text, interval_text
from mlops.evaluation.intervals import Z_95, wilson
from mlops.findings import Finding
from mlops.models import (
    DriftReport,
    GateDecision,
    ModelVersion,
    OnlineMetrics,
    PipelineRun,
    Promotion,
    RetrainingCheck,
)
from mlops.monitoring.alerts import open_alerts
from mlops.monitoring.staleness import staleness_checks
from mlops.test_score.score import ml_test_score

RUNS, DECISIONS, VERSIONS, REPORTS = 8, 6, 20, 30
ONLINE_DAYS = 42


@dataclass(frozen=True)
class Schedule:
    name: str
    when: str
    is_enabled: bool
    last_at: datetime | None
    next_at: datetime | None
    pk: int


@dataclass(frozen=True)
class VersionRow:
    version: ModelVersion
    interval: str
    against_champion: str


def dashboard() -> dict[str, Any]:
    now = timezone.now()
    versions = version_rows()
    return {
        "now": now,
        "alerts": open_alerts(),
        "champion": champion(),
        "versions": versions,
        "versions_plot": versions_plot(versions),
        "live": online_metrics(now),
        "drift": drift(),
        "retraining": RetrainingCheck.objects.select_related("run").first(),
        "staleness_checks": [(check, check.age(now), check.is_stale(now)) for check in staleness_checks()],
        "schedules": schedules(now),
        "decisions": GateDecision.objects.select_related("version", "champion")[:DECISIONS],
        "score": ml_test_score(),
    } | runs()


def runs() -> dict[str, Any]:
    """The latest trainings; `is_busy` while one of them is active."""
    rows = list(PipelineRun.objects.select_related("requested_by", "version").prefetch_related("steps")[:RUNS])
    return {"runs": rows, "is_busy": any(run.is_active for run in rows)}


def champion() -> dict[str, Any] | None:
    version = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    if version is None:
        return None
    promotion = Promotion.objects.filter(version=version).select_related("promoted_by").first()
    return {"version": version, "promotion": promotion, "interval": interval_text(version.figures.get("interval"))}


def version_rows() -> list[VersionRow]:
    """Oldest first."""
    rows = ModelVersion.objects.select_related("snapshot").prefetch_related("decisions")[:VERSIONS]
    return [_version_row(version) for version in reversed(rows)]


def _version_row(version: ModelVersion) -> VersionRow:
    figures = version.figures
    against = difference_text(figures.get("differences", {}).get("champion"))
    return VersionRow(version, _unbroken(interval_text(figures.get("interval"))), _unbroken(against))


def _unbroken(text: str) -> str:
    """Keeps an interval on one line where its figure is on another."""
    return text.replace(", ", ",\u00a0")


def versions_plot(rows: list[VersionRow]) -> SafeString:
    judged = [row.version for row in rows if row.version.ndcg is not None]
    points = [
        Point(at, version.ndcg or 0.0, *_ends(version.figures.get("interval")), note=version.get_status_display())
        for at, version in enumerate(judged)
    ]
    labels = [str(version.pk) for version in judged]
    series = [Series("nDCG@10", points)] if points else []
    return points_chart(_("nDCG@10 on later data by version, with 95% intervals"), labels, series, connected=False)


def _ends(interval: dict[str, Any] | None) -> tuple[float | None, float | None]:
    return (interval["low"], interval["high"]) if interval else (None, None)


def online_metrics(now: datetime) -> dict[str, Any]:
    """The hit rate by day and version with 95% Wilson intervals, and each version's totals."""
    first = now.date() - timedelta(days=ONLINE_DAYS - 1)
    rows = list(OnlineMetrics.objects.filter(day__gte=first).order_by("version", "day"))
    begin = min((row.day for row in rows), default=None)
    days = [begin + timedelta(days=at) for at in range((now.date() - begin).days + 1)] if begin else []
    versions = sorted({row.version_id for row in rows})
    series = [_daily_series(rows, version, days[0]) for version in versions]
    labels = [f"{day:%d %b}" for day in days]
    return {
        "plot": points_chart(_("Hit rate at 10 of new positive ratings, by day"), labels, series),
        "series": series,
        "rows": [_total(rows, version) for version in versions],
    }


def _daily_series(rows: Iterable[OnlineMetrics], version: int, first: date) -> Series:
    points = [_daily_point(row, first) for row in rows if row.version_id == version]
    return Series(_("version {version}").format(version=version), points)


def _daily_point(row: OnlineMetrics, first: date) -> Point:
    return Point(
        (row.day - first).days, row.hit_rate or 0.0, *wilson(row.hits, row.n), note=f"{row.hits}/{row.n}, {row.day}"
    )


def _total(rows: Iterable[OnlineMetrics], version: int) -> dict[str, Any]:
    total = OnlineMetrics.sum_of(row for row in rows if row.version_id == version)
    ndcg, half = total.ndcg or 0.0, Z_95 * total.ndcg_error
    low, high = wilson(total.hits, total.n)
    return {
        "version": version,
        "total": total,
        "hit_rate": total.hit_rate or 0.0,
        "low": low,
        "high": high,
        "ndcg": ndcg,
        "ndcg_low": ndcg - half,
        "ndcg_high": ndcg + half,
    }


def drift() -> dict[str, Any] | None:
    reports = list(DriftReport.objects.all()[:REPORTS])
    if not reports:
        return None
    return {"report": reports[0], "history": list(reversed(reports))}


def drift_checks(report: DriftReport) -> list[tuple[Finding, SafeString]]:
    """The report's checks, each with its plot where it compares categories."""
    return [(check, pair_bars(check.title, check.params.get("bars", []))) for check in report.findings]


def schedules(now: datetime) -> list[Schedule]:
    rows = PeriodicTask.objects.exclude(name__startswith="celery.").select_related("crontab", "interval")
    return [_schedule(row, now) for row in rows.order_by("name")]


def _schedule(row: PeriodicTask, now: datetime) -> Schedule:
    next_at = None
    if row.enabled:
        since = row.last_run_at or row.date_changed or now
        # Half a second more, because a later estimate falls just short of the full minute.
        next_at = max(now, timezone.now() + row.schedule.remaining_estimate(since) + timedelta(seconds=0.5))
    return Schedule(row.name, _when(row), row.enabled, row.last_run_at, next_at, row.pk)


def _when(row: PeriodicTask) -> str:
    if row.crontab is None:
        return str(row.interval or "")
    at = row.crontab
    return f"{at.minute} {at.hour} {at.day_of_month} {at.month_of_year} {at.day_of_week} ({at.timezone})"
