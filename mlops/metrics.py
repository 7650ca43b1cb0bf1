"""Figures for /metrics that come from rows, read when Prometheus asks: a worker's own counters never reach the web."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Min
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mlops.models import DriftReport, ModelVersion, PipelineRun, Promotion


class RowsCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        yield from _champion()
        yield from _runs()
        yield from _drift()
        yield from _beat()

    def describe(self) -> Iterable[Metric]:
        return []  # registering must not query the database


def collectors() -> list[Collector]:
    return [RowsCollector()]


def _champion() -> Iterable[Metric]:
    version = GaugeMetricFamily("movierec_champion_version", "Version that is served; no sample while there is none.")
    age = GaugeMetricFamily("movierec_champion_age_seconds", "Since the champion was promoted.")
    data_age = GaugeMetricFamily("movierec_champion_data_age_seconds", "Since the champion's data was exported.")
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    if champion is not None:
        version.add_metric([], champion.pk)
        data_age.add_metric([], _age(champion.snapshot.exported_at))
        promotion = Promotion.objects.filter(version=champion).first()
        if promotion is not None:
            age.add_metric([], _age(promotion.promoted_at))
    return [version, age, data_age]


def _runs() -> Iterable[Metric]:
    runs = GaugeMetricFamily("movierec_training_runs", "Training runs that are kept, by status.", labels=["status"])
    counts = dict(PipelineRun.objects.order_by().values_list("status").annotate(n=Count("pk")))
    for status in PipelineRun.Status.values:
        runs.add_metric([status], counts.get(status, 0))
    waiting = GaugeMetricFamily("movierec_training_backlog_seconds", "How long the queued training has waited.")
    queued = PipelineRun.objects.filter(status=PipelineRun.Status.QUEUED).aggregate(since=Min("queued_at"))["since"]
    waiting.add_metric([], _age(queued) if queued else 0)
    return [runs, waiting]


def _drift() -> Iterable[Metric]:
    drift = GaugeMetricFamily("movierec_drift_status", "1 for the status of the last drift report.", labels=["status"])
    report = DriftReport.objects.first()
    for status in DriftReport.Status.values if report else ():
        drift.add_metric([status], float(report is not None and report.status == status))
    return [drift]


def _beat() -> Iterable[Metric]:
    """Beat writes down when it last sent each entry: what no one has sent for long shows that it is dead."""
    since = GaugeMetricFamily(
        "movierec_schedule_last_run_age_seconds", "Since Beat last sent the entry.", labels=["schedule"]
    )
    for name, last_run_at in PeriodicTask.objects.filter(enabled=True).values_list("name", "last_run_at"):
        if last_run_at is not None:
            since.add_metric([name], _age(last_run_at))
    return [since]


def _age(moment: datetime) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds())
