"""The worker program: its imports, the scheduler in its main process, and children that free memory."""

import os
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest

from catalog.jobs import forks
from catalog.jobs.forks import ForkGate
from mlops.models import Watermark
from mlops.services import ensure_schedules
from movierec import beat
from movierec.celery import app
from movierec.policy import load_policy
from tests.mlops.site import write_policy
from tests.processes import BIN, ROOT, environment, running, wait_for

WORKER = ("celery", "--quiet", "--app", "movierec", "worker", "--concurrency", "1", "--hostname", "test@%h")


class Failing:
    """A scheduler service that fails at its first start."""

    n_started = 0

    def __init__(self, *arguments: object, **options: object) -> None:
        self.is_stopped = threading.Event()

    def start(self) -> None:
        Failing.n_started += 1
        if Failing.n_started == 1:
            raise RuntimeError("no scheduler")
        self.is_stopped.wait(10)

    def stop(self) -> None:
        self.is_stopped.set()


def test_a_scheduler_that_fails_is_started_again(monkeypatch):
    monkeypatch.setattr(beat, "Service", Failing)
    monkeypatch.setattr(beat, "RESTART_SECONDS", 0.01)
    monkeypatch.setattr(Failing, "n_started", 0)
    thread = beat.BeatThread(app)
    thread.start()
    wait_for(lambda: Failing.n_started == 2, seconds=10, what="it is started again")

    thread.stop()

    thread.join(10)
    assert not thread.is_alive()


def test_a_fork_waits_for_a_threads_work():
    gate, is_inside, ended = ForkGate(), threading.Event(), []

    def work() -> None:
        with gate:
            is_inside.set()
            time.sleep(0.3)
            ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    is_inside.wait(10)
    if (child := os.fork()) == 0:
        with gate:  # free in the child
            os._exit(0)
    forked = time.monotonic()

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()
    assert ended[0] <= forked
    with gate:
        pass


def test_a_fork_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(forks, "FORK_PATIENCE", 0.05)
    gate = ForkGate()
    with gate:
        if (child := os.fork()) == 0:
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    with gate:  # and has not released what it did not get
        pass


@pytest.mark.django_db(transaction=True)
def test_the_scheduler_is_in_the_main_process(tmp_path: Path, settings):
    config = write_policy(tmp_path / "config.yaml", schedules={"beat-heartbeat": {"every_seconds": 2}})
    settings.POLICY = load_policy(config)
    ensure_schedules()
    log, changes = tmp_path / "worker.log", {"CONFIG_FILE": str(config)}
    with running(*WORKER, "--queues", "default", "--beat", log=log, **changes) as process:
        beats = Watermark.objects.filter(name="beat")
        wait_for(beats.exists, seconds=120, what=f"a scheduled task has run: {log.read_text()}")

        assert len(psutil.Process(process.pid).children()) == 1  # of the pool


def test_a_worker_on_demand_comes_and_goes(tmp_path: Path):
    messages, log = tmp_path / "broker" / "messages", tmp_path / "worker.log"
    places = {"DATABASE_URL": "", "REDIS_URL": "", "VAR_DIR": str(tmp_path), "MESSAGES_DIR": str(messages)}
    worker = (*WORKER, "--queues", "training", "--loglevel", "INFO")
    messages.mkdir(parents=True)
    with running("deploy/on-demand", "training", *worker, log=log, **places, WORKER_IDLE_SECONDS="1") as process:
        assert "celery" not in psutil.Process(process.pid).name()
        call = [str(BIN / "celery"), "--app", "movierec", "call", "celery.accumulate", "--queue", "training"]
        subprocess.run(call, cwd=ROOT, env=environment(**places), check=True, capture_output=True)
        wait_for(lambda: process.poll() is not None, seconds=120, what=f"the worker has ended: {log.read_text()}")

    assert process.poll() == 0
    assert "celery.accumulate" in log.read_text() and not list(messages.glob("*.training.msg"))
