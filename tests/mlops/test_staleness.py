"""Staleness opens an alert, which closes when the item is fresh again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from catalog.models import Rating
from mlops.errors import BackupError
from mlops.models import Alert, DatasetSnapshot, PipelineRun, Promotion, Watermark
from mlops.monitoring.codes import AlertCode, StalenessCode
from mlops.monitoring.staleness import watch_scheduler
from mlops.services import beat_heartbeat, check_staleness, ensure_schedules, promote
from mlops.tasks import backup as backup_task
from mlops.tasks import beat_heartbeat as heartbeat_task
from mlops.tasks import check_staleness as staleness_task
from tests.audit_trail import trail
from tests.factories import RatingFactory
from tests.mlops.site import make_version

NOW = timezone.now()


def open_codes() -> set[str]:
    return set(Alert.objects.filter(closed_at=None).values_list("code", flat=True))


@pytest.mark.ml_test("Mo4")
def test_silent_scheduler_is_an_alert_until_its_next_beat(db):
    heartbeat_task()
    Watermark.objects.update(at=NOW - timedelta(minutes=6))

    assert staleness_task() == [StalenessCode.SCHEDULER]
    assert open_codes() == {StalenessCode.SCHEDULER}
    [finding] = Alert.objects.get().findings
    assert finding["params"]["age"].endswith(" min")
    assert finding["params"]["limit"] == "5 min"

    beat_heartbeat()
    assert check_staleness() == []
    assert open_codes() == set()
    assert Watermark.objects.count() == 1


def test_web_processes_notice_a_dead_scheduler(db):
    watch_scheduler()
    assert open_codes() == set()  # it has not been started yet

    beat_heartbeat()
    Watermark.objects.update(at=NOW - timedelta(hours=3))
    watch_scheduler()

    assert open_codes() == {StalenessCode.SCHEDULER}


@pytest.mark.ml_test("Mo4")
def test_champion_with_old_data_is_an_alert(alice, quick):
    promote(version=make_version().pk)
    assert check_staleness() == []

    DatasetSnapshot.objects.update(exported_at=NOW - timedelta(days=31))

    assert check_staleness() == [StalenessCode.CHAMPION_DATA]
    [finding] = Alert.objects.get().findings
    assert (finding["params"]["age"], finding["params"]["limit"]) == ("31 d", "30 d")


@pytest.mark.ml_test("Mo4")
def test_old_ratings_are_an_alert_unless_all_were_imported(alice, quick):
    promote(version=make_version().pk)
    trail(Promotion).update(promoted_at=NOW - timedelta(days=50))
    Rating.objects.update(rated_at=NOW - timedelta(days=60))
    assert check_staleness() == []

    RatingFactory(rated_at=NOW - timedelta(days=31))

    assert check_staleness() == [StalenessCode.LATEST_RATING]


@pytest.mark.parametrize(("status", "is_alert"), [("errored", True), ("failed", False), ("succeeded", False)])
def test_training_with_an_error_is_an_alert(db, status, is_alert):
    details = {"error": "it ended"}
    PipelineRun.objects.create(status=status, trigger="scheduled", algorithm="ease", outcome="bug", details=details)
    PipelineRun.objects.create(status="queued", trigger="scheduled", algorithm="ease")

    check_staleness()

    assert open_codes() == ({AlertCode.TRAINING_FAILED} if is_alert else set())


@pytest.mark.once
def test_a_failed_backup_is_an_alert_until_one_succeeds(transactional_db, quick, change_policy, tmp_path):
    ensure_schedules()
    change_policy("backup", folder=str(tmp_path / "backups"))
    assert check_staleness() == [StalenessCode.BACKUP]  # there is none yet
    (tmp_path / "backups").write_text("a file is in the way")

    with pytest.raises(BackupError):
        backup_task()
    assert open_codes() == {StalenessCode.BACKUP, AlertCode.BACKUP_FAILED}
    assert "File exists" in Alert.objects.get(code=AlertCode.BACKUP_FAILED).findings[0]["params"]["error"]

    (tmp_path / "backups").unlink()
    backup_task()
    assert open_codes() == set()
    assert check_staleness() == []


@pytest.mark.parametrize(
    ("schedule", "last", "limit"),
    [
        ("45 5 * * *", datetime(2026, 11, 2, 5, 46, tzinfo=UTC), datetime(2026, 11, 3, 11, 45, tzinfo=UTC)),
        ("45 5 * * 0", datetime(2026, 11, 2, 9, 0, tzinfo=UTC), datetime(2026, 11, 8, 11, 45, tzinfo=UTC)),
        (3600, datetime(2026, 11, 2, 9, 0, tzinfo=UTC), datetime(2026, 11, 2, 16, 0, tzinfo=UTC)),
        (None, datetime(2026, 1, 1, tzinfo=UTC), None),
    ],
)
def test_a_backup_is_as_old_as_its_schedule_allows(db, change_policy, schedule, last, limit):
    change_policy("schedules", backup=schedule)
    change_policy("backup", folder="/backups")
    ensure_schedules()
    Watermark.objects.create(name=Watermark.Job.BACKUP, at=last)
    if limit is None:
        assert check_staleness() == []
        return

    assert check_staleness(now=limit - timedelta(minutes=1)) == []
    assert check_staleness(now=limit + timedelta(minutes=1)) == [StalenessCode.BACKUP]
    change_policy("backup", folder=None)
    assert check_staleness(now=limit + timedelta(minutes=1)) == []
    assert open_codes() == set()
