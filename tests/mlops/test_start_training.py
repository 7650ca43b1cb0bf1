import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from catalog.jobs.reaper import requeue_stale
from mlops.errors import RunNotActive, RunNotFound, SnapshotNotAvailable, TrainingAlreadyActive, UnknownAlgorithm
from mlops.models import PipelineRun, RunStep
from mlops.services import cancel_run, start_training
from mlops.tasks import train_model, train_model_scheduled
from tests.mlops.site import KILLED_WORKER, make_snapshot
from tests.processes import ROOT, environment

Status = PipelineRun.Status


def active_run(status: str = Status.RUNNING, seconds_ago: float = 0, **worker) -> PipelineRun:
    moment = timezone.now() - timedelta(seconds=seconds_ago)
    return PipelineRun.objects.create(
        status=status,
        trigger="admin",
        algorithm="ease",
        exclusive="training",
        created_at=moment,
        started_at=moment,
        heartbeat_at=moment,
        **worker,
    )


def test_a_training_is_a_queued_row_with_its_origin(sam, quick):
    run = start_training(trigger="admin", requested_by=sam)

    assert (run.status, run.trigger, run.requested_by, run.algorithm) == ("queued", "admin", sam, "ease")
    assert run.parameters == {"regularization": 20}


@pytest.mark.wording
@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_two_trainings_never_are_active(db, quick, status):
    first = active_run(status)

    with pytest.raises(TrainingAlreadyActive, match=f"run {first.pk} is {status}") as caught:
        start_training(trigger="api")

    assert (caught.value.status, PipelineRun.objects.count()) == (409, 1)


def test_of_many_who_start_at_once_one_gets_a_run(transactional_db, quick):
    def start(_: int) -> bool:
        try:
            start_training(trigger="command")
        except TrainingAlreadyActive:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(start, range(4))) == [False, False, False, True]
    assert PipelineRun.objects.count() == 1


@pytest.mark.wording
def test_what_is_unknown_is_refused_before_anything_is_queued(db, quick):
    with pytest.raises(UnknownAlgorithm, match=r"Unknown algorithm 'magic'\. Expected one of: .*ease"):
        start_training(trigger="api", algorithm="magic")
    with pytest.raises(SnapshotNotAvailable, match="No snapshot starts with 'abc'"):
        start_training(trigger="api", snapshot="abc")
    make_snapshot(content_hash="f" * 64, removed_at=timezone.now())
    with pytest.raises(SnapshotNotAvailable, match="f" * 12):
        start_training(trigger="api", snapshot="ff")
    assert not PipelineRun.objects.exists()


def test_a_broker_that_is_down_loses_no_training(transactional_db, quick):
    """Another process, whose Redis does not answer, queues; the reaper of this one sends the message again."""
    program = (
        "import django; django.setup()\n"
        "from mlops.services import start_training\n"
        "print(start_training(trigger='admin').status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(REDIS_URL="redis://127.0.0.1:1/0", CACHE_URL="redis://127.0.0.1:1/1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.stdout.strip() == "queued", done.stderr
    assert "the broker" in done.stderr  # refused it, or did not answer in time
    run = PipelineRun.objects.get()
    long_ago = timezone.now() - timedelta(minutes=5)
    PipelineRun.objects.update(created_at=long_ago, enqueued_at=long_ago)
    assert requeue_stale() == {"ended": 0, "retried": 0, "enqueued": 1}
    assert requeue_stale() == {"ended": 0, "retried": 0, "enqueued": 0}
    run.refresh_from_db()
    assert run.status == Status.QUEUED


@pytest.mark.wording
def test_a_run_of_a_killed_worker_ends_and_another_can_start(db, quick, settings):
    run = active_run(**KILLED_WORKER)
    step = RunStep.objects.create(run=run, name="fit")
    half = settings.MODEL_DIR / f"run-{run.pk}"
    half.mkdir(parents=True)

    assert start_training(trigger="api").status == Status.QUEUED

    run.refresh_from_db()
    step.refresh_from_db()
    assert (run.status, step.status) == (Status.ERRORED, "failed")
    assert run.message.startswith("The worker stopped before the job finished")
    assert run.ended_at is not None
    assert not half.exists()


def test_a_run_with_a_recent_heartbeat_is_left_alone(db, quick):
    run = active_run(seconds_ago=3)

    assert requeue_stale() == {"ended": 0, "retried": 0, "enqueued": 0}
    run.refresh_from_db()
    assert run.status == Status.RUNNING


def test_cancelling_a_queued_run_ends_it(db, quick):
    run = cancel_run(run_id=active_run(Status.QUEUED).pk)

    assert (run.status, run.ended_at is not None) == (Status.CANCELLED, True)


def test_cancelling_a_running_run_asks_it_to_stop(db, quick):
    run = cancel_run(run_id=active_run().pk)

    assert (run.status, run.cancel_requested_at is not None) == (Status.RUNNING, True)


@pytest.mark.wording
def test_what_has_ended_cannot_be_cancelled(db, quick):
    run = active_run(Status.SUCCEEDED)

    with pytest.raises(RunNotActive, match="has already ended"):
        cancel_run(run_id=run.pk)
    with pytest.raises(RunNotFound):
        cancel_run(run_id=run.pk + 1)


def test_the_scheduled_task_skips_while_a_training_is_active(db, quick):
    assert train_model_scheduled()["status"] == "queued"
    assert PipelineRun.objects.get().trigger == "scheduled"
    assert train_model_scheduled() == {"status": "skipped"}


def test_the_task_of_a_run_that_is_gone_says_so(db, quick):
    assert train_model(run_id=99) == {"run": 99, "status": "gone"}
    assert django_settings.CELERY_TASK_TIME_LIMIT > train_model.time_limit > train_model.soft_time_limit
