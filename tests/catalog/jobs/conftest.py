"""A kind of job for tests, whose task does nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from catalog.jobs import kinds
from catalog.jobs.kinds import JobKind, Limits, register
from catalog.jobs.process import namespace, start_of, this_process
from catalog.models import Job

STALE = 30


@pytest.fixture
def kind(monkeypatch) -> SimpleNamespace:
    """What tests may change about the kind, and the jobs that `on_end` was called with."""
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    state = SimpleNamespace(limits=Limits(STALE, 3600, retries=1), ended=[])
    base = JobKind(
        name="plain",
        model=Job,
        task="catalog.refresh_popularity",
        queue="default",
        limits=lambda: state.limits,
        arguments=lambda job: {},
        on_end=lambda job: state.ended.append(job.status),
    )
    register(base)
    register(JobKind(**vars(base) | {"name": "shared", "is_shared": True}))
    return state


@pytest.fixture
def make_job(db, kind) -> Callable[..., Job]:
    """A job; with `by`, running as that process; `silent`: seconds since its last heartbeat."""

    def make(*, by: tuple | None = None, silent: float = 0, **fields) -> Job:
        now = timezone.now()
        defaults = {"kind": "plain", "trigger": "scheduled"}
        if by:
            host, where, pid, start = by
            defaults |= {"worker_host": host, "worker_namespace": where, "worker_pid": pid, "worker_start": start}
            defaults |= {"status": "running", "heartbeat_at": now - timedelta(seconds=silent)}
            defaults |= {"started_at": now, "claimed_at": now}
        return Job.objects.create(**defaults | fields)

    return make


@pytest.fixture
def ended_process() -> tuple:
    """One of this namespace that has been killed."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = start_of(child.pid)
    child.kill()
    child.wait()
    return ("here", namespace(), child.pid, start)


@pytest.fixture
def elsewhere() -> tuple:
    """A process of another PID namespace, with the PID of a living one of this."""
    return ("there", "another boot:1", os.getpid(), this_process().start)


@pytest.fixture
def living_process() -> tuple:
    return tuple(this_process())
