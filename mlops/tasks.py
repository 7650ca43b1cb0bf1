"""Celery tasks: thin wrappers around the services. They are idempotent, because a task may be delivered twice."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from celery import shared_task
from django.conf import settings

from mlops import services
from mlops.errors import (
    DataRemoteError,
    MirrorBusy,
    MirrorIncomplete,
    MLOpsError,
    NoBackupFolder,
    NoDataRemote,
    PackageError,
    RunNotFound,
    TrainingAlreadyActive,
)
from mlops.models import Backtest, PipelineRun

logger = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])


def _also_named(former: str) -> Callable[[Function], Function]:
    """Also registers the task under its former name, which queued messages and edited schedules may still use."""

    def register(function: Function) -> Function:
        shared_task(name=former)(function)
        return function

    return register


@shared_task(
    name="mlops.train_model",
    # Runs stop themselves earlier. These limits end a run that hangs.
    soft_time_limit=settings.POLICY.training.max_runtime_seconds + 120,
    time_limit=settings.POLICY.training.max_runtime_seconds + 180,
)
def train_model(run_id: int) -> dict[str, str | int]:
    try:
        run = services.run_training(run_id=run_id)
    except RunNotFound as error:
        logger.warning("%s", error)
        return {"run": run_id, "status": "gone"}
    return {"run": run.pk, "status": run.status}


@shared_task(name="mlops.train_model_scheduled")
def train_model_scheduled() -> dict[str, str | int]:
    try:
        run = services.start_training(trigger=PipelineRun.Trigger.SCHEDULED)
    except TrainingAlreadyActive as error:
        logger.info("scheduled training skipped: %s", error)
        return {"status": "skipped"}
    return {"run": run.pk, "status": run.status}


@shared_task(name="mlops.auto_rollback")
@_also_named("mlops.watch_champion")
def auto_rollback() -> dict[str, str | int | None]:
    if settings.MODEL_STORE:
        services.fetch_for_rollback()
    report = services.auto_rollback()
    return {"version": report.version, "rolled_back_to": report.rolled_back_to}


@shared_task(name="mlops.prune")
def prune() -> dict[str, int]:
    return services.prune()


@shared_task(name="mlops.backup")
def backup() -> dict[str, str]:
    """Writes a backup. On failure, raises BackupError and opens an alert."""
    try:
        return {"address": services.create_backup().address}
    except NoBackupFolder as error:
        logger.info("no backup: %s", error)
        return {"status": "skipped"}


@shared_task(name="mlops.check_drift")
def check_drift() -> dict[str, str | int]:
    report = services.check_drift()
    return {"report": report.pk, "status": report.status}


@shared_task(name="mlops.score_online_metrics")
@_also_named("mlops.score_live_quality")
def score_online_metrics() -> dict[str, int]:
    return services.score_online_metrics()


@shared_task(name="mlops.check_retraining")
def check_retraining() -> dict[str, str | int | None]:
    check = services.check_retraining()
    return {"check": check.pk, "run": check.run_id}


@shared_task(name="mlops.beat_heartbeat")
def beat_heartbeat() -> str:
    return services.beat_heartbeat().isoformat()


@shared_task(name="mlops.check_staleness")
@_also_named("mlops.check_freshness")
def check_staleness() -> list[str]:
    return services.check_staleness()


@shared_task(name="mlops.collect_evidence")
def collect_evidence() -> dict[str, int]:
    return services.collect_evidence()


@shared_task(name="mlops.check_skew")
@_also_named("mlops.check_serving")
def check_skew() -> dict[str, bool]:
    return services.check_skew()


@shared_task(name="mlops.check_dependencies")
def check_dependencies() -> dict[str, str]:
    return {finding.code: finding.sentence for finding in services.check_dependencies()}


@shared_task(name="mlops.backtest_features")
def backtest_features() -> dict[str, str]:
    return _backtest(Backtest.Kind.FEATURES)


@shared_task(name="mlops.backtest_staleness")
def backtest_staleness() -> dict[str, str]:
    return _backtest(Backtest.Kind.STALENESS)


def _backtest(kind: str) -> dict[str, str]:
    try:
        return {"summary": services.backtest(kind=kind).summary}
    except MLOpsError as error:
        # A site without data for a backtest is not an error. The next scheduled run tries again.
        logger.info("no backtest: %s", error)
        return {"status": "skipped"}


@shared_task(name="mlops.sync_registry")
def sync_registry() -> dict[str, int | str]:
    try:
        return dict(services.sync_registry())
    except (MirrorBusy, MirrorIncomplete) as error:
        # An alert reports what failed. The next scheduled run tries again.
        logger.info("MLflow is not in step: %s", error)
        return {"status": "skipped" if isinstance(error, MirrorBusy) else "failed"}


@shared_task(name="mlops.push_data")
def push_data() -> dict[str, int | str]:
    if settings.MODEL_STORE:
        try:
            services.publish_champion()
        except PackageError as error:  # the next scheduled run tries again
            logger.warning("the champion was not put into the store of models: %s", error)
    try:
        return dict(services.push_data())
    except NoDataRemote as error:
        logger.info("data and models are not pushed: %s", error)
        return {"status": "skipped"}
    except DataRemoteError as error:  # the next scheduled run tries again
        logger.warning("data and models were not pushed: %s", error)
        return {"status": "failed"}
