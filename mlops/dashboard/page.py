"""The staff dashboard's data, read from the database: one function for each panel."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from mlops.dashboard.plots import Point, Series, points_chart
from mlops.dashboard.report import difference_text, interval_text
from mlops.evaluation.intervals import Z_95, wilson
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
from mlops.next_run import check_row, crontab_text, next_run
from mlops.test_score.score import ml_test_score

RUNS, DECISIONS, VERSIONS, REPORTS = 8, 6, 20, 30
ONLINE_DAYS = 42
SCHEDULE_KINDS = ("interval", "crontab", "solar", "clocked")


def dashboard() -> dict[str, Any]:
    now = timezone.now()
    versions = list(ModelVersion.objects.select_related("snapshot").prefetch_related("decisions")[:VERSIONS])[::-1]
    return {
        "now": now,
        "alerts": open_alerts(),
        "champion": champion(),
        "versions": version_rows(versions),
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
    active = next((run for run in rows if run.is_active), None)
    return {"runs": rows, "active_run": active, "is_busy": active is not None}


def champion() -> dict[str, Any] | None:
    version = ModelVersion.champion()
    if version is None:
        return None
    promotion = Promotion.objects.filter(version=version).select_related("promoted_by").first()
    return {"version": version, "promotion": promotion, "interval": interval_text(version.figures.get("interval"))}


def version_rows(versions: Iterable[ModelVersion]) -> list[dict[str, Any]]:
    return [
        {
            "version": version,
            "interval": _unbroken(interval_text(version.figures.get("interval"))),
            "against_champion": _unbroken(difference_text(version.difference_from("champion"))),
        }
        for version in versions
    ]


def _unbroken(text: str) -> str:
    """Keeps an interval on one line where its figure is on another."""
    return text.replace(", ", ",\u00a0")


def versions_plot(versions: Iterable[ModelVersion]) -> SafeString:
    judged = [version for version in versions if version.ndcg is not None]
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
    points = [
        Point((row.day - first).days, row.hit_rate or 0.0, *wilson(row.hits, row.n), f"{row.hits}/{row.n}, {row.day}")
        for row in rows
        if row.version_id == version
    ]
    return Series(_("version {version}").format(version=version), points)


def _total(rows: Iterable[OnlineMetrics], version: int) -> dict[str, Any]:
    total = OnlineMetrics.sum_of(row for row in rows if row.version_id == version)
    ndcg, half = total.ndcg or 0.0, Z_95 * total.ndcg_error
    return {
        "version": version,
        "total": total,
        "hit_rate": total.hit_rate or 0.0,
        "hit_rate_interval": wilson(total.hits, total.n),
        "ndcg": ndcg,
        "ndcg_interval": (ndcg - half, ndcg + half),
    }


def drift() -> dict[str, Any] | None:
    reports = list(DriftReport.objects.all()[:REPORTS])
    return {"report": reports[0], "history": reports[::-1]} if reports else None


def schedules(now: datetime) -> list[tuple[PeriodicTask, str, datetime | None]]:
    """Each schedule with when it runs, in words, and its next run; None where there is none."""
    rows = PeriodicTask.objects.exclude(name__startswith="celery.").select_related(*SCHEDULE_KINDS)
    return [_schedule(row, now) for row in rows.order_by("name")]


def _schedule(row: PeriodicTask, now: datetime) -> tuple[PeriodicTask, str, datetime | None]:
    when = f"{crontab_text(row.crontab)} ({row.crontab.timezone})" if row.crontab else str(row.scheduler or "")
    try:
        check_row(row)
    except ValueError as error:
        return row, _("{when}: cannot run: {error}").format(when=when, error=error), None
    due = next_run(row, now)
    return row, when, due and max(due, now)
