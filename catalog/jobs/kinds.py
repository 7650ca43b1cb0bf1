"""Kinds of jobs: each app registers its own with its limits, the task that works on it and what its end entails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from catalog.models import Job


class Limits(NamedTuple):
    """Read at each use, since tests and operators change the policy."""

    stale_after_seconds: float  # without a heartbeat for so long the worker is lost
    max_seconds: float  # even a living process has lost the job after so long
    retries: int = 0
    retry_after_seconds: float = 0


@dataclass(frozen=True)
class JobKind:
    name: str
    model: Any  # a model that inherits from Job
    task: str
    queue: str
    limits: Callable[[], Limits]
    arguments: Callable[[Any], dict[str, Any]]  # of the task, for a row of `model`
    on_end: Callable[[Any], None] = lambda job: None  # without success, in the transaction that ends the job
    retries_commands: bool = False  # else a job of a command is left to the command line
    is_shared: bool = False  # several processes may work on one job: the end of one says nothing


_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    _kinds[kind.name] = kind


def kind_of(job: "Job") -> JobKind:
    return _kinds[job.kind]


def details_of(job: "Job") -> Any:
    """The row of the job's kind; `job` itself when it is one."""
    model = kind_of(job).model
    return job if isinstance(job, model) else model._base_manager.get(job_ptr=job.job_id)
