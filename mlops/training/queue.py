"""Queued runs and what runs leave on disk: shared by those who start, resume, work on and sweep them.

The row is the truth, the broker only a bell: a run is claimed by a compare-and-set on its row, so a second delivery of
its message does nothing, and a message that got lost is sent again by `sweep_runs`.
"""

import logging
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone

from mlops.errors import RunNotResumable, TrainingAlreadyActive
from mlops.models import ModelVersion, PipelineRun

logger = logging.getLogger(__name__)

Status = PipelineRun.Status
TRAIN_TASK = "mlops.train_model"


def ring(run_id: int) -> bool:
    """Ask the training worker to take the run. The message expires when the sweeper would send the next one."""
    PipelineRun.objects.filter(pk=run_id, status=Status.QUEUED).update(heartbeat_at=timezone.now())
    try:
        current_app.send_task(
            TRAIN_TASK, args=[run_id], queue="training", expires=settings.POLICY.training.stale_after_seconds * 2
        )
    except Exception:
        # Whatever the broker's transport raises: the row stays queued and the sweeper tries again.
        logger.warning("the broker did not take training run %s; it is tried again", run_id, exc_info=True)
        return False
    return True


def require_resumable(run: PipelineRun) -> None:
    """Raises RunNotResumable. Only the newest run goes on: what an older one has made is of older data and gone."""
    if run.status != Status.ERRORED:
        raise RunNotResumable(f"Run {run.pk} is {run.get_status_display()}; only an errored one can be resumed.")
    newer = PipelineRun.objects.filter(pk__gt=run.pk).first()
    if newer is not None:
        raise RunNotResumable(f"Run {newer.pk} was started after run {run.pk} and has taken its place.")


def is_resumable(run: PipelineRun) -> bool:
    try:
        require_resumable(run)
    except RunNotResumable:
        return False
    return True


def queue_again(run: PipelineRun, line: str) -> None:
    """For another attempt, which goes on from the step that failed. Raises RunNotResumable, TrainingAlreadyActive."""
    require_resumable(run)
    stamped = f"\n{timezone.now():%H:%M:%S} {line}"
    try:
        with transaction.atomic():
            queued = PipelineRun.objects.filter(pk=run.pk, status=Status.ERRORED).update(
                status=Status.QUEUED,
                attempt=F("attempt") + 1,
                heartbeat_at=timezone.now(),
                ended_at=None,
                retry_at=None,
                cancel_requested_at=None,
                message="",
                log=Concat("log", Value(stamped)),
            )
    except IntegrityError:
        raise TrainingAlreadyActive("Another training is active; only one runs at a time.") from None
    if not queued:
        raise RunNotResumable(f"Run {run.pk} was resumed by somebody else a moment ago.")
    run.refresh_from_db()


def retry_time(run: PipelineRun) -> datetime | None:
    """When an errored run is taken up again by itself; one from a command is left to whoever gave that."""
    policy = settings.POLICY.training
    if run.attempt > policy.retries or run.trigger == PipelineRun.Trigger.COMMAND:
        return None
    return timezone.now() + timedelta(seconds=policy.retry_after_seconds)


def remove_leftovers(run: PipelineRun) -> None:
    """What a run that did not end well left on disk: half a snapshot, an artefact that no version names.

    An errored run keeps its whole artefact: the next attempt goes on from it.
    """
    name = artifact_name(run.pk)
    leftovers = [settings.SNAPSHOT_DIR / partial_snapshot_name(run.pk), *settings.MODEL_DIR.glob(f".{name}.*")]
    if run.status != Status.ERRORED and not ModelVersion.objects.filter(artifact=name).exists():
        leftovers.append(settings.MODEL_DIR / name)
    for folder in leftovers:
        shutil.rmtree(Path(folder), ignore_errors=True)


def remove_superseded(run: PipelineRun) -> None:
    """The artefacts of errored runs whose place this one has taken."""
    named = set(ModelVersion.objects.filter(run__lt=run.pk).values_list("artifact", flat=True))
    for pk in PipelineRun.objects.filter(pk__lt=run.pk, status=Status.ERRORED).values_list("pk", flat=True):
        if artifact_name(pk) not in named:
            shutil.rmtree(settings.MODEL_DIR / artifact_name(pk), ignore_errors=True)
    PipelineRun.objects.filter(pk__lt=run.pk).exclude(retry_at=None).update(retry_at=None)


def artifact_name(run_id: int) -> str:
    return f"run-{run_id}"


def partial_snapshot_name(run_id: int) -> str:
    return f".run-{run_id}.part"
