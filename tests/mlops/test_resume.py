"""Errored runs resume at the failed step, once automatically or on request."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from catalog.jobs.queue import claim
from catalog.jobs.reaper import requeue_stale
from catalog.models import User
from mlops.errors import RunNotFound, RunNotResumable, TrainingAlreadyActive
from mlops.models import ModelVersion, PipelineRun, Promotion
from mlops.services import cancel_run, resume_run, run_training, start_training
from mlops.training.steps import TrainingRun
from recommender.estimators import Dataset, artifact_checksum
from recommender.estimators.popularity import PopularityRecommender
from recommender.export import movie_frame, rating_frame
from tests.mlops.site import KILLED_WORKER

Status = PipelineRun.Status
STEPS = ["export", "snapshot", "checks", "fit", "evaluate", "register", "gate", "promote"]


def errored_run(**fields) -> PipelineRun:
    defaults = {"status": Status.ERRORED, "trigger": "scheduled", "algorithm": "ease", "exclusive": "training"}
    return PipelineRun.objects.create(**defaults | fields)


class Crash(RuntimeError):
    pass


def crash_at(name: str):
    def crash(step: str, text: str, *_: object) -> None:
        if step == name:
            raise Crash(name)

    return crash


def test_a_resumed_run_continues_from_the_failed_step(rated_site, settings):
    """It errors at one step after another, and each attempt does no more than what is left."""
    run = start_training(trigger="command")
    for step in ("fit", "register", "promote"):
        run = run_training(run_id=run.pk, on_progress=crash_at(step))
        assert (run.status, run.message) == (Status.ERRORED, f"Crash: {step}")
        run = resume_run(run_id=run.pk, here=True)

    run = run_training(run_id=run.pk)

    assert (run.status, run.attempt) == (Status.SUCCEEDED, 4), run.message + run.log
    done = [(step.name, step.attempt) for step in run.steps.filter(status="succeeded")]
    assert done == list(zip(STEPS, [1, 1, 1, 2, 2, 3, 3, 4], strict=True))
    failed = [(step.name, step.attempt) for step in run.steps.filter(status="failed")]
    assert failed == [("fit", 1), ("register", 2), ("promote", 3)]
    version = ModelVersion.objects.get()
    assert (version.status, version.run, version.snapshot) == ("champion", run, run.snapshot)
    assert Promotion.objects.count() == 1
    fit = run.steps.get(name="fit", attempt=2)
    assert f"fit: {fit.get_status_display()}" in fit.log
    assert "gate: succeeded" not in run.steps.get(name="fit", attempt=2).log


def test_an_artefact_that_is_not_there_any_more_is_made_again(rated_site, settings):
    run = start_training(trigger="command")
    run_training(run_id=run.pk, on_progress=crash_at("evaluate"))
    folder = settings.MODEL_DIR / f"run-{run.pk}"
    (folder / "manifest.json").unlink()
    resume_run(run_id=run.pk, here=True)

    run = run_training(run_id=run.pk, on_progress=crash_at("evaluate"))

    assert "the model is fitted again" in run.log
    assert [step.attempt for step in run.steps.filter(name="fit", status="succeeded")] == [1, 2]
    assert (folder / "manifest.json").is_file()


def test_a_model_of_another_run_is_not_taken_for_its_own(rated_site, settings, monkeypatch):
    """As on a host where a backup was restored from before that run."""

    def crash(training: TrainingRun) -> None:
        raise Crash("evaluate")

    monkeypatch.setattr(TrainingRun, "evaluate", crash)
    run = run_training(run_id=start_training(trigger="command").pk)
    folder = settings.MODEL_DIR / f"run-{run.pk}"
    own = artifact_checksum(folder)
    PopularityRecommender().fit(Dataset.from_frames(rating_frame(), movie_frame())).save(folder)
    assert artifact_checksum(folder) != own
    resume_run(run_id=run.pk, here=True)

    run = run_training(run_id=run.pk)

    assert "is not the model that this run has fitted" in run.log
    assert artifact_checksum(folder) == own


@pytest.mark.parametrize("stopped", [False, True])
def test_an_export_goes_on_and_ends_while_others_write(rated_site, monkeypatch, stopped):
    """An open read of an older state is where SQLite locks a connection out of writing."""
    monkeypatch.setattr("mlops.data.snapshots.CHUNK_ROWS", 500)
    run = start_training(trigger="command")

    def others_write() -> None:
        User.objects.create(username=f"newcomer {User.objects.count()}", password="!")
        connection.close()

    def crash(step: str, text: str, *_: object) -> None:
        if step == "export" and text:
            thread = threading.Thread(target=others_write)
            thread.start()
            thread.join()
            time.sleep(0.6 if text.startswith("500 ") else 0)  # what is told within half a second is not written
        if step == "checks" or (stopped and text.startswith("1,000 ")):
            raise Crash(step)

    run = run_training(run_id=run.pk, on_progress=crash)

    assert (run.status, run.message) == (Status.ERRORED, f"Crash: {'export' if stopped else 'checks'}")
    assert run.steps.get(name="export").status == ("failed" if stopped else "succeeded")


def test_an_errored_run_is_retried_once_after_five_minutes(db, quick, settings):
    run = start_training(trigger="scheduled")
    claim(run)
    PipelineRun.objects.update(**KILLED_WORKER)

    assert requeue_stale()["ended"] == 1
    run.refresh_from_db()
    wait = run.retry_at - timezone.now()
    assert timedelta(seconds=290) < wait < timedelta(seconds=301)
    assert requeue_stale()["retried"] == 0
    PipelineRun.objects.update(retry_at=timezone.now())
    assert requeue_stale()["retried"] == 1
    run.refresh_from_db()
    assert (run.status, run.attempt, run.retry_at) == (Status.QUEUED, 2, None)
    assert "Retried automatically, attempt 2" in run.log

    claim(run)
    PipelineRun.objects.update(**KILLED_WORKER)
    assert requeue_stale() == {"ended": 1, "retried": 0, "enqueued": 0}
    run.refresh_from_db()
    assert (run.status, run.retry_at) == (Status.ERRORED, None)


def test_a_run_of_a_command_is_left_to_whoever_gave_it(rated_site):
    run = run_training(run_id=start_training(trigger="command").pk, on_progress=crash_at("export"))

    assert (run.status, run.retry_at) == (Status.ERRORED, None)


@pytest.mark.wording
def test_what_failed_for_a_reason_is_not_taken_up_again(db, quick):
    run = run_training(run_id=start_training(trigger="scheduled").pk)

    assert (run.status, run.retry_at) == (Status.FAILED, None)
    with pytest.raises(RunNotResumable, match=r"is failed\. Only runs that failed with an error"):
        resume_run(run_id=run.pk)


@pytest.mark.wording
def test_only_the_newest_run_goes_on_and_never_two_at_once(db, quick, settings):
    old = errored_run(retry_at=timezone.now() + timedelta(minutes=4))
    leftover = settings.MODEL_DIR / f"run-{old.pk}"
    leftover.mkdir(parents=True)
    with pytest.raises(RunNotFound):
        resume_run(run_id=10**6)

    new = start_training(trigger="api")

    old.refresh_from_db()
    assert (leftover.exists(), old.retry_at) == (False, None)
    with pytest.raises(RunNotResumable, match=f"Run {new.pk} was started after run {old.pk}"):
        resume_run(run_id=old.pk)
    PipelineRun.objects.filter(pk=new.pk).update(status=Status.ERRORED)
    older_but_active = PipelineRun.objects.filter(pk=old.pk)
    older_but_active.update(status=Status.RUNNING, heartbeat_at=timezone.now())
    with pytest.raises(TrainingAlreadyActive):
        resume_run(run_id=new.pk)


def test_an_earlier_attempt_writes_nothing(rated_site):
    """A worker that was taken for dead wakes up while another one works on the next attempt."""
    run = start_training(trigger="command")

    def give_up(step: str, text: str, *_: object) -> None:
        if step == "register":
            PipelineRun.objects.filter(pk=run.pk).update(attempt=2, status=Status.RUNNING)

    run_training(run_id=run.pk, on_progress=give_up)

    run.refresh_from_db()
    assert (run.status, run.attempt) == (Status.RUNNING, 2)
    assert not ModelVersion.objects.exists()


@pytest.mark.wording
def test_resuming_in_the_admin(client, sam, db, quick):
    run = errored_run(outcome="worker_lost", details={"since": "noon"}, retry_at=timezone.now() + timedelta(minutes=4))
    client.force_login(sam)
    page = client.get(reverse("admin:mlops_pipelinerun_change", args=[run.pk])).content.decode()
    assert ">Resume<" in page
    assert "starting at the failed step" in page

    client.post(reverse("admin:mlops_pipelinerun_resume", args=[run.pk]))

    run.refresh_from_db()
    assert (run.status, run.attempt) == (Status.QUEUED, 2)
    assert "Resumed by sam" in run.log
    cancel_run(run_id=run.pk)
    page = client.get(reverse("admin:mlops_pipelinerun_change", args=[run.pk])).content.decode()
    assert ">Resume<" not in page
    page = client.post(reverse("admin:mlops_pipelinerun_resume", args=[run.pk]), follow=True).content.decode()
    assert "Only runs that failed with an error can be resumed" in page
