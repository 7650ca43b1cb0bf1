"""The worker, database or connections fail during a training, with a worker, Beat and a broker."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog.jobs.process import is_running
from catalog.models import Job
from mlops.models import ModelVersion, PipelineRun, RunStep
from mlops.services import ensure_schedules, start_training
from movierec.policy import load_policy
from recommender.models import ServedModel
from tests.mlops.site import write_policy
from tests.processes import running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CELERY = ("celery", "--app", "movierec")
TRAINING = (*CELERY, "worker", "--queues", "training", "--concurrency", "1", "--hostname", "training@%h")
DEFAULT = (*CELERY, "worker", "--queues", "default", "--concurrency", "1", "--hostname", "default@%h", "--beat")
ELSEWHERE = ("unshare", "--pid", "--fork", "--mount-proc")  # as in a container of its own
BEAT, STALE = 2, 6
PROOF = 2.5 * BEAT  # how long a suspected worker has to prove that it lives

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(rated_site, settings, tmp_path: Path) -> Iterator[Start]:
    """Starts a process of the site; the reaper is at work already."""
    changes: dict[str, dict[str, Any]] = {
        "jobs": {"heartbeat_seconds": BEAT},
        "training": {"stale_after_seconds": STALE, "retries": 0},
        "schedules": {"requeue-stale-jobs": {"every_seconds": 1}},
    }
    settings.POLICY = load_policy(write_policy(rated_site, **changes))
    ensure_schedules()
    with ExitStack() as processes:

        def start(*command: str, **variables: str) -> subprocess.Popen[bytes]:
            log = tmp_path / f"{len(list(tmp_path.glob('*.log')))}.log"
            return processes.enter_context(running(*command, log=log, **variables))

        start(*DEFAULT)
        yield start


def status_of(run: PipelineRun) -> str:
    return PipelineRun.objects.values_list("status", flat=True).get(pk=run.pk)


def in_its_midst(run: PipelineRun) -> PipelineRun:
    evaluating = RunStep.objects.filter(run=run, name="evaluate", status="running")
    wait_for(evaluating.exists, seconds=180, what="the training is in its midst")
    run.refresh_from_db()
    return run


def at_its_end(run: PipelineRun, seconds: float = 240) -> PipelineRun:
    wait_for(lambda: status_of(run) not in PipelineRun.ACTIVE, seconds=seconds, what="the run ends")
    run.refresh_from_db()
    return run


def test_a_killed_worker_is_noticed_at_once_and_its_run_repeated(start):
    worker = start(*TRAINING)
    run = in_its_midst(start_training(trigger="api"))

    os.killpg(worker.pid, signal.SIGKILL)
    at_its_end(run, seconds=60)

    assert (run.status, run.outcome) == ("errored", "worker_lost")
    assert run.steps.get(name="evaluate").status == "failed"
    assert not ModelVersion.objects.exists()
    assert not ServedModel.objects.exists()
    start(*TRAINING)
    again = at_its_end(start_training(trigger="api"))
    assert again.status == "succeeded", again.message
    assert status_of(run) == "errored"
    assert ServedModel.objects.get(slot="champion").version == ModelVersion.objects.get().pk


def test_the_main_process_vouches_for_a_child_until_it_is_killed(start):
    """A stopped child stands for one that gets no processor: it cannot send heartbeats itself."""
    worker = start(*TRAINING, WORKER_NICE="5")
    run = in_its_midst(start_training(trigger="api"))
    nice = [os.getpriority(os.PRIO_PROCESS, pid) for pid in (worker.pid, run.worker_pid)]
    assert nice[1] == nice[0] + 5

    os.kill(run.worker_pid, signal.SIGSTOP)
    beats = PipelineRun.objects.filter(pk=run.pk, heartbeat_at__gt=timezone.now() + timedelta(seconds=STALE))
    wait_for(beats.exists, seconds=60, what="heartbeats without the child")
    os.kill(run.worker_pid, signal.SIGKILL)

    assert at_its_end(run, seconds=60).outcome == "worker_lost"


def test_a_killed_main_process_takes_its_child_along(start):
    worker = start(*TRAINING)
    run = in_its_midst(start_training(trigger="api"))
    assert worker.pid != run.worker_pid

    os.kill(worker.pid, signal.SIGKILL)

    assert at_its_end(run, seconds=60).outcome == "worker_lost"
    assert not is_running(run.worker_pid, run.worker_start)


def can_unshare() -> bool:
    return subprocess.run([*ELSEWHERE, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="takes the right to make a PID namespace")
def test_a_killed_worker_elsewhere_is_known_by_its_heartbeat(start):
    worker = start(*ELSEWHERE, *TRAINING)
    run = in_its_midst(start_training(trigger="api"))

    os.killpg(worker.pid, signal.SIGKILL)

    assert at_its_end(run, seconds=90).outcome == "heartbeat_lost"


@contextmanager
def paused_jobs() -> Iterator[None]:
    """Nobody reads or writes the table of jobs: no heartbeat, no progress, no reaper."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {Job._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        else:
            Job.objects.filter(pk=0).update(step="")  # locks the file for all who write
        yield


@pytest.mark.skipif(not can_unshare(), reason="takes the right to make a PID namespace")
def test_a_paused_database_ends_no_run(start):
    start(*ELSEWHERE, *TRAINING)
    run = in_its_midst(start_training(trigger="api"))

    with paused_jobs():
        time.sleep(STALE + PROOF + 2)

    assert at_its_end(run).status == "succeeded", run.message


@pytest.mark.services
def test_connections_that_are_cut_end_no_run(start):
    start(*TRAINING)
    run = start_training(trigger="api")
    for step in ("checks", "fit", "evaluate", "register"):
        reached = RunStep.objects.filter(run=run, name=step)
        wait_for(reached.exists, seconds=180, what=f"{step} is reached", pause=0.02)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    assert at_its_end(run).status == "succeeded", f"{run.message}\n{run.log}"
    assert run.attempt == 1


def test_a_queued_training_waits_and_a_running_one_is_cancelled(rated_site, settings, tmp_path: Path):
    # No Beat here that would send another message: this one has to live until the worker has started.
    settings.POLICY = load_policy(write_policy(rated_site, training={"stale_after_seconds": 120}))
    run = start_training(trigger="api")
    with running(*TRAINING, log=tmp_path / "training.log"):
        fitting = RunStep.objects.filter(run=run, name="fit")
        wait_for(fitting.exists, seconds=180, what="the training is in its midst")
        Job.objects.filter(pk=run.job_id).update(cancel_requested_at="2026-01-01T00:00Z")
        wait_for(lambda: status_of(run) == "cancelled", seconds=60, what="the run is cancelled")
    assert not ModelVersion.objects.exists()
