"""The life of a training run outside of its own process: queueing, cancelling, and finding the dead.

The row is the truth, the broker only a bell: a run is claimed by a compare-and-set on its row, so a second delivery of
its message does nothing, and a message that got lost is sent again by `sweep_runs`.
"""

import logging
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import User
from mlops.errors import RunNotActive, RunNotFound, SnapshotNotAvailable, TrainingAlreadyActive, UnknownAlgorithm
from mlops.models import DatasetSnapshot, ModelVersion, PipelineRun, RunStep
from mlops.parameters import to_json

logger = logging.getLogger(__name__)

Status = PipelineRun.Status
TRAIN_TASK = "mlops.train_model"


def start_training(
    *,
    trigger: str,
    started_by: User | None = None,
    algorithm: str | None = None,
    snapshot: str | None = None,
) -> PipelineRun:
    """Queue a training and ring for a worker; with trigger `command` the caller runs it itself.

    `snapshot` is the beginning of a content hash; without it the data is exported anew. Raises
    TrainingAlreadyActive, UnknownAlgorithm, SnapshotNotAvailable.
    """
    sweep_runs()
    policy = settings.POLICY.training
    name = _known_algorithm(algorithm or policy.algorithm)
    run = PipelineRun(
        trigger=PipelineRun.Trigger(trigger),
        started_by=started_by,
        algorithm=name,
        parameters=to_json(policy.parameters.get(name, {})),
        snapshot=_snapshot(snapshot) if snapshot else None,
    )
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError:
        active = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE).first()
        raise TrainingAlreadyActive(
            f"Training run {active.pk} is {active.get_status_display()}; only one runs at a time."
            if active
            else "Another training was started at the same moment."
        ) from None
    if run.trigger != PipelineRun.Trigger.COMMAND:
        transaction.on_commit(lambda: _ring(run.pk))
    return run


def cancel_run(*, run_id: int) -> PipelineRun:
    """A queued run ends at once, a running one at its next heartbeat. Raises RunNotFound, RunNotActive."""
    now = timezone.now()
    rows = PipelineRun.objects.filter(pk=run_id)
    n_changed = rows.filter(status=Status.QUEUED).update(
        status=Status.CANCELLED, cancel_requested_at=now, ended_at=now, message="Cancelled before it started."
    ) or rows.filter(status=Status.RUNNING).update(cancel_requested_at=now)
    run = rows.first()
    if run is None:
        raise RunNotFound(f"There is no run {run_id}.")
    if not n_changed:
        raise RunNotActive(f"Run {run_id} has ended already: {run.get_status_display()}.")
    return run


def sweep_runs() -> dict[str, int]:
    """Ends runs whose process died, and rings again for queued ones that nobody took."""
    limit = timezone.now() - timedelta(seconds=settings.POLICY.training.stale_after_seconds)
    dead = PipelineRun.objects.filter(status=Status.RUNNING, heartbeat_at__lt=limit)
    n_ended = sum(_end_dead_run(run, limit) for run in dead)
    waiting = PipelineRun.objects.filter(status=Status.QUEUED, queued_at__lt=limit).exclude(heartbeat_at__gte=limit)
    n_rung = sum(_ring(pk) for pk in waiting.values_list("pk", flat=True))
    return {"ended": n_ended, "requeued": n_rung}


def _end_dead_run(run: PipelineRun, limit: Any) -> bool:
    now = timezone.now()
    with transaction.atomic():
        ended = PipelineRun.objects.filter(pk=run.pk, status=Status.RUNNING, heartbeat_at__lt=limit).update(
            status=Status.ERRORED,
            ended_at=now,
            message=f"The worker died: nothing was heard of it since {run.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC. "
            "Start the training again.",
        )
        if not ended:
            return False
        RunStep.objects.filter(run=run, status=RunStep.Status.RUNNING).update(
            status=RunStep.Status.FAILED, ended_at=now
        )
    logger.error("training run %s: the worker died in mid-run", run.pk)
    remove_leftovers(run.pk)
    return True


def remove_leftovers(run_id: int) -> None:
    """What a run that did not end well left on disk: half a snapshot, an artefact that no version names."""
    name = artifact_name(run_id)
    leftovers = [settings.SNAPSHOT_DIR / partial_snapshot_name(run_id), *settings.MODEL_DIR.glob(f".{name}.*")]
    if not ModelVersion.objects.filter(artifact=name).exists():
        leftovers.append(settings.MODEL_DIR / name)
    for folder in leftovers:
        shutil.rmtree(Path(folder), ignore_errors=True)


def artifact_name(run_id: int) -> str:
    return f"run-{run_id}"


def partial_snapshot_name(run_id: int) -> str:
    return f".run-{run_id}.part"


def _ring(run_id: int) -> bool:
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


def _known_algorithm(name: str) -> str:
    from recommender.estimators import ESTIMATORS

    if name not in ESTIMATORS:
        raise UnknownAlgorithm(f"There is no algorithm {name!r}; known are {', '.join(sorted(ESTIMATORS))}.")
    return name


def _snapshot(prefix: str) -> DatasetSnapshot:
    found = list(DatasetSnapshot.objects.filter(content_hash__startswith=prefix)[:2])
    if len(found) != 1:
        how_many = "several snapshots begin" if found else "no snapshot begins"
        raise SnapshotNotAvailable(f"{how_many} with {prefix!r}.".capitalize())
    if found[0].removed_at:
        raise SnapshotNotAvailable(f"The files of snapshot {found[0]} were removed by retention.")
    return found[0]
