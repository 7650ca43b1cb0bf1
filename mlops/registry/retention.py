"""Retention: deletes old files, rows and expired sessions by policy. Keeps versions, decisions and promotions."""

import shutil
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from mlops.models import Alert, DatasetSnapshot, ModelVersion, PipelineRun, Promotion, RetrainingCheck, TuningStudy
from mlops.registry.artifacts import folder_of
from mlops.registry.mlflow_reconcile import remove_versions
from mlops.registry.model_card import card_file
from recommender import services as recommender

Status = ModelVersion.Status
LEFTOVER_SECONDS = 6 * 3600  # longer than any training or export


def prune() -> dict[str, int]:
    """Deletes everything beyond the policy's limits. Returns the number of deleted items of each kind."""
    artifacts = prune_artifacts()
    remove_versions()
    return artifacts | {
        "snapshots": _prune_snapshots(),
        "runs": _prune_runs(),
        "monitoring": _prune_monitoring(),
        "leftovers": _prune_leftovers(),
        "impressions": recommender.prune_impressions(),
        "served_minutes": recommender.prune_serving_stats(),
        "sessions": Session.objects.filter(expire_date__lt=timezone.now()).delete()[0],
    }


def prune_artifacts() -> dict[str, int]:
    """Deletes the files of old versions. Keeps the served one, the latest champions and the latest other versions.

    Does not delete files in MLflow, because it may respond slowly. `prune` and the sync delete them.
    """
    surplus = ModelVersion.objects.filter(artifact_removed_at=None).exclude(pk__in=_versions_to_keep())
    return {"artifacts": sum(_remove_artifact(version) for version in surplus)}


def _versions_to_keep() -> set[int]:
    policy = settings.POLICY.retention
    promoted = Promotion.objects.values("version").annotate(last=Max("pk")).order_by("-last")
    # The served version, and those that a rollback can restore.
    champions = list(promoted.values_list("version", flat=True)[: policy.champions + 1])
    others = ModelVersion.objects.filter(artifact_removed_at=None).exclude(pk__in=champions)
    in_use = ModelVersion.objects.filter(Q(status=Status.CHAMPION) | Q(run__status__in=PipelineRun.ACTIVE))
    kept = (others[: policy.versions], in_use)
    return {*champions, *(version.pk for versions in kept for version in versions)}


def _remove_artifact(version: ModelVersion) -> bool:
    """Deletes a version's files. Updates its row first, so that no promotion uses the files."""
    with transaction.atomic():
        rows = ModelVersion.objects.select_for_update().filter(pk=version.pk, artifact_removed_at=None)
        if not rows.exclude(status=Status.CHAMPION).update(artifact_removed_at=timezone.now()):
            return False
    shutil.rmtree(folder_of(version), ignore_errors=True)
    card_file(version).unlink(missing_ok=True)
    return True


def _prune_snapshots() -> int:
    present = DatasetSnapshot.objects.filter(removed_at=None)
    versions = ModelVersion.objects.filter(artifact_removed_at=None, status__in=[Status.CHAMPION, Status.CANDIDATE])
    users = (
        versions,
        PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE).exclude(snapshot=None),
        TuningStudy.objects.filter(ended_at=None),
    )
    kept = {pk for rows in users for pk in rows.values_list("snapshot", flat=True)}
    kept.update(present.values_list("pk", flat=True)[: settings.POLICY.retention.snapshots])
    removed = present.exclude(pk__in=kept)
    for snapshot in removed:
        DatasetSnapshot.objects.filter(pk=snapshot.pk).update(removed_at=timezone.now())
        shutil.rmtree(settings.SNAPSHOT_DIR / snapshot.folder, ignore_errors=True)
    return len(removed)


def _prune_runs() -> int:
    limit = timezone.now() - timedelta(days=settings.POLICY.retention.runs_days)
    old = PipelineRun.objects.filter(created_at__lt=limit).exclude(status__in=PipelineRun.ACTIVE)
    return old.delete()[1].get(PipelineRun._meta.label, 0)


def _prune_monitoring() -> int:
    """Deletes old retraining checks and closed alerts."""
    limit = timezone.now() - timedelta(days=settings.POLICY.retention.monitoring_days)
    old = (RetrainingCheck.objects.filter(checked_at__lt=limit), Alert.objects.filter(closed_at__lt=limit))
    return sum(rows.delete()[0] for rows in old)


def _prune_leftovers() -> int:
    """Deletes folders without a row, left behind by killed processes."""
    known = set(ModelVersion.objects.values_list("artifact", flat=True))
    known.update(DatasetSnapshot.objects.values_list("folder", flat=True))
    limit = time.time() - LEFTOVER_SECONDS
    folders = [folder for root in (settings.MODEL_DIR, settings.SNAPSHOT_DIR) for folder in Path(root).glob("*/")]
    removed = [folder for folder in folders if folder.name not in known and _changed(folder) < limit]
    for folder in removed:
        shutil.rmtree(folder, ignore_errors=True)
    return len(removed)


def _changed(folder: Path) -> float:
    with suppress(FileNotFoundError):
        return folder.stat().st_mtime
    return time.time()  # the folder was moved into place meanwhile
