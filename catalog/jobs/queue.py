"""State transitions of jobs: enqueue, claim, heartbeat, release, cancel, end and retry.

Times are those of the database, because the clocks of hosts may differ.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, Now
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from catalog.jobs.connection import reconnecting
from catalog.jobs.kinds import details_of, kind_of
from catalog.jobs.messages import send
from catalog.jobs.process import this_process, uptime
from catalog.models import Job
from catalog.models.outcomes import Outcome, sentence

Status = Job.Status
AnyJob = TypeVar("AnyJob", bound=Job)


class JobNotClaimable(Exception):
    """Another process has already claimed the job."""


class AnotherIsActive(JobNotClaimable):
    """Another job with the same exclusive name is active."""


def enqueue(job: Job) -> bool:
    """Sends workers a message about the queued job. It expires when the reaper would send the next one.

    If the broker does not accept it, the row stays queued and the reaper sends another message.
    """
    kind = kind_of(job)
    queued = _rows(job).filter(status=Status.QUEUED)
    queued.update(enqueued_at=None)
    expires = kind.limits().stale_after_seconds * 2
    arguments = kind.arguments(details_of(job))

    def note_sent() -> int:
        return queued.update(enqueued_at=Now())

    is_sent = send(kind.task, on_late=note_sent, kwargs=arguments, queue=kind.queue, expires=expires)
    if is_sent:
        note_sent()
    return is_sent


def claim(job: AnyJob) -> AnyJob | None:
    """Makes this process the job's worker. Only one of the processes that receive a message succeeds."""
    queued = _rows(job).filter(status=Status.QUEUED)
    times = {"started_at": Coalesce("started_at", Now()), "claimed_at": Now(), "claimed_uptime": uptime()}
    if not queued.update(status=Status.RUNNING, **times, **sign_of_life(), **_worker()):
        return None
    job.refresh_from_db()
    _bind_id(job)
    return job


def attempt_of(job: Job) -> QuerySet[Job]:
    """Returns a queryset with the job's row while the attempt in `job` is running. Afterwards it is empty."""
    return _rows(job).filter(status=Status.RUNNING, attempt=job.attempt)


def sign_of_life() -> dict[str, Any]:
    """Returns the columns of a heartbeat, which also reset the reaper's suspicion."""
    return {"heartbeat_at": Now(), "suspected_at": None}


def heartbeat(job: Job, **progress: Any) -> bool:
    """Writes a heartbeat with the progress from the worker itself. Returns False if the attempt is over."""
    return bool(reconnecting(lambda: attempt_of(job).update(**sign_of_life(), **progress)))


def join(job: Job, **progress: Any) -> bool:
    """Like `heartbeat`, for one of several workers of a shared job. Claims a released job."""
    _bind_id(job)
    return heartbeat(job, **_worker(), **progress) or reconnecting(lambda: claim(job)) is not None


def finish(job: Job, outcome: str = "", **details: Any) -> bool:
    return _end(job, Status.SUCCEEDED, outcome, details)


def fail(job: Job, outcome: str, *, status: str = Status.FAILED, retry: bool = True, **details: Any) -> bool:
    """Ends a job without success: as expected (`failed`), on request (`cancelled`) or unexpectedly (`errored`).

    An errored job is retried within the limits of its kind, unless `retry` is False.
    """
    return _end(job, status, outcome, details, retry=retry)


def release(job: Job) -> bool:
    """Returns the job to the queue, so that it continues later."""
    rows = attempt_of(job)
    released = bool(reconnecting(lambda: rows.update(status=Status.QUEUED, enqueued_at=None)))
    return released and enqueue(job)


def cancel(job: Job) -> bool:
    """Ends a queued job at once, and a running one when its worker notices. Returns False if it has already ended."""
    queued, running = (_rows(job).filter(status=status) for status in (Status.QUEUED, Status.RUNNING))
    changed = end(queued, job, Status.CANCELLED, Outcome.CANCELLED_BEFORE_START, {}) or running.update(
        cancel_requested_at=Now()
    )
    job.refresh_from_db()
    return bool(changed)


def queue_again(job: Job, line: str, *, after: Iterable[str] = (Status.ERRORED,)) -> None:
    """Queues another attempt at a job that ended as one of `after`, and logs `line`. Raises JobNotClaimable."""
    ended = _rows(job).filter(status__in=after, attempt=job.attempt)
    log = _log_with(line)
    times = dict.fromkeys(("ended_at", "retry_at", "cancel_requested_at", "suspected_at", "enqueued_at"))
    try:
        with transaction.atomic():
            queued = ended.update(
                status=Status.QUEUED, attempt=F("attempt") + 1, log=log, outcome="", details={}, **times
            )
    except IntegrityError:
        raise AnotherIsActive(f"Another job named {job.exclusive!r} is active.") from None
    if not queued:
        raise JobNotClaimable(f"{job} was queued by another process a moment ago.")
    job.refresh_from_db()


def end(
    rows: QuerySet[Job], job: Job, status: str, outcome: str, details: dict[str, Any], *, retry: bool = True
) -> bool:
    """Ends the job if `rows` still contains it, and calls its kind's `on_end`, in one transaction."""
    log = _log_with(sentence(outcome, details) or status)
    retry_at = _retry_time(job) if retry and status == Status.ERRORED else None

    @transaction.atomic
    def close() -> bool:
        ended = rows.update(status=status, outcome=outcome, details=details, ended_at=Now(), retry_at=retry_at, log=log)
        if ended and status != Status.SUCCEEDED:
            row = details_of(job)
            row.refresh_from_db()
            kind_of(job).on_end(row)
        return bool(ended)

    return reconnecting(close)


def _end(job: Job, status: str, outcome: str, details: dict[str, Any], *, retry: bool = True) -> bool:
    ended = end(attempt_of(job), job, status, outcome, details, retry=retry)
    with suppress(ObjectDoesNotExist):  # removed meanwhile
        job.refresh_from_db()
    return ended


def _retry_time(job: Job) -> Combinable | None:
    kind = kind_of(job)
    limits = kind.limits()
    is_retried = job.trigger != Job.Trigger.COMMAND or kind.retries_commands
    is_last = not is_retried or job.attempt > limits.retries
    return None if is_last else Now() + timedelta(seconds=limits.retry_after_seconds)


def _log_with(line: str) -> Concat:
    return Concat("log", Value(f"\n{timezone.now():%H:%M:%S} {line}"))


def _rows(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.job_id)


def _bind_id(job: Job) -> None:
    """Adds the job to all further log lines of the task or command."""
    bind_contextvars(run=job.kind, run_id=job.pk)


def _worker() -> dict[str, Any]:
    return {f"worker_{name}": value for name, value in this_process()._asdict().items()}
