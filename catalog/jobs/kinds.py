"""Kinds of jobs. Each app registers its own with limits, the Celery task, and a callback for the end of a job."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from catalog.models import Job


class Limits(NamedTuple):
    """Limits of a kind of jobs. Read on each use, because tests and operators change the policy."""

    stale_after_seconds: float  # the worker is lost if it sends no heartbeat for this long
    max_seconds: float  # the job is lost after this time even if its process is alive
    retries: int = 0
    retry_after_seconds: float = 0


@dataclass(frozen=True)
class JobKind:
    name: str
    model: Any  # a subclass of Job
    task: str
    queue: str
    limits: Callable[[], Limits]
    arguments: Callable[[Any], dict[str, Any]]  # returns the task's arguments for a row of `model`
    # called in the transaction that ends the job, if it did not succeed
    on_end: Callable[[Any], None] = lambda job: None
    retries_commands: bool = False  # whether to retry a failed job that was started by a command
    is_shared: bool = False  # whether several processes may work on one job; it does not end with any of them


_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    _kinds[kind.name] = kind


def kind_of(job: "Job") -> JobKind:
    return _kinds[job.kind]


def details_of(job: "Job") -> Any:
    """Returns the row of the job's kind, which is `job` itself if it has that class."""
    model = kind_of(job).model
    return job if isinstance(job, model) else model._base_manager.get(job_ptr=job.job_id)
