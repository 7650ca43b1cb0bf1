"""Mirrors our rows, which are the truth, to MLflow. When MLflow is down, nothing else stops."""

import logging

from celery.exceptions import SoftTimeLimitExceeded

from mlops.findings import Finding
from mlops.models import ModelVersion, TuningStudy
from mlops.registry import mlflow_client, mlflow_runs
from mlops.registry.mlflow_lock import sole_writer

logger = logging.getLogger(__name__)


def mirror(row: ModelVersion | TuningStudy) -> bool:
    """Writes a version's run, files, tags and aliases, or a search as a run with its trials as nested runs.

    Logs and returns False when MLflow fails or another process writes to it; a later `sync_registry` makes up for it.
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
        # MLflow, its store and the network may raise anything; the training or search must survive it.
        reason = mlflow_client.in_short(error)
        logger.warning("%s %s is not in MLflow yet; the next sync retries: %s", type(row).__name__, row.pk, reason)
        return False
    return True


def mirror_study(study: TuningStudy) -> None:
    """Writes the search and those of its trials that MLflow lacks: they are new, or the store is another one."""
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
    """Whether it had to be logged: it is new, was deleted in MLflow, or the store is another one."""
    if is_missing := not mlflow_runs.is_logged(version):
        # First, so that the row names no version of another run if logging fails.
        ModelVersion.objects.filter(pk=version.pk).update(mlflow_run_id="", mlflow_version="")
        version.mlflow_run_id, version.mlflow_version = mlflow_runs.log_version(version)
        version.save(update_fields=["mlflow_run_id", "mlflow_version"])
    mlflow_runs.describe(version)
    return is_missing


def point_aliases() -> list[Finding]:
    present = ModelVersion.objects.filter(artifact_removed_at=None).exclude(mlflow_run_id="")
    return mlflow_client.point_aliases(present)
