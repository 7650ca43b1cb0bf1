"""The context of the staff dashboard: the tabs, and one function for each panel."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import PeriodicTask

from catalog.plots import Point, Series, pair_bars, points_chart
from mlops.dashboard.meanings import terms
from mlops.dashboard.next_likes import headline, online_metrics
from mlops.dashboard.report import difference_text, interval_text
from mlops.findings import Text
from mlops.models import DriftReport, GateDecision, ModelVersion, PipelineRun, Promotion, RetrainingCheck
from mlops.monitoring.alerts import open_alerts
from mlops.monitoring.staleness import staleness_checks
from mlops.next_run import check_row, crontab_text, next_run
from mlops.registry.promotion import predecessor_of_champion
from mlops.test_score.score import ml_test_score

RUNS, DECISIONS, VERSIONS, REPORTS = 8, 6, 20, 30
SCHEDULE_KINDS = ("interval", "crontab", "solar", "clocked")


class Tab(NamedTuple):
    code: str
    name: Text
    panels: Callable[[datetime], dict[str, Any]]
    terms: Sequence[str]

    @property
    def template(self) -> str:
        return f"mlops/_tab_{self.code}.html"


def dashboard(tab: Tab) -> dict[str, Any]:
    now = timezone.now()
    frame = {"now": now, "tab": tab, "tabs": TABS.values(), "headline": headline(now), "alerts": open_alerts()}
    frame["links"] = {name: address for name, address in settings.STAFF_LINKS.items() if address}
    return frame | {"drift": drift(), "terms": terms(tab.terms)} | actions() | tab.panels(now)


def actions() -> dict[str, Any]:
    """Returns the versions that the promote and rollback buttons would use."""
    candidates = ModelVersion.objects.filter(status=ModelVersion.Status.CANDIDATE, artifact_removed_at=None)
    waiting = (version for version in candidates.prefetch_related("decisions")[:VERSIONS] if version.has_passed)
    return {"waiting": next(waiting, None), "back_to": predecessor_of_champion()}


def overview(now: datetime) -> dict[str, Any]:
    return {"champion": champion()} | runs()


def models(now: datetime) -> dict[str, Any]:
    versions = list(ModelVersion.objects.select_related("snapshot").prefetch_related("decisions")[:VERSIONS])[::-1]
    return {
        "versions": version_rows(versions),
        "versions_plot": versions_plot(versions),
        "decisions": GateDecision.objects.select_related("version", "champion")[:DECISIONS],
    }


def live(now: datetime) -> dict[str, Any]:
    return {"live": online_metrics(now)}


def drift_and_retraining(now: datetime) -> dict[str, Any]:
    return {"retraining": RetrainingCheck.objects.select_related("run").first()}


def upkeep(now: datetime) -> dict[str, Any]:
    checks = [(check, check.age(now), check.is_stale(now)) for check in staleness_checks()]
    return {"staleness_checks": checks, "schedules": schedules(now)}


def score(now: datetime) -> dict[str, Any]:
    return {"score": ml_test_score()}


TABS = {
    tab.code: tab
    for tab in (
        Tab("overview", gettext_lazy("Overview"), overview, ("ndcg", "interval")),
        Tab("models", gettext_lazy("Models"), models, ("ndcg", "interval", "against")),
        Tab("live", gettext_lazy("Live"), live, ("hit_rate", "ndcg", "interval", "shown")),
        Tab("drift", gettext_lazy("Drift"), drift_and_retraining, ("psi", "ks")),
        Tab("schedules", gettext_lazy("Schedules"), upkeep, ("age",)),
        Tab("score", gettext_lazy("ML Test Score"), score, ("points",)),
    )
}


def runs() -> dict[str, Any]:
    """Returns the latest trainings. `is_busy` is true while one of them is active."""
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
    """Keeps the interval on one line if it wraps after its figure."""
    return text.replace(", ", ",\u00a0")


def versions_plot(versions: Iterable[ModelVersion]) -> SafeString:
    judged = [version for version in versions if version.ndcg is not None]
    points = [
        Point(at, version.ndcg or 0.0, *_ends(version.figures.get("interval")), note=version.get_status_display())
        for at, version in enumerate(judged)
    ]
    labels = [str(version.pk) for version in judged]
    series = [Series("nDCG@10", points)] if points else []
    # xgettext:no-python-format
    title = _("nDCG@10 on later data by version, with 95% intervals")
    return points_chart(title, labels, series, connected=False)


def _ends(interval: dict[str, Any] | None) -> tuple[float | None, float | None]:
    return (interval["low"], interval["high"]) if interval else (None, None)


def drift() -> dict[str, Any] | None:
    reports = list(DriftReport.objects.all()[:REPORTS])
    if not reports:
        return None
    plots = [(check, pair_bars(check.title, check.params.get("bars", []))) for check in reports[0].findings]
    history = reports[::-1]
    statuses = ", ".join(report.get_status_display() for report in history)
    plots = [row for row in plots if row[1]]
    return {"report": reports[0], "history": history, "statuses": statuses, "plots": plots}


def schedules(now: datetime) -> list[tuple[PeriodicTask, str, datetime | None]]:
    """Returns each schedule with a readable description of its times and its next run, or None if it never runs."""
    rows = PeriodicTask.objects.exclude(name__startswith="celery.").select_related(*SCHEDULE_KINDS)
    return [_schedule(row, now) for row in rows.order_by("name")]


def _schedule(row: PeriodicTask, now: datetime) -> tuple[PeriodicTask, str, datetime | None]:
    when = f"{crontab_text(row.crontab)} ({row.crontab.timezone})" if row.crontab else str(row.scheduler or "")
    try:
        check_row(row)
    except ValueError as error:
        return row, _("{when}: cannot run ({error})").format(when=when, error=error), None
    due = next_run(row, now)
    return row, when, due and max(due, now)
