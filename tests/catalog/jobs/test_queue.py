"""The life of a job. Each change is a compare-and-set, and only the running attempt may write."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from catalog.jobs import messages
from catalog.jobs.process import this_process
from catalog.jobs.queue import (
    JobNotClaimable,
    cancel,
    claim,
    enqueue,
    fail,
    finish,
    heartbeat,
    queue_again,
    release,
)
from catalog.models import Job
from catalog.models.outcomes import Outcome, sentence
from tests.processes import wait_for

Status = Job.Status


def test_a_claim_names_the_process(make_job):
    job = claim(make_job())

    assert (job.status, job.worker_pid, job.worker_start) == (Status.RUNNING, this_process().pid, this_process().start)
    assert job.started_at == job.claimed_at == job.heartbeat_at
    assert claim(make_job(status="running")) is None


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_gets_the_job(make_job):
    job = make_job()

    def take(_: int) -> bool:
        try:
            return claim(Job.objects.get(pk=job.pk)) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [False, False, False, True]


def test_at_most_one_active_job_has_a_name(make_job):
    make_job(exclusive="training", status="succeeded")
    make_job(exclusive="training")
    make_job(), make_job()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_job(exclusive="training", status="running")


def test_an_end_is_a_code_with_details(make_job, kind):
    job = claim(make_job())

    assert fail(job, Outcome.BUG, status=Status.ERRORED, error="ValueError: no")
    assert (job.status, job.outcome, job.message) == ("errored", "bug", "ValueError: no")
    assert (job.retry_at is not None, kind.ended) == (True, ["errored"])
    assert not finish(job, "")


def test_a_command_or_a_last_attempt_is_not_retried(make_job):
    for fields in ({"trigger": "command"}, {"attempt": 2}):
        job = claim(make_job(**fields))
        fail(job, Outcome.BUG, status=Status.ERRORED, error="x")
        assert job.retry_at is None


def test_an_earlier_attempt_writes_nothing(make_job, kind):
    late = claim(make_job())
    Job.objects.filter(pk=late.pk).update(attempt=2)

    assert not heartbeat(late, step="fit")
    assert not finish(late, "")
    assert Job.objects.get().step == ""
    assert kind.ended == []


def test_a_released_job_waits_for_the_next_worker(make_job):
    job = claim(make_job())

    assert release(job)
    again = claim(Job.objects.get())
    assert (again.attempt, again.started_at) == (1, job.started_at)


@pytest.mark.wording
def test_cancelling_ends_a_queued_job_and_asks_a_running_one(make_job):
    queued, running = make_job(), claim(make_job())

    assert cancel(queued)
    assert cancel(running)
    assert (queued.status, queued.message) == ("cancelled", "Cancelled before it started.")
    assert (running.status, running.cancel_requested_at is not None) == ("running", True)
    assert not cancel(queued)


def test_another_attempt_keeps_the_log_and_forgets_the_end(make_job):
    job = make_job(status="errored", outcome="bug", details={"error": "x"}, log="first")

    queue_again(job, "once more")

    assert (job.status, job.attempt, job.outcome, job.message) == ("queued", 2, "", "")
    assert job.log.startswith("first\n")
    assert job.log.endswith("once more")
    with pytest.raises(JobNotClaimable):
        queue_again(job, "twice")


def test_a_broker_that_is_down_leaves_the_job_queued(make_job, monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr("catalog.jobs.messages.current_app.send_task", refuse)
    job = make_job()

    assert not enqueue(job)
    assert Job.objects.get().status == Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_hangs_is_not_waited_for(make_job, monkeypatch):
    """What it takes late is noted then, on a connection that is closed afterwards."""
    answers, calls = Event(), []
    monkeypatch.setattr("catalog.jobs.messages.WAIT_SECONDS", 0.01)
    monkeypatch.setattr("catalog.jobs.messages.current_app.send_task", lambda *_, **__: calls.append(answers.wait(60)))
    jobs = [make_job() for _ in range(2)]

    assert [enqueue(job) for job in jobs] == [False, False]
    assert all(job.is_unsent and job.progress_text for job in Job.objects.all())
    answers.set()
    wait_for(lambda: not messages._hung.is_alive(), seconds=60, what="the first message is taken")
    assert calls == [True]  # the second was not even tried
    assert [Job.objects.get(pk=job.pk).is_unsent for job in jobs] == [False, True]


def test_a_broker_that_fails_late_leaves_the_job_unsent(make_job, monkeypatch):
    answers = Event()

    def refuse(*args, **kwargs):
        answers.wait(60)
        raise ConnectionError

    monkeypatch.setattr("catalog.jobs.messages.WAIT_SECONDS", 0.01)
    monkeypatch.setattr("catalog.jobs.messages.current_app.send_task", refuse)

    assert not enqueue(make_job(enqueued_at=timezone.now()))
    answers.set()
    wait_for(lambda: not messages._hung.is_alive(), seconds=60, what="the message is refused")
    assert Job.objects.get().is_unsent


def test_a_job_and_what_its_end_entails_end_together(make_job, kind):
    """A worker that is killed in between leaves a running job, which is ended again."""
    job = claim(make_job())
    kind.ended = None  # so that `on_end` fails

    with pytest.raises(AttributeError):
        fail(job, Outcome.BUG, status=Status.ERRORED, error="-")

    job.refresh_from_db()
    assert (job.status, job.outcome, job.ended_at) == ("running", "", None)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_sentence(outcome):
    assert sentence(outcome, {"since": "now", "seconds": 6000, "error": "a"})


def test_an_outcome_of_another_version_is_told_as_far_as_it_goes():
    assert "?" in sentence(Outcome.OUT_OF_TIME, {})
    assert "long" in sentence(Outcome.OUT_OF_TIME, {"seconds": "long"})
    assert sentence("of_a_later_version", {}) == "of_a_later_version"
    assert sentence("", {}) == ""
