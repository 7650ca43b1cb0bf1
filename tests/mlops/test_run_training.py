"""A complete training with the database, files and MLflow."""

from datetime import timedelta
from threading import current_thread, main_thread

import pytest
from django.utils import timezone

from catalog.jobs.queue import claim
from catalog.models import Rating
from mlops.errors import RunNotFound
from mlops.models import DatasetSnapshot, GateDecision, ModelVersion, PipelineRun, Promotion
from mlops.services import cancel_run, export_snapshot, promote, run_training, start_training
from movierec.policy import load_policy
from recommender.estimators import load_recommender
from recommender.models import ServedModel
from tests.mlops.site import make_version, write_policy
from tests.processes import wait_for

Status = PipelineRun.Status


def wait_for_heartbeats(run: PipelineRun, n: int) -> None:
    for _ in range(n):
        last = PipelineRun.objects.get(pk=run.pk).heartbeat_at
        next_one = PipelineRun.objects.filter(pk=run.pk, heartbeat_at__gt=last)
        wait_for(next_one.exists, seconds=60, what="a heartbeat")


def train(**options) -> PipelineRun:
    run = start_training(trigger="command", **options)
    return run_training(run_id=run.pk)


def test_a_first_model_that_beats_the_baselines_goes_live(rated_site, settings):
    run = train()

    assert (run.status, run.ended_at is not None) == (Status.SUCCEEDED, True), run.message + run.log
    names = ["export", "snapshot", "checks", "fit", "evaluate", "register", "gate", "promote"]
    assert [(step.name, step.status) for step in run.steps.all()] == [(name, "succeeded") for name in names]
    version = ModelVersion.objects.get()
    assert (version.status, version.run, version.snapshot) == ("champion", run, run.snapshot)
    assert version.snapshot.n_ratings == Rating.objects.count()
    assert load_recommender(settings.MODEL_DIR / version.artifact).algorithm == "ease"
    assert set(version.figures["models"]) == {"candidate", "popular", "popular_30d", "item_knn"}
    assert version.figures["smoke_test"]["checks"]["no_seen_movies"] is True
    assert GateDecision.objects.get(version=version).outcome == "passed"
    promotion = Promotion.objects.get()
    assert (promotion.version, promotion.previous, promotion.kind) == (version, None, "automatic")
    served = ServedModel.objects.get(slot="champion")
    assert (served.version, served.artifact) == (version.pk, version.artifact)
    assert version.mlflow_run_id


def test_a_second_training_is_compared_with_the_champion(rated_site):
    first, second = train(), train()

    assert DatasetSnapshot.objects.count() == 1
    assert first.version.snapshot == second.version.snapshot
    decision = GateDecision.objects.filter(version=second.version).get()
    assert decision.champion == first.version
    difference = second.version.figures["differences"]["champion"]
    assert (difference["mean"], difference["low"], difference["high"]) == (0, 0, 0)
    assert second.version.status == "champion"
    assert first.version.artifact_checksum == second.version.artifact_checksum


@pytest.mark.wording
def test_a_model_no_better_than_a_baseline_is_refused(rated_site):
    champion = make_version()
    promote(version=champion.pk)

    run = train(algorithm="popularity")

    assert run.status == Status.FAILED
    assert "The gate rejected version" in run.message
    assert run.steps.get(name="gate").status == "failed"
    assert run.version.status == "refused"
    champion.refresh_from_db()
    assert champion.status == "champion"
    assert ServedModel.objects.get(slot="champion").version == champion.pk


@pytest.mark.wording
def test_too_few_ratings_end_in_a_sentence(rated_site, settings):
    Rating.objects.filter(pk__gt=Rating.objects.order_by("pk")[50].pk).delete()

    run = train()

    assert run.status == Status.FAILED
    assert run.message.startswith("There are 51 ratings. Training requires at least 100")
    assert not list(settings.SNAPSHOT_DIR.iterdir())


@pytest.mark.wording
def test_too_many_bad_rows_stop_the_training(rated_site):
    future = timezone.now() + timedelta(days=30)
    Rating.objects.filter(pk__in=Rating.objects.values("pk")[:100]).update(rated_at=future)

    run = train()

    assert run.status == Status.FAILED
    assert (run.outcome, list(run.details["rules"].values())) == ("data_refused", [100])
    assert "the rating date is in the future: 100" in run.message
    assert run.steps.get(name="checks").figures["bad_rows"] == 100


