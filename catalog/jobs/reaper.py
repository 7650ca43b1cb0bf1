"""The reaper. Only it decides whether a job's worker is lost. It also handles jobs without a worker."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from catalog.jobs.kinds import kind_of
from catalog.jobs.process import is_running, is_same_boot, namespace, uptime
from catalog.jobs.queue import JobNotClaimable, end, enqueue, queue_again
from catalog.models import Job
from catalog.models.outcomes import Outcome

logger = logging.getLogger(__name__)

Status = Job.Status
BEATS_AS_PROOF = 2.5


def proof_seconds() -> float:
    """Returns how many seconds the worker of a suspected job has to send a heartbeat.

    A heartbeat may be missing because the database was unavailable to both the worker and the reaper, which then resume
    at the same moment. A job without a heartbeat is therefore only suspected at first.
    """
    return BEATS_AS_PROOF * settings.POLICY.jobs.heartbeat_seconds


def requeue_stale(*kinds: str) -> dict[str, int]:
    """Ends jobs whose worker is lost, queues due retries, and resends messages for queued jobs."""
    jobs = Job.objects.filter(kind__in=kinds) if kinds else Job.objects.all()
    waiting = jobs.filter(status=Status.ERRORED).exclude(retry_at=None)
    n_ended = sum(_end_if_lost(job, now) for job, now in _with_time(jobs.filter(status=Status.RUNNING)))
    n_retried = sum(_retry(job) for job, now in _with_time(waiting) if _is_due(job, now))
    n_enqueued = sum(
        enqueue(job) for job, now in _with_time(jobs.filter(status=Status.QUEUED)) if _is_left_over(job, now)
    )
    return {"ended": n_ended, "retried": n_retried, "enqueued": n_enqueued}


def _with_time(jobs: QuerySet[Job]) -> Iterator[tuple[Job, datetime]]:
    """Yields jobs with the database's current time. Heartbeats use the same clock, which may have been changed."""
    for job in jobs.annotate(now=Now()):
        yield job, job.now


def verdict_on(job: Job, now: datetime) -> tuple[Outcome | None, bool]:
    """Returns why the running job's worker is lost, or None, and whether this is certain.

    1. A job that takes longer than its kind allows is lost.
    2. In this PID namespace, the process decides. A running one is never lost. An ended one is lost at once, unless
       several processes work on the job.
    3. Otherwise the heartbeat decides. A missing one is certain proof for jobs without a worker's PID, which were
       started by an earlier version.
    """
    limits = kind_of(job).limits()
    if _seconds_worked(job, now) > limits.max_seconds:
        return Outcome.OUT_OF_TIME, True
    if job.worker_namespace and job.worker_namespace == namespace():
        if is_running(job.worker_pid, job.worker_start):
            return None, False
        if not kind_of(job).is_shared:
            return Outcome.WORKER_LOST, True
    if job.heartbeat_at and abs(now - job.heartbeat_at) <= timedelta(seconds=limits.stale_after_seconds):
        return None, False
    return Outcome.HEARTBEAT_LOST, job.worker_pid is None


def _seconds_worked(job: Job, now: datetime) -> float:
    """Returns how long the worker has had the job.

    Uses the machine's uptime if known, because a clock that is set forward would end the job.
    """
    if job.claimed_uptime is not None and is_same_boot(job.worker_namespace) and not kind_of(job).is_shared:
        return (uptime() or 0.0) - job.claimed_uptime
    return (now - job.claimed_at).total_seconds() if job.claimed_at else 0.0


def _end_if_lost(job: Job, now: datetime) -> bool:
    outcome, is_certain = verdict_on(job, now)
    if outcome is None or not (is_certain or _is_suspect(job, now)):
        return False
    # A new heartbeat resets the suspicion.
    rows = Job.objects.filter(pk=job.pk, status=Status.RUNNING, attempt=job.attempt, suspected_at=job.suspected_at)
    if not end(rows, job, Status.ERRORED, outcome, _details(job)):
        return False
    logger.error("%s: %s", job, outcome.value)
    return True


def _is_suspect(job: Job, now: datetime) -> bool:
    """Returns whether the job has been suspected for long enough. Marks it as suspected if it is not yet."""
    if job.suspected_at:
        return abs(now - job.suspected_at) >= timedelta(seconds=proof_seconds())
    Job.objects.filter(pk=job.pk).update(suspected_at=now)
    return False


def _details(job: Job) -> dict[str, Any]:
    since = job.heartbeat_at or job.created_at
    return {"since": f"{since:%Y-%m-%d %H:%M:%S}", "seconds": kind_of(job).limits().max_seconds}


def _is_due(job: Job, now: datetime) -> bool:
    """Returns whether the pause before the retry is over, or too long because the clock was set back."""
    return job.retry_at is not None and not (
        timedelta(0) < job.retry_at - now <= timedelta(seconds=kind_of(job).limits().retry_after_seconds)
    )


def _retry(job: Job) -> bool:
    try:
        queue_again(job, f"Retried automatically, attempt {job.attempt + 1}.")
    except JobNotClaimable as error:
        logger.info("%s is not retried: %s", job, error)
        Job.objects.filter(pk=job.pk, status=Status.ERRORED).update(retry_at=None)
        return False
    return enqueue(job)


def _is_left_over(job: Job, now: datetime) -> bool:
    """Returns whether no worker has claimed the job and its last message has expired."""
    limit = timedelta(seconds=kind_of(job).limits().stale_after_seconds)
    return abs(now - (job.enqueued_at or job.created_at)) > limit
