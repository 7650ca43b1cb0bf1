"""Mirrors our rows, which are the truth, to MLflow. When MLflow is down, nothing else stops."""

import logging

from mlops.models import ModelVersion, PipelineRun, TuningStudy
from mlops.registry import mlflow_client

logger = logging.getLogger(__name__)


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
    """Mirrors missing versions and searches, and updates tags and aliases. Raises MLflow's first error at the end."""
    present = ModelVersion.objects.filter(artifact_removed_at=None).exclude(run__status__in=PipelineRun.ACTIVE)
    n_logged, errors = 0, []
    for version in present.select_related("snapshot").order_by("pk"):
        try:
            n_logged += _mirror_version(version)
        except Exception as error:  # whatever MLflow raises about one version: the others are not to wait for it
            logger.warning("version %s is not in MLflow: %s", version.pk, error)
            errors.append(error)
    _point_aliases()
    for study in TuningStudy.objects.filter(trials__mlflow_run_id="").distinct():
        _mirror_study(study)
    if errors:
        raise errors[0]
    return {"logged": n_logged}


def _mirror_study(study: TuningStudy) -> None:
    if not study.mlflow_run_id:
        study.mlflow_run_id = mlflow_client.log_study(study)
        study.save(update_fields=["mlflow_run_id"])
    for trial in study.trials.filter(mlflow_run_id=""):
        trial.mlflow_run_id = mlflow_client.log_trial(study, trial)
        trial.save(update_fields=["mlflow_run_id"])
    if study.ended_at:
        mlflow_client.end_study(study)


def _mirror_version(version: ModelVersion) -> bool:
    """Whether it had to be logged: it is new, was deleted in MLflow, or the store is another one."""
    if is_missing := not mlflow_client.is_logged(version):
        # First, so that no alias is set by another version's number if logging fails.
        ModelVersion.objects.filter(pk=version.pk).update(mlflow_run_id="", mlflow_version="")
        version.mlflow_run_id, version.mlflow_version = mlflow_client.log_version(version)
        version.save(update_fields=["mlflow_run_id", "mlflow_version"])
    mlflow_client.describe(version)
    return is_missing


def _point_aliases() -> None:
    present = ModelVersion.objects.filter(artifact_removed_at=None).exclude(mlflow_run_id="")
    if present.exists():
        mlflow_client.point_aliases(present)
