"""Kinds of jobs. Each app registers its own with limits, the Celery task, and a callback for the end of a job."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from catalog.models import Job


class Limits(NamedTuple):
    """Limits of a kind of jobs. Read at each use, because tests and operators change the policy."""

    stale_after_seconds: float  # without a heartbeat for this long, the worker is lost
    max_seconds: float  # after this long, the job is lost even if its process is alive
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
    # called if the job did not succeed, in the transaction that ends it
    on_end: Callable[[Any], None] = lambda job: None
    retries_commands: bool = False  # otherwise a failed job of a command is not retried
    is_shared: bool = False  # several processes may work on one job, which does not end with any one of them


_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    _kinds[kind.name] = kind


def kind_of(job: "Job") -> JobKind:
    return _kinds[job.kind]


def details_of(job: "Job") -> Any:
    """Returns the row of the job's kind, which is `job` itself if it has that class."""
    model = kind_of(job).model
    return job if isinstance(job, model) else model._base_manager.get(job_ptr=job.job_id)
