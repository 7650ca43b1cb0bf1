"""Prometheus metrics computed from the database, because web processes cannot read the workers' counters."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from catalog.models import FollowedSource, SourceSync, SyncRun
from catalog.models.followed import TOLD_AFTER
from mlops.findings import Outcome
from mlops.models import DriftReport, ModelVersion, OnlineMetrics, PipelineRun, RetrainingCheck
from mlops.monitoring.alerts import open_alerts
from mlops.monitoring.staleness import last_backup, last_heartbeat
from mlops.next_run import check_row, next_run
from mlops.test_score.score import ml_test_score


class RowsCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        yield from _champion()
        yield from _runs()
        yield from _drift()
        yield from _online_metrics()
        yield from _retraining()
        yield from _alerts()
        yield from _beat()
        yield from _sync()
        yield from _following()

    def describe(self) -> Iterable[Metric]:
        return []  # registering must not query the database


def _gauges(name: str, text: str, labels: list[str], samples: Iterable[tuple[Sequence[str], float]]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for values, figure in samples:
        gauge.add_metric(values, figure)
    return gauge


def _champion() -> Iterable[Metric]:
    version = ModelVersion.champion()
    age = _age(version.promoted_at) if version else None
    data_age = _age(version.snapshot.exported_at) if version else None
    text = "Version of the champion; no sample while there is none."
    yield GaugeMetricFamily("movierec_champion_version", text, version.pk if version else None)
    yield GaugeMetricFamily("movierec_champion_age_seconds", "Time since the champion was promoted.", age)
    yield GaugeMetricFamily("movierec_champion_data_age_seconds", "Time since its data was exported.", data_age)


def _runs() -> Iterable[Metric]:
    counts = dict(PipelineRun.objects.order_by().values_list("status").annotate(n=Count("pk")))
    samples = [([status], counts.get(status, 0)) for status in PipelineRun.Status.values]
    yield _gauges("movierec_training_runs", "Training runs in the database, by status.", ["status"], samples)
    queued = PipelineRun.objects.filter(status=PipelineRun.Status.QUEUED).aggregate(since=Min("created_at"))["since"]
    text = "Time that the queued training has waited."
    yield GaugeMetricFamily("movierec_training_backlog_seconds", text, _age(queued) or 0)
    ended = PipelineRun.objects.exclude(status__in=[*PipelineRun.ACTIVE, PipelineRun.Status.CANCELLED])
    if (champion := ModelVersion.champion()) and champion.promoted_at:
        ended = ended.filter(created_at__gt=champion.promoted_at)
    text = "Trainings that were queued since the champion was promoted and have ended."
    yield GaugeMetricFamily("movierec_trainings_since_promotion", text, ended.count())


def _drift() -> Iterable[Metric]:
    report = DriftReport.objects.first()
    statuses = [([status], float(report.status == status)) for status in DriftReport.Status.values] if report else []
    yield _gauges("movierec_drift_status", "1 for the latest report's status.", ["status"], statuses)
    figures = [
        ([check.code, str(check.params.get("measure", ""))], check.figure)
        for check in (report.findings if report else ())
        if check.figure is not None
    ]
    text = "Figures of the latest drift report; no sample for a check without enough data."
    yield _gauges("movierec_drift_figure", text, ["check", "measure"], figures)


def _online_metrics() -> Iterable[Metric]:
    """Yields last week's online metrics for each version."""
    week = timezone.now().date() - timedelta(days=7)
    rows = OnlineMetrics.objects.filter(day__gt=week).order_by("version").values_list("version")
    sums = {(str(version),): found for version, *found in rows.annotate(Sum("n"), Sum("hits"), Sum("ndcg_sum"))}
    text = "New positive ratings scored in the last 7 days."
    yield _gauges("movierec_live_ratings", text, ["version"], [(key, n) for key, (n, _, _) in sums.items()])
    rates = [(key, hits / n) for key, (n, hits, _) in sums.items() if n]
    yield _gauges("movierec_live_hit_rate", "Share of them in the first ten shown.", ["version"], rates)
    gains = [(key, gain / n) for key, (n, _, gain) in sums.items() if n]
    yield _gauges("movierec_live_ndcg", "Mean nDCG at 10 of these ratings.", ["version"], gains)


