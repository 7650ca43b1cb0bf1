"""Mirrors our rows, which are the source of truth, to MLflow. An outage of MLflow affects nothing else."""

import logging

from celery.exceptions import SoftTimeLimitExceeded

from mlops.findings import Finding
from mlops.models import ModelVersion, TuningStudy
from mlops.registry import mlflow_client, mlflow_runs
from mlops.registry.mlflow_lock import sole_writer

logger = logging.getLogger(__name__)


def mirror(row: ModelVersion | TuningStudy) -> bool:
    """Writes a version with its files, tags and aliases, or a search with its trials, to MLflow.

    Logs a failure and returns False if MLflow fails or is busy. A later `sync_registry` catches up.
    """
    try:
        with sole_writer():
            if isinstance(row, TuningStudy):
                mirror_study(row)
            else:
                mirror_version(row)
                point_aliases()
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        # MLflow, its store and the network may raise any exception. The training or search must continue.
        reason = mlflow_client.in_short(error)
        logger.warning("%s %s is not in MLflow yet; the next sync retries: %s", type(row).__name__, row.pk, reason)
        return False
    return True


def mirror_study(study: TuningStudy) -> None:
    """Writes the search and its trials to MLflow if they are missing."""
    trials = list(study.trials.all())
    present = mlflow_client.existing_runs([study.mlflow_run_id, *(trial.mlflow_run_id for trial in trials)])
    parent = present.get(study.mlflow_run_id)
    if parent is None:
        study.mlflow_run_id = mlflow_runs.log_study(study)
        study.save(update_fields=["mlflow_run_id"])
    for trial in trials:
        if trial.mlflow_run_id not in present:
            trial.mlflow_run_id = mlflow_runs.log_trial(study, trial)
            trial.save(update_fields=["mlflow_run_id"])
        elif parent is None:
            mlflow_runs.move_trial(study, trial)
    if study.ended_at and (parent is None or parent.info.status != "FINISHED"):
        mlflow_runs.end_study(study)


def mirror_version(version: ModelVersion) -> bool:
    """Logs the version if MLflow lacks it, and updates its description. Returns whether it was logged.

    MLflow may lack a version because it is new, was deleted there, or because the store was replaced.
    """
    if is_missing := not mlflow_runs.is_logged(version):
        # Clear the ids first, so that the row does not refer to another run's version if logging fails.
        ModelVersion.objects.filter(pk=version.pk).update(mlflow_run_id="", mlflow_version="")
        version.mlflow_run_id, version.mlflow_version = mlflow_runs.log_version(version)
        version.save(update_fields=["mlflow_run_id", "mlflow_version"])
    mlflow_runs.describe(version)
    return is_missing


def point_aliases() -> list[Finding]:
    present = ModelVersion.objects.filter(artifact_removed_at=None).exclude(mlflow_run_id="")
    return mlflow_client.point_aliases(present)
