"""What people and schedules do with training runs: start, cancel, resume."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import User
from mlops.data.lookup import find_snapshot
from mlops.errors import RunNotActive, RunNotFound, TrainingAlreadyActive
from mlops.evaluation.parameters import known_algorithm, to_json
from mlops.models import PipelineRun
from mlops.training.queue import queue_again, remove_superseded, ring
from mlops.training.reaper import sweep_runs
from mlops.tuning.choices import parameters_in_force

Status = PipelineRun.Status


def start_training(
    *,
    trigger: str,
    started_by: User | None = None,
    algorithm: str | None = None,
    snapshot: str | None = None,
) -> PipelineRun:
    """Queue a training and ring for a worker; with trigger `command` the caller runs it itself.

    `snapshot` is the beginning of a content hash or a snapshot's folder; without it the data is exported anew.
    Raises TrainingAlreadyActive, UnknownAlgorithm, SnapshotNotAvailable.
    """
    sweep_runs()
    policy = settings.POLICY.training
    name = known_algorithm(algorithm or policy.algorithm)
    run = PipelineRun(
        trigger=PipelineRun.Trigger(trigger),
        started_by=started_by,
        algorithm=name,
        parameters=to_json(parameters_in_force(name)),
        snapshot=find_snapshot(snapshot) if snapshot else None,
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
    remove_superseded(run)
    if run.trigger != PipelineRun.Trigger.COMMAND:
        transaction.on_commit(lambda: ring(run.pk))
    return run


def resume_run(*, run_id: int, by: User | None = None, here: bool = False) -> PipelineRun:
    """Queue an errored run for another attempt, from the step that failed; `here`: the caller runs it itself.

    Raises RunNotFound, RunNotResumable, TrainingAlreadyActive.
    """
    sweep_runs()
    run = _get(run_id)
    queue_again(run, f"Resumed by {by or 'a command'}, attempt {run.attempt + 1}.")
    if not here:
        transaction.on_commit(lambda: ring(run.pk))
    return run


def cancel_run(*, run_id: int) -> PipelineRun:
    """A queued run ends at once, a running one at its next heartbeat. Raises RunNotFound, RunNotActive."""
    now = timezone.now()
    rows = PipelineRun.objects.filter(pk=run_id)
    n_changed = rows.filter(status=Status.QUEUED).update(
        status=Status.CANCELLED, cancel_requested_at=now, ended_at=now, message="Cancelled before it started."
    ) or rows.filter(status=Status.RUNNING).update(cancel_requested_at=now)
    run = _get(run_id)
    if not n_changed:
        raise RunNotActive(f"Run {run_id} has ended already: {run.get_status_display()}.")
    return run


def _get(run_id: int) -> PipelineRun:
    run = PipelineRun.objects.filter(pk=run_id).first()
    if run is None:
        raise RunNotFound(f"There is no run {run_id}.")
    return run