@pytest.mark.wording
def test_a_few_bad_rows_are_left_out(rated_site, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "lax.yaml", data_checks={"max_bad_share": 0.01}))
    Rating.objects.filter(pk=Rating.objects.first().pk).update(rated_at=timezone.now() + timedelta(days=30))

    run = train()

    assert run.status == Status.SUCCEEDED, run.message
    assert "1 bad rows are left out: the rating date is in the future: 1" in run.log


@pytest.mark.wording
def test_a_parameter_that_no_model_takes_ends_in_a_sentence(rated_site, settings, tmp_path):
    settings.POLICY = load_policy(
        write_policy(tmp_path / "bad.yaml", training={"parameters": {"ease": {"regularization": -1}}})
    )

    run = train()

    assert run.status == Status.FAILED
    assert run.message.startswith("The model cannot be fitted: regularization")


def test_a_machine_that_fails_ends_as_errored_with_the_traceback(rated_site, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.MODEL_DIR = tmp_path / "file" / "models"

    run = train()

    assert run.status == Status.ERRORED
    assert "NotADirectoryError" in run.message
    assert "Traceback" in run.log
    assert not ModelVersion.objects.exists()


def test_a_changed_snapshot_is_not_learnt_from(rated_site, settings):
    snapshot = export_snapshot()
    file = settings.SNAPSHOT_DIR / snapshot.folder / "ratings.parquet"
    file.write_bytes(file.read_bytes()[:-200])

    run = train(snapshot=snapshot.content_hash[:8])

    assert run.status == Status.FAILED
    assert f"Snapshot {snapshot} cannot be read" in run.message


def test_a_kept_snapshot_is_trained_on_again(rated_site):
    snapshot = export_snapshot()
    Rating.objects.all().delete()

    run = train(snapshot=snapshot.content_hash[:8])

    assert run.version.snapshot == snapshot
    assert run.steps.first().name == "checks"


@pytest.mark.wording
def test_a_run_that_is_cancelled_ends_so_and_leaves_nothing(rated_site, settings):
    run = start_training(trigger="command")

    def cancel(step: str, text: str, *_: object) -> None:
        if step == "register" and not text and current_thread() is main_thread():
            cancel_run(run_id=run.pk)
            wait_for_heartbeats(run, 3)  # the second has seen it, and the third is after that

    ended = run_training(run_id=run.pk, on_progress=cancel)

    assert (ended.status, ended.message) == (Status.CANCELLED, "Cancelled on request.")
    assert ended.steps.get(name="register").status == "failed"
    assert not ModelVersion.objects.exists()
    assert not settings.MODEL_DIR.exists() or not list(settings.MODEL_DIR.iterdir())


def test_an_interrupt_ends_the_run_as_cancelled(rated_site, settings):
    run = start_training(trigger="command")

    def interrupt(step: str, text: str, *_: object) -> None:
        if step == "evaluate":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_training(run_id=run.pk, on_progress=interrupt)

    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert run.steps.get(name="evaluate").status == "failed"
    assert not settings.MODEL_DIR.exists() or not list(settings.MODEL_DIR.iterdir())
    assert start_training(trigger="command").status == Status.QUEUED


def test_a_second_delivery_of_the_message_does_nothing(rated_site):
    run = start_training(trigger="command")
    assert claim(run) is not None

    assert run_training(run_id=run.pk).status == Status.RUNNING
    assert not run.steps.exists()


def test_a_run_given_up_while_it_worked_promotes_nothing(rated_site):
    run = start_training(trigger="command")

    def give_up(step: str, text: str, *_: object) -> None:
        if step == "register":
            PipelineRun.objects.filter(pk=run.pk).update(
                status=Status.ERRORED, outcome="bug", details={"error": "given up"}
            )

    ended = run_training(run_id=run.pk, on_progress=give_up)

    assert (ended.status, ended.message) == (Status.ERRORED, "given up")
    assert not ModelVersion.objects.exists()
    assert not ServedModel.objects.exists()


@pytest.mark.wording
def test_a_run_that_is_not_there_is_said_so(db):
    with pytest.raises(RunNotFound, match="Run 12 does not exist"):
        run_training(run_id=12)


@pytest.mark.wording
def test_a_second_model_waits_without_automatic_promotion(rated_site, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "manual.yaml", promotion={"automatic": False}))
    champion = make_version()
    promote(version=champion.pk)

    run = train()

    assert run.status == Status.SUCCEEDED
    assert "is waiting for a manual decision" in run.message
    assert (run.version.status, ModelVersion.objects.get(status="champion")) == ("candidate", champion)
