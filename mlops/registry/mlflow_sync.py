"""Keeps MLflow in step with our rows, which are the truth; that it is down never stops anything."""

import logging

from mlops.models import GateDecision, ModelVersion, PipelineRun, TuningStudy

logger = logging.getLogger(__name__)

Status = ModelVersion.Status
RECENT = 20


def mirror(version: ModelVersion) -> bool:
    """The version's run, files, tags and the aliases; False, logged, when MLflow did not take them.

    A version without `mlflow_run_id` is then still to do, and `sync_registry` does it.
    """
    try:
        _mirror(version)
        _point_aliases()
    except Exception:
        # Whatever MLflow, its store or the way there raises: the training must not be lost by it.
        logger.warning("version %s is not in MLflow yet; it is tried again later", version.pk, exc_info=True)
        return False
    return True


def sync_registry() -> dict[str, int]:
    """Fill every gap: versions that MLflow lacks, tags that changed, aliases. Raises what MLflow raises."""
    missing = ModelVersion.objects.filter(mlflow_run_id="", artifact_removed_at=None)
    missing = missing.exclude(run__status__in=PipelineRun.ACTIVE).order_by("pk")
    n_logged = 0
    for version in missing:
        _mirror(version)
        n_logged += 1
    known = ModelVersion.objects.filter(artifact_removed_at=None).exclude(mlflow_run_id="")
    for version in known.select_related("snapshot")[:RECENT]:
        _describe(version)
    _point_aliases()
    for study in TuningStudy.objects.filter(trials__mlflow_run_id="").distinct():
        _mirror_study(study)
    return {"logged": n_logged}


def mirror_study(study: TuningStudy) -> bool:
    """The search as a run and its trials as nested ones; False, logged, when MLflow did not take them."""
    try:
        _mirror_study(study)
    except Exception:
        # As above: MLflow is a mirror, the rows are what counts.
        logger.warning("%s is not in MLflow yet; it is tried again later", study, exc_info=True)
        return False
    return True


def _mirror_study(study: TuningStudy) -> None:
    from mlops.registry import mlflow_client

    if not study.mlflow_run_id:
        study.mlflow_run_id = mlflow_client.log_study(study)
        study.save(update_fields=["mlflow_run_id"])
    for trial in study.trials.filter(mlflow_run_id=""):
        trial.mlflow_run_id = mlflow_client.log_trial(study, trial)
        trial.save(update_fields=["mlflow_run_id"])
    if study.ended_at:
        mlflow_client.end_study(study)


def _mirror(version: ModelVersion) -> None:
    from mlops.registry import mlflow_client

    if not version.mlflow_run_id:
        version.mlflow_run_id, version.mlflow_version = mlflow_client.log_version(version)
        version.save(update_fields=["mlflow_run_id", "mlflow_version"])
    _describe(version)


def _describe(version: ModelVersion) -> None:
    from mlops.registry import mlflow_client

    version.refresh_from_db(fields=["status"])
    decision = GateDecision.objects.filter(version=version).first()
    mlflow_client.describe(version, decision.outcome if decision else "not judged")


def _point_aliases() -> None:
    """`champion` is what is served; `challenger` the latest that could be."""
    from mlops.registry import mlflow_client

    present = ModelVersion.objects.filter(artifact_removed_at=None).exclude(mlflow_run_id="")
    if present.exists():
        mlflow_client.point_aliases(
            champion=present.filter(status=Status.CHAMPION).first(),
            challenger=present.filter(status=Status.CANDIDATE).first(),
        )
