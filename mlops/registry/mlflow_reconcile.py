"""Synchronizes MLflow with our rows: adds missing entries, updates changed ones and removes old ones."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import QuerySet

from mlops.errors import MirrorBusy
from mlops.findings import Finding, Outcome
from mlops.models import ModelVersion, PipelineRun, TuningStudy
from mlops.registry import mlflow_client, mlflow_runs
from mlops.registry.codes import MirrorCode
from mlops.registry.mlflow_lock import sole_writer
from mlops.registry.mlflow_sync import mirror_study, mirror_version, point_aliases

logger = logging.getLogger(__name__)


@dataclass
class MirrorReport:
    """The number of versions that a sync logged, and the problems it found."""

    n_logged: int = 0
    findings: list[Finding] = field(default_factory=list)
    outage: str = ""

    def attempt(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Returns the result of `work`, or records its error as a finding. Does nothing during an outage."""
        if self.outage:
            return None
        try:
            return work(*arguments)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # MLflow may raise any exception, which must not stop the other rows
            self.check()
            if not self.outage:
                params = {"error": mlflow_client.in_short(error)}
                self.findings.append(Finding(MirrorCode.ROW, Outcome.ALERT, params=params, subject=name))
            return None

    def check(self) -> None:
        """Probes MLflow, so that an unresponsive server costs one timeout instead of one per row."""
        if outage := mlflow_client.outage():
            self.stop(outage)

    def stop(self, outage: str) -> None:
        self.outage = outage
        self.findings.append(Finding(MirrorCode.OUTAGE, Outcome.ALERT, params={"error": outage}))

    @property
    def failures(self) -> list[Finding]:
        """Returns the findings that the next sync should retry."""
        return [finding for finding in self.findings if finding.code != MirrorCode.ALIAS]


def sync_registry() -> MirrorReport:
    """Mirrors missing rows to MLflow, updates tags and aliases, and deletes versions that retention has removed.

    Stops and reports it when it runs out of time. Raises MirrorBusy at once if another process writes to MLflow.
    """
    report = MirrorReport()
    with sole_writer():
        try:
            _sync(report)
        except SoftTimeLimitExceeded as error:
            report.stop(mlflow_client.in_short(error))
    return report


def _sync(report: MirrorReport) -> None:
    report.check()
    present = ModelVersion.objects.filter(artifact_removed_at=None).exclude(run__status__in=PipelineRun.ACTIVE)
    for version in present.select_related("snapshot").order_by("pk"):
        report.n_logged += bool(report.attempt(f"version {version.pk}", mirror_version, version))
    report.findings += report.attempt("aliases", point_aliases) or []
    _remove_versions(report)
    for study in TuningStudy.objects.filter(trials__isnull=False).distinct().order_by("pk"):
        report.attempt(f"search {study.pk}", mirror_study, study)


def remove_versions() -> None:
    """Removes versions from MLflow if retention has removed their files. `sync_registry` retries failures."""
    report = MirrorReport()
    if _removed().exists():
        report.check()
    with suppress(MirrorBusy), sole_writer():
        _remove_versions(report)
    for finding in report.failures:
        logger.warning("removed files are still in MLflow: %s", finding)


def _removed() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.exclude(artifact_removed_at=None).exclude(mlflow_version="")


def _remove_versions(report: MirrorReport) -> None:
    for version in _removed():
        report.attempt(f"version {version.pk}", _remove_version, version)


def _remove_version(version: ModelVersion) -> None:
    mlflow_runs.remove_version(version)
    ModelVersion.objects.filter(pk=version.pk).update(mlflow_version="")
