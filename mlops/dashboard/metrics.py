"""Metrics for Prometheus that are read from the database, because workers' own counters never reach the web."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Count, Min, Sum
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from catalog.models import SyncRun
from mlops.findings import Outcome
from mlops.models import DriftReport, ModelVersion, OnlineMetrics, PipelineRun, Promotion, RetrainingCheck
from mlops.monitoring.alerts import open_alerts
from mlops.monitoring.staleness import last_heartbeat
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

    def describe(self) -> Iterable[Metric]:
        return []  # registering must not query the database


def collectors() -> list[Collector]:
    return [RowsCollector()]


def _champion() -> Iterable[Metric]:
    version = GaugeMetricFamily("movierec_champion_version", "Version of the champion; no sample while there is none.")
    age = GaugeMetricFamily("movierec_champion_age_seconds", "Time since the champion was promoted.")
    data_age = GaugeMetricFamily("movierec_champion_data_age_seconds", "Time since the champion's data was exported.")
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    if champion is not None:
        version.add_metric([], champion.pk)
        data_age.add_metric([], _age(champion.snapshot.exported_at))
        promotion = Promotion.objects.filter(version=champion).first()
        if promotion is not None:
            age.add_metric([], _age(promotion.promoted_at))
    return [version, age, data_age]


def _runs() -> Iterable[Metric]:
    runs = GaugeMetricFamily("movierec_training_runs", "Training runs in the database, by status.", labels=["status"])
    counts = dict(PipelineRun.objects.order_by().values_list("status").annotate(n=Count("pk")))
    for status in PipelineRun.Status.values:
        runs.add_metric([status], counts.get(status, 0))
    waiting = GaugeMetricFamily("movierec_training_backlog_seconds", "Time that the queued training has waited.")
    queued = PipelineRun.objects.filter(status=PipelineRun.Status.QUEUED).aggregate(since=Min("created_at"))["since"]
    waiting.add_metric([], _age(queued) if queued else 0)
    return [runs, waiting]


def _drift() -> Iterable[Metric]:
    drift = GaugeMetricFamily("movierec_drift_status", "1 for the latest report's status.", labels=["status"])
    report = DriftReport.objects.first()
    for status in DriftReport.Status.values if report else ():
        drift.add_metric([status], float(report is not None and report.status == status))
    figures = GaugeMetricFamily(
        "movierec_drift_figure",
        "Figures of the latest drift report; no sample for a check without enough data.",
        labels=["check", "measure"],
    )
    for check in report.findings if report else ():
        if check.figure is not None:
            figures.add_metric([check.code, str(check.params.get("measure", ""))], check.figure)
    return [drift, figures]


def _online_metrics() -> Iterable[Metric]:
    """The last week by version."""
    week = timezone.now().date() - timedelta(days=7)
    rows = OnlineMetrics.objects.filter(day__gt=week).order_by("version").values_list("version")
    scored = GaugeMetricFamily(
        "movierec_live_ratings", "New positive ratings scored in the last 7 days.", labels=["version"]
    )
    hits = GaugeMetricFamily("movierec_live_hit_rate", "Share of them in the first ten shown.", labels=["version"])
    ndcg = GaugeMetricFamily("movierec_live_ndcg", "Mean nDCG at 10 of these ratings.", labels=["version"])
    for version, n, n_hits, gain in rows.annotate(Sum("n"), Sum("hits"), Sum("ndcg_sum")):
        scored.add_metric([str(version)], n)
        if n:
            hits.add_metric([str(version)], n_hits / n)
            ndcg.add_metric([str(version)], gain / n)
    return [scored, hits, ndcg]


def _retraining() -> Iterable[Metric]:
    met = GaugeMetricFamily(
        "movierec_retraining_criterion", "1 if the retraining criterion is met.", labels=["criterion"]
    )
    check = RetrainingCheck.objects.first()
    for criterion in check.findings if check else ():
        met.add_metric([criterion.code], float(criterion.outcome == Outcome.ALERT))
    return [met]


def _alerts() -> Iterable[Metric]:
    alerts = GaugeMetricFamily("movierec_alert_age_seconds", "Time since each open alert began.", labels=["subject"])
    for alert in open_alerts():
        alerts.add_metric([f"{alert.code}:{alert.subject}" if alert.subject else alert.code], _age(alert.opened_at))
    score = GaugeMetricFamily("movierec_ml_test_score", "Points out of 7, by section.", labels=["section"])
    for section in ml_test_score().sections:
        score.add_metric([section.name], section.points)
    return [alerts, score]


def _beat() -> Iterable[Metric]:
    """Beat records when it last sent each entry; an old time shows that Beat is dead."""
    since = GaugeMetricFamily(
        "movierec_schedule_last_run_age_seconds", "Time since Beat last sent the entry.", labels=["schedule"]
    )
    for name, last_run_at in PeriodicTask.objects.filter(enabled=True).values_list("name", "last_run_at"):
        if last_run_at is not None:
            since.add_metric([name], _age(last_run_at))
    heartbeat = GaugeMetricFamily("movierec_scheduler_heartbeat_age_seconds", "Time since Beat's last heartbeat.")
    last = last_heartbeat()
    if last is not None:
        heartbeat.add_metric([], _age(last))
    return [since, heartbeat]


def _sync() -> Iterable[Metric]:
    """The sync with TMDB; no sample before the first one."""
    since = GaugeMetricFamily(
        "movierec_sync_last_success_age_seconds", "Time since the last successful TMDB sync began."
    )
    failed = GaugeMetricFamily("movierec_sync_failed", "1 if the latest sync with TMDB failed.")
    latest = SyncRun.objects.first()
    if latest is not None:
        failed.add_metric([], float(latest.status in (SyncRun.Status.FAILED, SyncRun.Status.ERRORED)))
    succeeded = SyncRun.objects.filter(status=SyncRun.Status.SUCCEEDED).first()
    if succeeded is not None and succeeded.started_at is not None:
        since.add_metric([], _age(succeeded.started_at))
    return [since, failed]


def _age(moment: datetime) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds())
