"""Detects lost workers of running jobs, and recovers the jobs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.jobs.heartbeat import beat
from catalog.jobs.kinds import Limits
from catalog.jobs.queue import claim, heartbeat
from catalog.jobs.reaper import proof_seconds, requeue_stale
from catalog.models import Job
from catalog.tasks import requeue_stale as requeue_stale_task

HOUR = 3600


def later(**fields) -> None:
    """The suspicion was noted long enough ago."""
    Job.objects.update(suspected_at=timezone.now() - timedelta(seconds=proof_seconds() + 1), **fields)


def test_a_living_process_is_never_lost(make_job, living_process):
    make_job(by=living_process, silent=HOUR / 2)

    assert requeue_stale() == {"ended": 0, "retried": 0, "enqueued": 0}
    assert Job.objects.get().suspected_at is None


@pytest.mark.wording
def test_an_ended_process_is_lost_at_once(make_job, kind, ended_process):
    kind.limits = Limits(30, HOUR)
    job = make_job(by=ended_process)

    assert requeue_stale_task() == {"ended": 1, "retried": 0, "enqueued": 0}
    job.refresh_from_db()
    assert (job.status, job.outcome, kind.ended) == ("errored", "worker_lost", ["errored"])
    assert job.message.startswith("The worker stopped before the job finished")


@pytest.mark.wording
def test_the_pid_of_another_namespace_says_nothing(make_job, kind, elsewhere):
    kind.limits = Limits(30, HOUR)
    make_job(by=elsewhere, silent=10)

    requeue_stale()
    assert Job.objects.get().suspected_at is None
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=HOUR))
    assert requeue_stale()["ended"] == 0
    later()
    assert requeue_stale()["ended"] == 1
    assert Job.objects.get().outcome == "heartbeat_lost"
    assert "has stopped or cannot reach the database" in Job.objects.get().message


def test_a_worker_may_prove_itself_after_an_outage(make_job, elsewhere):
    """All heartbeats are missing at once; the reaper comes first, the worker a moment later."""
    job = make_job(by=elsewhere, silent=HOUR)

    assert requeue_stale()["ended"] == 0
    later()
    assert heartbeat(job)
    assert requeue_stale()["ended"] == 0
    job.refresh_from_db()
    assert (job.status, job.suspected_at) == ("running", None)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_worker_outlives_a_clock_that_was_set(make_job, elsewhere, hours):
    """Its last heartbeat then seems an hour old, or yet to come."""
    job = make_job(by=elsewhere, silent=hours * HOUR)

    assert requeue_stale()["ended"] == 0
    later()
    heartbeat(job)
    assert requeue_stale()["ended"] == 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_dead_worker_is_noticed_though_the_clock_was_set(make_job, elsewhere, hours):
    make_job(by=elsewhere, silent=hours * HOUR)

    assert requeue_stale()["ended"] == 0
    later()
    assert requeue_stale()["ended"] == 1


def test_a_clock_set_ahead_takes_no_time_from_a_job(make_job, kind, living_process):
    kind.limits = Limits(30, HOUR, retries=0)
    job = claim(make_job())
    Job.objects.update(claimed_at=timezone.now() - timedelta(seconds=2 * HOUR))

    assert requeue_stale()["ended"] == 0
    Job.objects.update(claimed_uptime=job.claimed_uptime - HOUR - 1)
    assert requeue_stale()["ended"] == 1
    assert Job.objects.get().outcome == "out_of_time"


def test_the_hosts_own_clock_does_not_matter(make_job, monkeypatch):
    """Another host's may be an hour behind: heartbeats have the database's time."""
    behind = timezone.now() - timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: behind)
    job = claim(make_job(created_at=timezone.now() + timedelta(hours=1)))
    first = job.heartbeat_at

    assert first - timezone.now() > timedelta(minutes=59)
    assert heartbeat(job)
    job.refresh_from_db()
    assert job.heartbeat_at >= first


@pytest.mark.parametrize(("seconds", "n_retried"), [(-1, 1), (200, 0), (HOUR, 1)])
def test_a_clock_set_back_delays_no_retry(make_job, kind, seconds, n_retried):
    kind.limits = Limits(30, HOUR, retries=1, retry_after_seconds=300)
    make_job(status="errored", retry_at=timezone.now() + timedelta(seconds=seconds))

    assert requeue_stale()["retried"] == n_retried


def test_the_end_of_one_worker_of_a_shared_job_says_nothing(make_job, ended_process):
    make_job(by=ended_process, kind="shared")

    assert requeue_stale()["ended"] == 0


@pytest.mark.wording
def test_a_job_that_takes_too_long_is_lost(make_job, kind, living_process):
    job = make_job(by=living_process)
    kind.limits = Limits(30, HOUR, retries=0)
    Job.objects.update(claimed_at=timezone.now() - timedelta(seconds=HOUR + 1))

    assert requeue_stale()["ended"] == 1
    job.refresh_from_db()
    assert job.message == "The job exceeded its time limit of 3,600 seconds."


def test_a_lost_job_is_retried_until_its_attempts_are_used_up(make_job, ended_process):
    make_job(by=ended_process)

    assert requeue_stale() == {"ended": 1, "retried": 1, "enqueued": 0}
    job = Job.objects.get()
    assert (job.status, job.attempt) == ("queued", 2)
    Job.objects.update(status="running")
    assert requeue_stale() == {"ended": 1, "retried": 0, "enqueued": 0}
    assert Job.objects.get().status == "errored"


def test_a_retry_that_has_lost_its_place_is_given_up(make_job):
    make_job(exclusive="training", status="errored", retry_at=timezone.now())
    make_job(exclusive="training", enqueued_at=timezone.now())

    assert requeue_stale()["retried"] == 0
    assert not Job.objects.exclude(retry_at=None).exists()


@pytest.mark.parametrize(("seconds", "n_enqueued"), [(10, 0), (40, 1), (-HOUR, 1)])
def test_a_queued_job_without_a_fresh_message_gets_one(make_job, seconds, n_enqueued):
    moment = timezone.now() - timedelta(seconds=seconds)
    make_job(created_at=moment)

    assert requeue_stale()["enqueued"] == n_enqueued
    assert requeue_stale()["enqueued"] == 0


def test_kinds_can_be_looked_at_alone(make_job, ended_process):
    make_job(by=ended_process)

    assert requeue_stale("shared")["ended"] == 0
    assert requeue_stale("plain")["ended"] == 1


def test_heartbeats_are_for_living_processes_of_this_namespace(make_job, living_process, ended_process, elsewhere):
    jobs = [make_job(by=process, silent=60) for process in (living_process, ended_process, elsewhere)]

    assert beat() == 1
    fresh = [Job.objects.get(pk=job.pk).heartbeat_at > job.heartbeat_at for job in jobs]
    assert fresh == [True, False, False]
