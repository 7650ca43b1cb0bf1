"""A training worker that is killed in mid-training: real worker, real Beat, real broker."""

import os
import signal
import time
from pathlib import Path

import pytest

from mlops.models import ModelVersion, PipelineRun, RunStep
from mlops.services import ensure_schedules, start_training
from movierec.policy import load_policy
from recommender.models import ServedModel
from tests.mlops.site import write_policy
from tests.processes import running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CELERY = ("celery", "--app", "movierec")
TRAINING = (*CELERY, "worker", "--queues", "training", "--concurrency", "1", "--hostname", "training@%h")
DEFAULT = (*CELERY, "worker", "--queues", "default", "--concurrency", "1", "--hostname", "default@%h")
BEAT = (*CELERY, "beat", "--pidfile=")


def status_of(run: PipelineRun) -> str:
    return PipelineRun.objects.values_list("status", flat=True).get(pk=run.pk)


def test_a_killed_training_is_marked_within_a_minute_and_can_be_repeated(rated_site, settings, tmp_path: Path):
    schedules = {"requeue-stale-jobs": {"every_seconds": 5}}
    settings.POLICY = load_policy(write_policy(rated_site, training={"stale_after_seconds": 15}, schedules=schedules))
    ensure_schedules()
    with running(*DEFAULT, log=tmp_path / "default.log"), running(*BEAT, log=tmp_path / "beat.log"):
        with running(*TRAINING, log=tmp_path / "training.log") as worker:
            run = start_training(trigger="api")
            evaluating = RunStep.objects.filter(run=run, name="evaluate", status="running")
            wait_for(evaluating.exists, seconds=180, what="the training is in its midst")
            os.killpg(worker.pid, signal.SIGKILL)
            killed = time.monotonic()
            assert status_of(run) == "running"
            wait_for(lambda: status_of(run) == "errored", seconds=60, what="the run is marked as errored")
        assert time.monotonic() - killed < 60
        run.refresh_from_db()
        assert run.message.startswith("The worker died")
        assert run.steps.get(name="evaluate").status == "failed"
        assert not ModelVersion.objects.exists()
        assert not ServedModel.objects.exists()

        with running(*TRAINING, log=tmp_path / "training2.log"):
            again = start_training(trigger="api")
            wait_for(lambda: status_of(again) not in ("queued", "running"), seconds=240, what="the repetition ends")
    again.refresh_from_db()
    assert again.status == "succeeded", again.message
    assert status_of(run) == "errored"
    assert ServedModel.objects.get(slot="champion").version == ModelVersion.objects.get().pk


def test_a_queued_training_waits_for_its_worker_and_a_running_one_is_cancelled(rated_site, settings, tmp_path: Path):
    # No Beat here that would ring again: the message has to live until the worker has started.
    settings.POLICY = load_policy(write_policy(rated_site, training={"stale_after_seconds": 120}))
    run = start_training(trigger="api")
    with running(*TRAINING, log=tmp_path / "training.log"):
        fitting = RunStep.objects.filter(run=run, name="fit")
        wait_for(fitting.exists, seconds=180, what="the training is in its midst")
        PipelineRun.objects.filter(pk=run.pk).update(cancel_requested_at="2026-01-01T00:00Z")
        wait_for(lambda: status_of(run) == "cancelled", seconds=60, what="the run is cancelled")
    assert not ModelVersion.objects.exists()
