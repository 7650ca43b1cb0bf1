"""Each retraining criterion starts a training and reports its figure."""

from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from catalog.models import Movie, Rating, User
from mlops.findings import Finding
from mlops.models import Alert, DatasetSnapshot, DriftReport, OnlineMetrics, PipelineRun, Promotion, RetrainingCheck
from mlops.monitoring.codes import AlertCode, RetrainingCode, RetrainingResult
from mlops.services import check_retraining, promote
from mlops.tasks import check_retraining as check_task
from recommender.models import Feedback, Impression
from recommender.services import record_feedback
from tests.audit_trail import trail
from tests.factories import RatingFactory, UserFactory
from tests.mlops.site import make_snapshot, make_version

NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def champion(alice, quick, settings):
    """Promoted a moment ago, on the data of this moment."""
    changes = {"new_movies": 5, "new_ratings": 7, "min_live_ratings": 100, "min_feedback": 10, "min_feedback_people": 4}
    policy = settings.POLICY.retraining.model_copy(update=changes)
    settings.POLICY = settings.POLICY.model_copy(update={"retraining": policy})
    version = make_version(snapshot=make_snapshot(n_ratings=Rating.objects.count()))
    promote(version=version.pk)
    return version


def met(check: RetrainingCheck) -> list[str]:
    return [criterion.code for criterion in check.reasons]


def test_fresh_champion_needs_no_training(champion):
    check = check_retraining()

    assert {criterion.code: criterion.figure for criterion in check.findings} == {
        RetrainingCode.NEW_MOVIES: 0,
        RetrainingCode.NEW_RATINGS: 0,
        RetrainingCode.ONLINE_METRICS: None,
        RetrainingCode.DRIFT: 0,
        RetrainingCode.CHAMPION_AGE: 0.0,
        RetrainingCode.NOT_INTERESTED: None,
    }
    assert (check.result, check.run, met(check)) == (RetrainingResult.NOT_MET, None, [])
    assert not PipelineRun.objects.exists()


def add_movies(champion) -> None:
    Movie.objects.bulk_create([Movie(title=f"new {n}") for n in range(5)])


def add_ratings(champion) -> None:
    """With the dates of another site's log."""
    RatingFactory.create_batch(7, movie=Movie.objects.first())


def lower_online_metrics(champion) -> None:
    OnlineMetrics.objects.create(version=champion, day=(NOW - 20 * DAY).date(), n=1000, hits=100)
    OnlineMetrics.objects.create(version=champion, day=(NOW - DAY).date(), n=1000, hits=50)


def report_drift(champion) -> None:
    DatasetSnapshot.objects.update(exported_at=NOW - 3 * DAY)
    Movie.objects.update(created_at=NOW - 20 * DAY)
    for days in (2, 1):
        end = NOW - days * DAY
        DriftReport.objects.create(status="alert", checks=[], window_start=end - 28 * DAY, window_end=end)


def let_age(champion) -> None:
    trail(Promotion).update(promoted_at=timezone.now() - 15 * DAY)  # not NOW: a figure that is compared tells minutes


def dislike(champion) -> None:
    """Six people with four lists each: two mark both movies, two one of them, two none."""
    for n_unwanted in (2, 2, 1, 1, 0, 0):
        person = UserFactory()
        for _ in range(4):
            act_on_list(person, n_unwanted=n_unwanted)


def act_on_list(user: User, *, n_unwanted: int) -> Impression:
    """The user marks the first movies of a shown list three times each, and opens both."""
    movies = list(Movie.objects.all()[:2])
    items = [[movie.pk, rank, "personal"] for rank, movie in enumerate(movies, start=1)]
    shown = Impression.objects.create(user=user, surface="test", items=items, shown_at=NOW)
    for movie in movies:
        record_feedback(user=user, movie=movie, kind="click", request_id=shown.request_id)
    for movie in movies[:n_unwanted] * 3:
        record_feedback(user=user, movie=movie, kind="not_interested", request_id=shown.request_id)
    return shown


@pytest.mark.parametrize(
    ("change", "code", "figure"),
    [
        (add_movies, RetrainingCode.NEW_MOVIES, 5),
        (add_ratings, RetrainingCode.NEW_RATINGS, 7),
        (lower_online_metrics, RetrainingCode.ONLINE_METRICS, 0.5),
        (report_drift, RetrainingCode.DRIFT, 2),
        (let_age, RetrainingCode.CHAMPION_AGE, 15.0),
        (dislike, RetrainingCode.NOT_INTERESTED, 0.4),
    ],
)
def test_each_criterion_alone_starts_one_training(champion, change, code, figure):
    change(champion)

    check = check_retraining()

    run = PipelineRun.objects.get()
    assert (met(check), check.run) == ([code], run)
    assert (check.result, check.params) == (RetrainingResult.STARTED, {"run": run.pk})
    assert check.reasons[0].figure == figure
    assert (run.trigger, run.status) == ("retraining", "queued")
    assert check.reasons[0].sentence in run.log
    assert Alert.objects.get(code=AlertCode.RETRAINING).findings == [check.reasons[0].to_dict()]