def _retraining() -> Iterable[Metric]:
    check = RetrainingCheck.objects.first()
    met = [([found.code], float(found.outcome == Outcome.ALERT)) for found in (check.findings if check else ())]
    text = "1 if the retraining criterion is met."
    yield _gauges("movierec_retraining_criterion", text, ["criterion"], met)


def _alerts() -> Iterable[Metric]:
    ages = [
        ([f"{alert.code}:{alert.subject}" if alert.subject else alert.code], _age(alert.opened_at) or 0)
        for alert in open_alerts()
    ]
    yield _gauges("movierec_alert_age_seconds", "Time since each open alert began.", ["subject"], ages)
    points = [([section.name], section.points) for section in ml_test_score().sections]
    yield _gauges("movierec_ml_test_score", "Points out of 7, by section.", ["section"], points)


def _beat() -> Iterable[Metric]:
    """Yields when Beat last ran each schedule, and the age of the last backup. An old time means that Beat is down."""
    rows = list(PeriodicTask.objects.filter(enabled=True).select_related("crontab", "interval"))
    text = "Time since Beat last sent the entry."
    ages = [([row.name], age) for row in rows if (age := _age(row.last_run_at)) is not None]
    yield _gauges("movierec_schedule_last_run_age_seconds", text, ["schedule"], ages)
    text = "Time since Beat should have sent the entry; no sample for one that it cannot send."
    late = [([row.name], seconds) for row in rows if (seconds := _overdue(row)) is not None]
    yield _gauges("movierec_schedule_overdue_seconds", text, ["schedule"], late)
    text = "Time since Beat's last heartbeat."
    yield GaugeMetricFamily("movierec_scheduler_heartbeat_age_seconds", text, _age(last_heartbeat()))
    text = "Time since the last backup in backup.folder; no sample before the first one."
    yield GaugeMetricFamily("movierec_backup_age_seconds", text, _age(last_backup()))


def _overdue(row: PeriodicTask) -> float | None:
    try:
        check_row(row)
    except ValueError:  # Beat raises the alert
        return None
    return _age(next_run(row, timezone.now()))


def _sync() -> Iterable[Metric]:
    """Yields the state of the TMDB sync. Yields no samples before the first sync."""
    latest, succeeded = SyncRun.objects.first(), SyncRun.objects.filter(status=SyncRun.Status.SUCCEEDED).first()
    text = "Time since the last successful TMDB sync began."
    age = _age(succeeded.started_at) if succeeded else None
    yield GaugeMetricFamily("movierec_sync_last_success_age_seconds", text, age)
    failed = float(latest.status in (SyncRun.Status.FAILED, SyncRun.Status.ERRORED)) if latest else None
    yield GaugeMetricFamily("movierec_sync_failed", "1 if the latest sync with TMDB failed.", failed)


def _following() -> Iterable[Metric]:
    """Yields followed sources by state, and the latest syncs of sources by status."""
    paused, failing = Q(paused_at__isnull=False), Q(n_failures__gte=TOLD_AFTER)
    states = {"paused": Count("pk", filter=paused), "failing": Count("pk", filter=~paused & failing)}
    counts = FollowedSource.objects.aggregate(**states, ok=Count("pk", filter=~paused & ~failing))
    samples = [([state], n) for state, n in sorted(counts.items())]
    yield _gauges("movierec_followed_sources", "Followed sources, by state.", ["state"], samples)
    recent = SourceSync.objects.filter(created_at__gt=timezone.now() - timedelta(days=1)).order_by()
    by_status = dict(recent.values_list("status").annotate(n=Count("pk")))
    samples = [([status], by_status.get(status, 0)) for status in SourceSync.Status.values]
    yield _gauges("movierec_source_syncs", "Syncs of followed sources in 24 hours, by status.", ["status"], samples)


def _age(moment: datetime | None) -> float | None:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else None
