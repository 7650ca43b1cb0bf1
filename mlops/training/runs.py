"""Starts, cancels and resumes training runs."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.dispatch import receiver
from django.utils.translation import gettext as _

from catalog.jobs import queue
from catalog.jobs.reaper import requeue_stale
from catalog.models import User
from catalog.signals import sample_loaded
from mlops.data.lookup import find_snapshot
from mlops.errors import RunNotActive, RunNotFound, RunNotResumable, TrainingAlreadyActive
from mlops.evaluation.parameters import known_algorithm, to_json
from mlops.models import ModelVersion, PipelineRun
from mlops.training.job import remove_superseded
from mlops.tuning.choices import parameters_in_force

Status = PipelineRun.Status


def start_training(
    *,
    trigger: str,
    requested_by: User | None = None,
    algorithm: str | None = None,
    snapshot: str | None = None,
) -> PipelineRun:
    """Create a training run and send it to the worker. With trigger `command`, the caller executes it.

    `snapshot` is a snapshot's folder or the beginning of its content hash. By default, the current data is exported.
    Raises TrainingAlreadyActive, UnknownAlgorithm, SnapshotNotAvailable.
    """
    requeue_stale(PipelineRun.KIND)
    policy = settings.POLICY.training
    name = known_algorithm(algorithm or policy.algorithm)
    run = PipelineRun(
        trigger=PipelineRun.Trigger(trigger),
        requested_by=requested_by,
        algorithm=name,
        parameters=to_json(parameters_in_force(name)),
        snapshot=find_snapshot(snapshot) if snapshot else None,
    )
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError:
        active = PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE).first()
        raise TrainingAlreadyActive(_why_not_started(active)) from None
    remove_superseded(run)
    if run.trigger != PipelineRun.Trigger.COMMAND:
        transaction.on_commit(lambda: queue.enqueue(run))
    return run


def _why_not_started(active: PipelineRun | None) -> str:
    if active is None:
        return _("Another training was started at the same time.")
    text = _("Training run {run} is {status}. Only one training can run at a time.")
    return text.format(run=active.pk, status=active.get_status_display())


@receiver(sample_loaded)
def train_first_model(user_id: int | None, **event: Any) -> None:
    """Start a training after the sample data was loaded. Do nothing if models are trained on another host."""
    if settings.POLICY.schedules.train_model == "off" or ModelVersion.champion() is not None:
        return
    with suppress(TrainingAlreadyActive):
        requested_by = User.objects.filter(pk=user_id).first() if user_id else None
        start_training(trigger=PipelineRun.Trigger.PAGE, requested_by=requested_by)


def resume_run(*, run_id: int, by: User | None = None, here: bool = False) -> PipelineRun:
    """Queue an errored run for another attempt, which starts at the failed step.

    With `here`, the caller executes the run and no message is sent. Raises RunNotFound, RunNotResumable,
    TrainingAlreadyActive.
    """
    requeue_stale(PipelineRun.KIND)
    run = get_run(run_id)
    require_resumable(run)
    try:
        queue.queue_again(run, f"Resumed by {by or 'a command'}, attempt {run.attempt + 1}.")
    except queue.AnotherIsActive:
        raise TrainingAlreadyActive(_("Another training is active. Only one training can run at a time.")) from None
    except queue.JobNotClaimable:
        text = _("Another process has just resumed run {run}.")
        raise RunNotResumable(text.format(run=run.pk)) from None
    if not here:
        transaction.on_commit(lambda: queue.enqueue(run))
    return run


def cancel_run(*, run_id: int) -> PipelineRun:
    """Cancel a run. A running one stops when its worker notices. Raises RunNotFound, RunNotActive."""
    run = get_run(run_id)
    if not queue.cancel(run):
        text = _("Run {run} has already ended ({status}).")
        raise RunNotActive(text.format(run=run_id, status=run.get_status_display()))
    return run


def require_resumable(run: PipelineRun) -> None:
    """Raise RunNotResumable unless the run has errored and is the newest.

    The newer run has deleted the artefacts of older runs.
    """
    if run.status != Status.ERRORED:
        text = _("Run {run} is {status}. Only runs that failed with an error can be resumed.")
        raise RunNotResumable(text.format(run=run.pk, status=run.get_status_display()))
    newer = PipelineRun.objects.filter(pk__gt=run.pk).first()
    if newer is not None:
        text = _("Run {newer} was started after run {run} and has replaced it.")
        raise RunNotResumable(text.format(newer=newer.pk, run=run.pk))


def is_resumable(run: PipelineRun) -> bool:
    try:
        require_resumable(run)
    except RunNotResumable:
        return False
    return True


def get_run(run_id: int) -> PipelineRun:
    run = PipelineRun.objects.filter(pk=run_id).first()
    if run is None:
        raise RunNotFound(_("Run {run} does not exist.").format(run=run_id))
    return run
