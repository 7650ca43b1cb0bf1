"""The one place that decides that a job's worker is lost, and sees to jobs that nobody works on."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from catalog.jobs.heartbeat import BEAT_SECONDS
from catalog.jobs.kinds import kind_of
from catalog.jobs.process import is_running, namespace
from catalog.jobs.queue import JobNotClaimable, end, enqueue, queue_again
from catalog.models import Job
from catalog.models.outcomes import Outcome

logger = logging.getLogger(__name__)

Status = Job.Status
# A heartbeat may be missing because the database was away, for the worker and the reaper alike: both come back at the
# same moment. So a job without one is only suspected at first, and its worker has this long to prove that it lives.
PROOF_SECONDS = 2.5 * BEAT_SECONDS


def requeue_stale(*kinds: str) -> dict[str, int]:
    """Ends jobs whose worker is lost, queues those that are retried, sends messages for those left in the queue."""
    jobs = Job.objects.filter(kind__in=kinds) if kinds else Job.objects.all()
    now = timezone.now()
    n_ended = sum(_end_if_lost(job, now) for job in jobs.filter(status=Status.RUNNING))
    n_retried = sum(_retry(job) for job in jobs.filter(status=Status.ERRORED, retry_at__lte=timezone.now()))
    n_enqueued = sum(enqueue(job) for job in jobs.filter(status=Status.QUEUED) if _is_left_over(job, now))
    return {"ended": n_ended, "retried": n_retried, "enqueued": n_enqueued}


def verdict_on(job: Job, now: datetime) -> tuple[Outcome | None, bool]:
    """Why the running job's worker is lost, or None; and whether that is certain at once.

    1. A job that takes longer than its kind allows is lost.
    2. In this PID namespace the process decides: a running one is never lost, an ended one is at once (unless
       several processes work on the job).
    3. Everywhere else the heartbeat decides. It is certain for a job that names no worker: a former version ran it.
    """
    limits = kind_of(job).limits()
    if job.claimed_at and now - job.claimed_at > timedelta(seconds=limits.max_seconds):
        return Outcome.OUT_OF_TIME, True
    if job.worker_namespace and job.worker_namespace == namespace():
        if is_running(job.worker_pid, job.worker_start):
            return None, False
        if not kind_of(job).is_shared:
            return Outcome.WORKER_LOST, True
    if job.heartbeat_at and now - job.heartbeat_at <= timedelta(seconds=limits.stale_after_seconds):
        return None, False
    return Outcome.HEARTBEAT_LOST, job.worker_pid is None


def _end_if_lost(job: Job, now: datetime) -> bool:
    outcome, is_certain = verdict_on(job, now)
    if outcome is None or not (is_certain or _is_suspect(job, now)):
        return False
    rows = Job.objects.filter(pk=job.pk, status=Status.RUNNING, attempt=job.attempt, heartbeat_at=job.heartbeat_at)
    if not end(rows, job, Status.ERRORED, outcome, _details(job)):
        return False
    logger.error("%s: %s", job, outcome.value)
    return True


def _is_suspect(job: Job, now: datetime) -> bool:
    """Suspected already, and for long enough; otherwise the suspicion is noted."""
    heard = job.heartbeat_at or job.created_at
    if job.suspected_at and job.suspected_at > heard:
        return now - job.suspected_at >= timedelta(seconds=PROOF_SECONDS)
    Job.objects.filter(pk=job.pk, heartbeat_at=job.heartbeat_at).update(suspected_at=now)
    return False


def _details(job: Job) -> dict[str, Any]:
    since = job.heartbeat_at or job.created_at
    return {"since": f"{since:%Y-%m-%d %H:%M:%S}", "seconds": kind_of(job).limits().max_seconds}


def _retry(job: Job) -> bool:
    try:
        queue_again(job, f"Retried automatically, attempt {job.attempt + 1}.")
    except JobNotClaimable as error:
        logger.info("%s is not retried: %s", job, error)
        Job.objects.filter(pk=job.pk, status=Status.ERRORED).update(retry_at=None)
        return False
    return enqueue(job)


def _is_left_over(job: Job, now: datetime) -> bool:
    """Nobody has taken it, and its last message is used up."""
    limit = timedelta(seconds=kind_of(job).limits().stale_after_seconds)
    return now - (job.enqueued_at or job.created_at) > limit
