"""What is too old raises an alert, and a fresh one ends it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Rating
from mlops.models import Alert, DatasetSnapshot, PipelineRun, Promotion, Watermark
from mlops.monitoring.staleness import watch_scheduler
from mlops.services import beat_heartbeat, check_staleness, promote
from mlops.tasks import beat_heartbeat as heartbeat_task
from mlops.tasks import check_staleness as freshness_task
from tests.factories import RatingFactory
from tests.mlops.site import make_version, trail

NOW = timezone.now()


def open_subjects() -> set[str]:
    return set(Alert.objects.filter(closed_at=None).values_list("subject", flat=True))


@pytest.mark.ml_test("Mo4")
def test_a_scheduler_that_fell_silent_is_an_alert_until_it_is_heard_again(db):
    heartbeat_task()
    Watermark.objects.update(at=NOW - timedelta(minutes=6))

    assert freshness_task() == ["scheduler"]
    assert open_subjects() == {"age of scheduler"}
    assert "minutes, more than 5 minutes" in Alert.objects.get().message

    beat_heartbeat()
    assert check_staleness() == []
    assert open_subjects() == set()
    assert Watermark.objects.count() == 1


def test_the_web_processes_see_a_dead_scheduler_by_themselves(db):
    watch_scheduler()
    assert open_subjects() == set()  # it has not been started yet

    beat_heartbeat()
    Watermark.objects.update(at=NOW - timedelta(hours=3))
    watch_scheduler()

    assert open_subjects() == {"age of scheduler"}


@pytest.mark.ml_test("Mo4")
def test_a_champion_of_old_data_is_an_alert(alice, quick):
    promote(version=make_version().pk)
    assert check_staleness() == []

    DatasetSnapshot.objects.update(exported_at=NOW - timedelta(days=31))

    assert check_staleness() == ["champion's data"]
    assert "31 days, more than 30 days" in Alert.objects.get().message


@pytest.mark.ml_test("Mo4")
def test_ratings_that_stopped_coming_are_an_alert_but_not_a_log_from_elsewhere(alice, quick):
    promote(version=make_version().pk)
    trail(Promotion).update(promoted_at=NOW - timedelta(days=50))
    Rating.objects.update(rated_at=NOW - timedelta(days=60))
    assert check_staleness() == []

    RatingFactory(rated_at=NOW - timedelta(days=31))

    assert check_staleness() == ["latest rating"]


@pytest.mark.parametrize(("status", "is_alert"), [("errored", True), ("failed", False), ("succeeded", False)])
def test_a_training_that_broke_is_an_alert_until_the_next_ends_well(db, status, is_alert):
    PipelineRun.objects.create(
        status=status, trigger="scheduled", algorithm="ease", outcome="bug", details={"error": "it ended"}
    )
    PipelineRun.objects.create(status="queued", trigger="scheduled", algorithm="ease")

    check_staleness()

    assert open_subjects() == ({"training"} if is_alert else set())
