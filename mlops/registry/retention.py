"""Removes old files by policy. Rows of versions, decisions and promotions stay."""

import logging
import shutil
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mlops.models import Alert, DatasetSnapshot, ModelVersion, PipelineRun, Promotion, RetrainingCheck, TuningStudy
from mlops.registry import mlflow_client
from mlops.registry.artifacts import folder_of
from recommender import services as recommender

logger = logging.getLogger(__name__)

Status = ModelVersion.Status
LEFTOVER_SECONDS = 6 * 3600  # longer than any training or export


def prune() -> dict[str, int]:
    """Removes everything beyond the policy's limits; returns counts."""
    return prune_artifacts() | {
        "snapshots": _prune_snapshots(),
        "runs": _prune_runs(),
        "monitoring": _prune_monitoring(),
        "leftovers": _prune_leftovers(),
        "impressions": recommender.prune_impressions(),
        "served_minutes": recommender.prune_serving_stats(),
    }


def prune_artifacts() -> dict[str, int]:
    """Removes files of versions, except the served one, the latest champions and the latest others."""
    kept = _versions_to_keep()
    n_removed = 0
    for version in ModelVersion.objects.filter(artifact_removed_at=None).exclude(pk__in=kept):
        n_removed += _remove_artifact(version)
    return {"artifacts": n_removed}


def _versions_to_keep() -> set[int]:
    policy = settings.POLICY.retention
    champions = _last_champions(policy.champions + 1)  # the served one, and those that a rollback can restore
    others = ModelVersion.objects.filter(artifact_removed_at=None).exclude(pk__in=champions)
    in_training = ModelVersion.objects.filter(run__status__in=PipelineRun.ACTIVE)
    serving = ModelVersion.objects.filter(status=Status.CHAMPION)
    return {
        *champions,
        *others.values_list("pk", flat=True)[: policy.versions],
        *in_training.values_list("pk", flat=True),
        *serving.values_list("pk", flat=True),
    }


def _last_champions(count: int) -> list[int]:
    """The champions promoted last, each once."""
    found: dict[int, None] = {}
    for pk in Promotion.objects.values_list("version", flat=True).iterator():
        found[pk] = None
        if len(found) == count:
            break
    return list(found)


def _remove_artifact(version: ModelVersion) -> bool:
    """Updates the row first, under its lock, so that no promotion can use files that are about to go."""
    with transaction.atomic():
        rows = ModelVersion.objects.select_for_update().filter(pk=version.pk, artifact_removed_at=None)
        if not rows.exclude(status=Status.CHAMPION).update(artifact_removed_at=timezone.now()):
            return False
    shutil.rmtree(folder_of(version), ignore_errors=True)
    if version.mlflow_version:
        _remove_from_registry(version)
    return True


def _remove_from_registry(version: ModelVersion) -> None:
    try:
        mlflow_client.remove_artifact(version)
    except Exception:
        # MLflow may raise anything; our own files are gone, and its copy only costs disk space.
        logger.warning("the files of version %s are still in MLflow", version.pk, exc_info=True)


def _prune_snapshots() -> int:
    present = DatasetSnapshot.objects.filter(removed_at=None)
    kept = set(present.values_list("pk", flat=True)[: settings.POLICY.retention.snapshots])
    kept.update(
        ModelVersion.objects.filter(
            artifact_removed_at=None, status__in=[Status.CHAMPION, Status.CANDIDATE]
        ).values_list("snapshot", flat=True)
    )
    kept.update(PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE).values_list("snapshot", flat=True))
    kept.update(TuningStudy.objects.filter(ended_at=None).values_list("snapshot", flat=True))
    removed = present.exclude(pk__in=[pk for pk in kept if pk is not None])
    for snapshot in removed:
        DatasetSnapshot.objects.filter(pk=snapshot.pk).update(removed_at=timezone.now())
        shutil.rmtree(settings.SNAPSHOT_DIR / snapshot.folder, ignore_errors=True)
    return len(removed)


def _prune_runs() -> int:
    limit = timezone.now() - timedelta(days=settings.POLICY.retention.runs_days)
    old = PipelineRun.objects.filter(created_at__lt=limit).exclude(status__in=PipelineRun.ACTIVE)
    return old.delete()[1].get(PipelineRun._meta.label, 0)


def _prune_monitoring() -> int:
    """Retraining checks and closed alerts."""
    limit = timezone.now() - timedelta(days=settings.POLICY.retention.monitoring_days)
    return (
        RetrainingCheck.objects.filter(checked_at__lt=limit).delete()[0]
        + (Alert.objects.filter(closed_at__lt=limit).delete()[0])
    )


def _prune_leftovers() -> int:
    """Folders without a row, left by processes killed between writing and recording."""
    known = set(ModelVersion.objects.values_list("artifact", flat=True))
    known.update(DatasetSnapshot.objects.values_list("folder", flat=True))
    limit = time.time() - LEFTOVER_SECONDS
    n_removed = 0
    for root in (Path(settings.MODEL_DIR), Path(settings.SNAPSHOT_DIR)):
        for folder in root.iterdir() if root.is_dir() else ():
            if folder.is_dir() and folder.name not in known and folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)
                n_removed += 1
    return n_removed