def unwanted(check: RetrainingCheck) -> Finding:
    return next(finding for finding in check.findings if finding.code == RetrainingCode.NOT_INTERESTED)


def test_no_account_can_start_a_training_by_marking_movies(champion):
    """With everybody else content, whether it marks what it was shown, or lists that it was not shown."""
    for _ in range(6):
        content, movie = UserFactory(), Movie.objects.first()
        for _ in range(4):
            act_on_list(content, n_unwanted=0)
        Feedback.objects.create(user=content, movie=movie, kind="click")  # of no list
    bare = check_retraining()
    assert (unwanted(bare).figure, unwanted(bare).params["n_people"]) == (0.0, 5)

    loud = UserFactory()
    for _ in range(50):
        act_on_list(loud, n_unwanted=2)
        Feedback.objects.create(user=loud, movie=movie, kind="not_interested", request_id=uuid4())
    assert (unwanted(check_retraining()).figure, met(check_retraining())) == (0.0, [])


def test_one_account_alone_is_too_few_people(champion):
    person = UserFactory()
    for _ in range(50):
        act_on_list(person, n_unwanted=2)

    found = unwanted(check_retraining())

    assert (found.outcome, found.params["n_people"], found.params["n_lists"]) == ("insufficient_data", 0, 0)


def test_what_was_undone_is_not_unwanted(champion):
    dislike(champion)
    for mark in Feedback.objects.filter(kind="not_interested"):
        record_feedback(user=mark.user, movie=mark.movie, kind="undo", request_id=mark.request_id)

    assert unwanted(check_retraining()).figure == 0.0


def test_a_fall_that_chance_explains_starts_nothing(champion):
    OnlineMetrics.objects.create(version=champion, day=(NOW - 20 * DAY).date(), n=100, hits=10)
    OnlineMetrics.objects.create(version=champion, day=(NOW - DAY).date(), n=100, hits=7)

    assert met(check_retraining()) == []


@pytest.mark.parametrize("statuses", [["alert"], ["alert", "ok"], ["ok", "alert"], ["alert", "warn"]])
def test_one_window_of_drift_is_not_enough(champion, statuses):
    DatasetSnapshot.objects.update(exported_at=NOW - 10 * DAY)
    Movie.objects.update(created_at=NOW - 20 * DAY)
    for days, status in enumerate(reversed(statuses), start=1):
        end = NOW - days * DAY
        DriftReport.objects.create(status=status, checks=[], window_start=end, window_end=end)

    assert met(check_retraining()) == []


def test_simultaneous_and_old_drift_reports_do_not_add_up(champion):
    Movie.objects.update(created_at=NOW - 20 * DAY)
    for minutes in (2, 1):
        end = NOW - timedelta(minutes=minutes)
        DriftReport.objects.create(status="alert", checks=[], window_start=end, window_end=end)
    DatasetSnapshot.objects.update(exported_at=NOW - 10 * DAY)
    assert met(check_retraining()) == []

    DriftReport.objects.update(window_end=F("window_end") - 15 * DAY)
    assert next(c.figure for c in check_retraining().findings if c.code == RetrainingCode.DRIFT) == 0


def test_second_training_waits_for_the_first_and_the_pause(champion):
    add_movies(champion)
    first = check_retraining()
    PipelineRun.objects.update(status="failed")

    waiting, after = check_retraining(), check_retraining(now=NOW + timedelta(hours=13))

    assert waiting.run is None
    assert (waiting.result, waiting.params["run"]) == (RetrainingResult.PAUSED, first.run_id)
    assert after.run is not None
    assert PipelineRun.objects.count() == 2


def test_active_training_is_enough(champion):
    add_movies(champion)
    PipelineRun.objects.create(status="running", trigger="admin", algorithm="ease", heartbeat_at=timezone.now())

    assert check_retraining().result == RetrainingResult.ACTIVE


def test_site_with_ratings_and_no_model_gets_its_first(alice, quick, settings):
    assert met(check_retraining()) == []

    training = settings.POLICY.training.model_copy(update={"min_ratings": 10})
    settings.POLICY = settings.POLICY.model_copy(update={"training": training})

    assert met(check_retraining()) == [RetrainingCode.NO_CHAMPION]


def test_task_and_command_report_the_result(champion, capsys):
    assert check_task()["run"] is None
    add_movies(champion)
    call_command("check_retraining")

    said = capsys.readouterr().out
    check = RetrainingCheck.objects.first()
    assert check.reasons[0].sentence in said
    assert check.sentence in said


def test_earlier_runs_of_criteria_get_their_trigger(db):
    _, by_criteria = (
        PipelineRun.objects.create(status="succeeded", trigger="scheduled", algorithm="ease") for _ in range(2)
    )
    RetrainingCheck.objects.create(criteria=[], run=by_criteria, result=RetrainingResult.STARTED)
    migration = import_module("mlops.migrations.0017_retraining_trigger")

    migration.mark_runs(apps, None)
    assert [run.trigger for run in PipelineRun.objects.order_by("pk")] == ["scheduled", "retraining"]

    migration.unmark_runs(apps, None)
    assert {run.trigger for run in PipelineRun.objects.all()} == {"scheduled"}
