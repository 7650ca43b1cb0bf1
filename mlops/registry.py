"""Keeps MLflow in step with our rows, which are the truth; that it is down never stops anything."""

import logging

from mlops.models import GateVerdict, ModelVersion, PipelineRun

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
    return {"logged": n_logged}


def _mirror(version: ModelVersion) -> None:
    from mlops import tracking

    if not version.mlflow_run_id:
        version.mlflow_run_id, version.mlflow_version = tracking.log_version(version)
        version.save(update_fields=["mlflow_run_id", "mlflow_version"])
    _describe(version)


def _describe(version: ModelVersion) -> None:
    from mlops import tracking

    version.refresh_from_db(fields=["status"])
    verdict = GateVerdict.objects.filter(version=version).first()
    tracking.describe(version, verdict.decision if verdict else "not judged")


def _point_aliases() -> None:
    """`champion` is what is served; `challenger` the latest that could be."""
    from mlops import tracking

    present = ModelVersion.objects.filter(artifact_removed_at=None).exclude(mlflow_run_id="")
    if present.exists():
        tracking.point_aliases(
            champion=present.filter(status=Status.CHAMPION).first(),
            challenger=present.filter(status=Status.CANDIDATE).first(),
        )
