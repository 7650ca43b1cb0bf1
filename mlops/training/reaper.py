"""Finds runs that nobody works on: ends the dead, takes up again what the policy retries, rings for the waiting."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mlops.errors import MLOpsError
from mlops.models import PipelineRun, RunStep
from mlops.training.queue import queue_again, remove_leftovers, retry_time, ring

logger = logging.getLogger(__name__)

Status = PipelineRun.Status


def sweep_runs() -> dict[str, int]:
    """Ends runs whose process died, resumes errored ones whose time has come, rings for queued ones nobody took."""
    limit = timezone.now() - timedelta(seconds=settings.POLICY.training.stale_after_seconds)
    dead = PipelineRun.objects.filter(status=Status.RUNNING, heartbeat_at__lt=limit)
    n_ended = sum(_end_dead_run(run, limit) for run in dead)
    due = PipelineRun.objects.filter(status=Status.ERRORED, retry_at__lte=timezone.now())
    n_retried = sum(_retry(run) for run in due)
    waiting = PipelineRun.objects.filter(status=Status.QUEUED, queued_at__lt=limit).exclude(heartbeat_at__gte=limit)
    n_rung = sum(ring(pk) for pk in waiting.values_list("pk", flat=True))
    return {"ended": n_ended, "retried": n_retried, "requeued": n_rung}


def _end_dead_run(run: PipelineRun, limit: datetime) -> bool:
    now = timezone.now()
    with transaction.atomic():
        ended = PipelineRun.objects.filter(pk=run.pk, status=Status.RUNNING, heartbeat_at__lt=limit).update(
            status=Status.ERRORED,
            ended_at=now,
            retry_at=retry_time(run),
            message=f"The worker died: nothing was heard of it since {run.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC.",
        )
        if not ended:
            return False
        RunStep.objects.filter(run=run, status=RunStep.Status.RUNNING).update(
            status=RunStep.Status.FAILED, ended_at=now
        )
    logger.error("training run %s: the worker died in mid-run", run.pk)
    run.refresh_from_db()
    remove_leftovers(run)
    return True


def _retry(run: PipelineRun) -> bool:
    try:
        queue_again(run, f"Taken up again by itself, attempt {run.attempt + 1}.")
    except MLOpsError as error:
        logger.info("training run %s is not taken up again: %s", run.pk, error)
        PipelineRun.objects.filter(pk=run.pk, status=Status.ERRORED).update(retry_at=None)
        return False
    return ring(run.pk)
