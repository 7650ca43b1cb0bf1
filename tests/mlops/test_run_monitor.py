"""Conditions that stop a running training."""

import contextlib
import time
from datetime import timedelta
from threading import current_thread, main_thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from structlog.contextvars import get_contextvars

from catalog.jobs.queue import claim
from mlops.errors import RunCancelled, RunLost
from mlops.models import PipelineRun, RunStep
from mlops.services import cancel_run, start_training
from mlops.training.forecast import Forecast
from mlops.training.job import RunFailed
from mlops.training.monitor import RunMonitor
from movierec.policy import load_policy
from tests.mlops.site import write_policy
from tests.processes import wait_for


@pytest.fixture
def run(transactional_db, quick) -> PipelineRun:
    return claim(start_training(trigger="command"))


def work_for(seconds: float) -> None:
    """Pure computing that asks nobody, as a fit does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_a_cancellation_ends_a_long_fit_at_once(run):
    cancel_run(run_id=run.pk)

    started = time.monotonic()
    with RunMonitor(run) as monitor, pytest.raises(RunCancelled), monitor.interruptible():
        work_for(60)

    assert time.monotonic() - started < 20


def test_no_step_begins_after_a_cancellation(run):
    monitor = RunMonitor(run)  # its thread, which looks now and then, is not even started
    with monitor.step("fit"):
        cancel_run(run_id=run.pk)

    with pytest.raises(RunCancelled), monitor.step("evaluate"):
        pass

    assert list(RunStep.objects.values_list("name", flat=True)) == ["fit"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_set_meanwhile_changes_no_duration(run, monkeypatch, hours):
    with RunMonitor(run).step("fit") as step:
        moment = timezone.now() + timedelta(hours=hours)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    assert 0 <= RunStep.objects.get(pk=step.pk).seconds < 60


def test_a_run_that_was_given_up_hears_of_it(run):
    PipelineRun.objects.update(status="errored")

    with RunMonitor(run) as monitor, pytest.raises(RunLost), monitor.interruptible():
        work_for(60)


def test_a_listener_that_fails_costs_no_heartbeat(run):
    def fail_later(step: str, text: str, forecast: Forecast) -> None:
        if current_thread() is not main_thread():
            raise BrokenPipeError

    with RunMonitor(run, fail_later) as monitor, monitor.step("fit"):
        for _ in range(3):
            last = PipelineRun.objects.get(pk=run.pk).heartbeat_at
            wait_for(
                PipelineRun.objects.filter(pk=run.pk, heartbeat_at__gt=last).exists, seconds=60, what="a heartbeat"
            )


@pytest.mark.wording
def test_a_run_that_takes_too_long_ends_with_a_sentence(run, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "short.yaml", training={"max_runtime_seconds": 1}))

    too_long = pytest.raises(RunFailed, match="max_runtime_seconds")
    with RunMonitor(run) as monitor, too_long, monitor.interruptible():
        work_for(60)


def test_a_swallowed_interrupt_still_ends_the_run(run):
    cancel_run(run_id=run.pk)

    swallowed = contextlib.suppress(Exception)
    with RunMonitor(run) as monitor, pytest.raises(RunCancelled), monitor.interruptible(), swallowed:
        work_for(60)


def test_work_is_as_fast_after_an_interruptible_part_as_before(run):
    def seconds() -> float:
        started = time.process_time()
        sum(range(2_000_000))
        for _ in range(300_000):
            pass
        return time.process_time() - started

    with RunMonitor(run) as monitor:
        before = min(seconds() for _ in range(3))
        with monitor.interruptible():
            pass
        assert min(seconds() for _ in range(3)) < 3 * before


def test_heartbeats_and_lines_reach_the_row(run):
    first = run.heartbeat_at
    with RunMonitor(run) as monitor:
        monitor.note("from a library")

        written = PipelineRun.objects.filter(pk=run.pk, heartbeat_at__gt=first, log__contains="from a library")
        wait_for(written.exists, seconds=60, what="heartbeat and line")


def test_the_thread_knows_which_run_its_lines_are_about(run):
    seen: list[dict[str, object]] = []
    with RunMonitor(run, lambda *told: seen.append(get_contextvars())) as monitor, monitor.step("fit"):
        wait_for(lambda: len(seen) > 1, seconds=60, what="look of the thread")

    assert (seen[-1]["run"], seen[-1]["run_id"]) == ("training", run.pk)


def test_each_activity_is_shown_however_short(run):
    with RunMonitor(run) as monitor, monitor.step("register") as step:
        for activity in ("smoke_test", "mlflow"):
            monitor.progress(step, activity)
        step.refresh_from_db()
        assert step.progress == "MLflow"


@pytest.mark.wording
def test_a_step_without_news_is_told_again_with_every_look(run):
    said: list[tuple[str, str, Forecast]] = []
    with RunMonitor(run, lambda *told: said.append(told)) as monitor, monitor.step("fit") as step:
        monitor.progress(step, "choosing_parameters")
        n = len(said)
        wait_for(lambda: len(said) > n, seconds=60, what="look of the thread")

    step_name, text, found = said[-1]
    assert (step_name, text) == ("fit", "tuning parameters")
    assert 0 < found.run_share < 1
    assert found.run_remaining_seconds > 0


def test_what_comes_often_is_not_all_written(run):
    with RunMonitor(run) as monitor, monitor.step("evaluate") as step, CaptureQueriesContext(connection) as queries:
        for done in range(200):
            monitor.progress(step, "evaluating", comes_often=True, done=done, total=200, model="popular")
    assert len([query for query in queries if '"activity"' in query["sql"]]) < 20
