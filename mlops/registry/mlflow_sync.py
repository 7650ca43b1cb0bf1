"""Mirrors our rows, which are the truth, to MLflow. When MLflow is down, nothing else stops."""

import logging

from mlops.models import ModelVersion, PipelineRun, TuningStudy
from mlops.registry import mlflow_client

logger = logging.getLogger(__name__)

RECENT = 20


def mirror(row: ModelVersion | TuningStudy) -> bool:
    """Writes a version's run, files, tags and aliases, or a search as a run with its trials as nested runs.

    Logs and returns False when MLflow fails; `sync_registry` later mirrors rows that still have no `mlflow_run_id`.
    """
    try:
        if isinstance(row, TuningStudy):
            _mirror_study(row)
        else:
            _mirror_version(row)
            _point_aliases()
    except Exception:
        # MLflow, its store and the network may raise anything; the training or search must survive it.
        logger.warning("%s %s is not in MLflow yet; the next sync retries", type(row).__name__, row.pk, exc_info=True)
        return False
    return True


def sync_registry() -> dict[str, int]:
    """Mirrors missing versions and searches, and updates tags and aliases. Raises MLflow's errors."""
    missing = ModelVersion.objects.filter(mlflow_run_id="", artifact_removed_at=None)
    logged = list(missing.exclude(run__status__in=PipelineRun.ACTIVE).order_by("pk"))
    for version in logged:
        _mirror_version(version)
    known = ModelVersion.objects.filter(artifact_removed_at=None).exclude(mlflow_run_id="")
    for version in known.select_related("snapshot")[:RECENT]:
        mlflow_client.describe(version)
    _point_aliases()
    for study in TuningStudy.objects.filter(trials__mlflow_run_id="").distinct():
        _mirror_study(study)
    return {"logged": len(logged)}


def _mirror_study(study: TuningStudy) -> None:
    if not study.mlflow_run_id:
        study.mlflow_run_id = mlflow_client.log_study(study)
        study.save(update_fields=["mlflow_run_id"])
    for trial in study.trials.filter(mlflow_run_id=""):
        trial.mlflow_run_id = mlflow_client.log_trial(study, trial)
        trial.save(update_fields=["mlflow_run_id"])
    if study.ended_at:
        mlflow_client.end_study(study)


def _mirror_version(version: ModelVersion) -> None:
    if not version.mlflow_run_id:
        version.mlflow_run_id, version.mlflow_version = mlflow_client.log_version(version)
        version.save(update_fields=["mlflow_run_id", "mlflow_version"])
    mlflow_client.describe(version)


def _point_aliases() -> None:
    present = ModelVersion.objects.filter(artifact_removed_at=None).exclude(mlflow_run_id="")
    if present.exists():
        mlflow_client.point_aliases(present)
