import pytest
from celery import current_app
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from catalog.tasks import sync_tmdb
from mlops.errors import MLOpsError
from mlops.schedules import TASKS
from mlops.services import ensure_schedules
from mlops.tasks import sweep_runs
from movierec.policy import load_policy
from tests.mlops.site import write_policy


def test_every_schedule_of_the_policy_is_created_once(db, settings):
    created = ensure_schedules()

    assert created == list(settings.POLICY.schedules)
    assert ensure_schedules() == []
    rows = {row.name: row for row in PeriodicTask.objects.exclude(name__startswith="celery.")}
    assert {name: row.task for name, row in rows.items()} == {name: TASKS[name] for name in created}


def test_every_schedule_names_a_task_that_exists(db):
    current_app.loader.import_default_modules()

    assert set(TASKS.values()) - set(current_app.tasks) == set()


def test_each_expires_before_its_next_run(db):
    ensure_schedules()

    expires = dict(PeriodicTask.objects.exclude(name__startswith="celery.").values_list("name", "expire_seconds"))
    assert (expires["sweep-runs"], expires["refresh-popularity"], expires["train-model"]) == (13, 3240, 77760)


def test_what_an_operator_edited_or_added_stays(db):
    ensure_schedules()
    PeriodicTask.objects.filter(name="train-model").update(enabled=False, queue="training")
    often = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    own = PeriodicTask.objects.create(name="my own", task="mlops.check_drift", interval=often)

    ensure_schedules()

    edited = PeriodicTask.objects.get(name="train-model")
    assert (edited.enabled, edited.queue) == (False, "training")
    assert PeriodicTask.objects.filter(pk=own.pk).exists()


def test_a_schedule_nobody_knows_is_refused_by_name(db, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "odd.yaml", schedules={"tea": {"every_seconds": 60}}))

    with pytest.raises(MLOpsError, match=r"schedules\.tea: there is no such schedule"):
        ensure_schedules()


def test_the_sweep_as_a_task(db, quick):
    assert sweep_runs() == {"ended": 0, "retried": 0, "requeued": 0}


def test_the_sync_with_tmdb_says_why_it_does_nothing(db, settings, caplog):
    settings.TMDB_READ_TOKEN = ""

    with caplog.at_level("INFO"):
        assert sync_tmdb()["skipped"] == "TMDB_READ_TOKEN is not set"
    assert "TMDB sync skipped" in caplog.text
