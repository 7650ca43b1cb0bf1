"""Estimates a training's progress and remaining time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlops.models import PipelineRun, RunStep
from mlops.training.forecast import STEPS, Durations

pytestmark = pytest.mark.django_db


def earlier_run(**seconds: float) -> None:
    run = PipelineRun.objects.create(status="succeeded", trigger="command", algorithm="ease")
    now = timezone.now()
    for name, took in seconds.items():
        times = {"started_at": now - timedelta(seconds=took), "ended_at": now}
        RunStep.objects.create(run=run, name=name, status="succeeded", **times)


def test_what_a_step_tells_decides():
    found = Durations("ease").forecast("fit", elapsed=30, share=0.25)

    assert (found.share, found.remaining_seconds) == (0.25, 90)
    after = sum(STEPS[name] for name in ("evaluate", "register", "gate", "promote"))
    assert found.run_remaining_seconds == 90 + after


def test_the_median_of_earlier_runs_stands_in():
    for took in (10, 20, 300):
        earlier_run(**dict.fromkeys(STEPS, took))

    found = Durations("ease").forecast("export", elapsed=5, share=None)

    assert found.share == pytest.approx(0.25)
    assert found.remaining_seconds == pytest.approx(15, abs=0.1)
    assert found.run_share == pytest.approx(0.25 / len(STEPS))
    assert Durations("hybrid").forecast("export", elapsed=5, share=None).share == 0.25


def test_a_step_that_takes_longer_than_before_is_almost_done():
    earlier_run(fit=10)

    found = Durations("ease").forecast("fit", elapsed=1000, share=None)

    assert found.share == 0.95
    assert found.remaining_seconds > 0


def test_a_slow_machine_is_slow_in_the_steps_to_come():
    durations = Durations("ease")
    before = durations.forecast("snapshot", elapsed=0, share=None).run_remaining_seconds

    durations.end("export", 10 * STEPS["export"])

    after = durations.forecast("snapshot", elapsed=0, share=None).run_remaining_seconds
    assert after == pytest.approx(before * (200 + 20) / (20 + 20))


def test_a_step_in_overtime_moves_the_end_away():
    durations = Durations("ease")

    found = [durations.forecast("export", elapsed, share=None).run_remaining_seconds for elapsed in (30, 60, 120, 240)]

    assert found == sorted(found)
    assert found[-1] > 5 * found[0]


def test_shares_rise_over_the_steps():
    durations = Durations("ease")

    shares = [durations.forecast(name, elapsed=0, share=None).run_share for name in STEPS]

    assert shares == sorted(shares)
    assert durations.forecast("promote", elapsed=1, share=1.0).run_share == pytest.approx(1)
