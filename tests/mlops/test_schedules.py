import pytest
from celery import current_app
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from catalog.tasks import sync_tmdb
from mlops.policy import RENAMED_SCHEDULES
from mlops.schedules import RENAMED_TASKS, TASKS
from mlops.services import ensure_schedules
from movierec.policy import load_policy
from tests.mlops.site import write_policy


def test_every_schedule_of_the_policy_is_created_once(db, settings):
    created = ensure_schedules()

    assert sorted(created) == sorted(settings.POLICY.schedules.model_dump(by_alias=True)) == sorted(TASKS)
    assert ensure_schedules() == []
    rows = {row.name: row for row in PeriodicTask.objects.exclude(name__startswith="celery.")}
    assert {name: row.task for name, row in rows.items()} == {name: TASKS[name] for name in created}


def test_every_schedule_names_a_task_that_exists(db):
    current_app.loader.import_default_modules()

    assert set(TASKS.values()) - set(current_app.tasks) == set()


def test_each_expires_before_its_next_run(db):
    ensure_schedules()

    expires = dict(PeriodicTask.objects.exclude(name__startswith="celery.").values_list("name", "expire_seconds"))
    assert (expires["requeue-stale-jobs"], expires["refresh-popularity"], expires["train-model"]) == (13, 3240, 77760)


def test_what_an_operator_edited_or_added_stays(db):
    ensure_schedules()
    PeriodicTask.objects.filter(name="train-model").update(enabled=False, queue="training")
    often = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    own = PeriodicTask.objects.create(name="my own", task="mlops.check_drift", interval=often)

    ensure_schedules()

    edited = PeriodicTask.objects.get(name="train-model")
    assert (edited.enabled, edited.queue) == (False, "training")
    assert PeriodicTask.objects.filter(pk=own.pk).exists()


@pytest.fixture
def edit(settings, tmp_path):
    """Edits config.yaml and starts again; returns the names of the schedules that were created or changed."""

    def restart(**schedules) -> list[str]:
        names = {name.replace("_", "-"): when for name, when in schedules.items()}
        settings.POLICY = load_policy(write_policy(tmp_path / "edited.yaml", schedules=names))
        return ensure_schedules()

    return restart


def state(name: str) -> tuple:
    row = PeriodicTask.objects.get(name=name)
    when = row.crontab.hour if row.crontab else row.interval.every
    return when, row.expire_seconds, row.enabled


def test_an_edited_config_takes_effect_with_the_right_expiry(db, edit):
    edit()
    assert edit(train_model="0 */6 * * *", prune=600) == ["train-model", "prune"]
    assert (state("train-model"), state("prune")) == (("*/6", 19440, True), (600, 540, True))
    assert edit(train_model=False, prune="5 * * * *") == ["train-model", "prune"]
    assert (state("train-model"), state("prune")) == (("*/6", 19440, False), ("*", 3240, True))
    assert sorted(edit()) == ["prune", "train-model"]
    assert (state("train-model"), state("prune")) == (("3", 77760, True), ("4", 77760, True))
    assert edit() == []


def test_rows_of_earlier_versions_follow_an_edited_config(db, edit):
    edit()
    PeriodicTask.objects.update(description="")

    assert edit(train_model="0 5 * * *") == ["train-model"]
    assert state("train-model")[0] == "5"


def test_rows_of_earlier_versions_get_new_defaults(db, edit):
    edit()
    every_minute, _ = IntervalSchedule.objects.get_or_create(every=60, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(name="remove-old-imports").update(description="", crontab=None, interval=every_minute)

    assert edit() == ["remove-old-imports"]
    assert state("remove-old-imports")[0] == "3"


def test_a_row_edited_in_the_admin_stays_and_says_so(db, edit, caplog):
    edit()
    PeriodicTask.objects.filter(name="prune").update(enabled=False)
    row = PeriodicTask.objects.get(name="train-model")
    row.crontab, _ = CrontabSchedule.objects.get_or_create(minute="0", hour="6", timezone="Europe/Berlin")
    row.save()

    assert edit(train_model="0 5 * * *", prune=60) == []

    assert (state("train-model")[0], state("prune")[2]) == ("6", False)
    assert (
        "train-model stays '0 6 * * * (Europe/Berlin)' as set in the admin; config.yaml says '0 5 * * *'" in caplog.text
    )
    assert "prune stays 'off' as set in the admin; config.yaml says '60'" in caplog.text
    PeriodicTask.objects.filter(name="train-model").delete()
    assert edit(train_model="0 5 * * *", prune=60) == ["train-model"]


def test_renamed_schedules_keep_their_row(db, settings, tmp_path):
    """Rows made before the renaming, one edited by an operator, and an operator's own row with a former task."""
    every = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.MINUTES)
    edited = PeriodicTask.objects.create(name="check-freshness", task="mlops.check_freshness", interval=every)
    own = PeriodicTask.objects.create(name="my own", task="mlops.check_serving", interval=every)

    ensure_schedules()
    ensure_schedules()

    edited.refresh_from_db()
    own.refresh_from_db()
    assert (edited.name, edited.task, edited.interval) == ("check-staleness", "mlops.check_staleness", every)
    assert own.task == "mlops.check_skew"
    assert not PeriodicTask.objects.filter(name__in=RENAMED_SCHEDULES).exists()
    assert PeriodicTask.objects.filter(task="mlops.check_staleness").count() == 1


def test_a_former_row_beside_the_new_one_is_removed(db):
    ensure_schedules()
    every = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.MINUTES)
    PeriodicTask.objects.create(name="watch-champion", task="mlops.watch_champion", interval=every)

    assert ensure_schedules() == []

    assert PeriodicTask.objects.filter(task="mlops.auto_rollback").count() == 1


@pytest.mark.parametrize(
    ("former", "result"),
    [
        ("mlops.watch_champion", {"version": None, "rolled_back_to": None}),
        ("mlops.score_live_quality", {"scored": 0, "read": 0}),
        ("mlops.check_serving", {}),
        ("mlops.check_freshness", []),
    ],
)
def test_former_task_names_still_find_their_task(db, former, result):
    current_app.loader.import_default_modules()

    assert former in RENAMED_TASKS
    assert current_app.tasks[former].run() == result


def test_config_may_use_a_former_schedule_name(db, settings, tmp_path):
    former = {"check-freshness": {"every_seconds": 300}}
    settings.POLICY = load_policy(write_policy(tmp_path / "former.yaml", schedules=former))

    ensure_schedules()

    assert PeriodicTask.objects.get(name="check-staleness").interval.every == 300
    assert not PeriodicTask.objects.filter(name="check-freshness").exists()


def test_a_schedule_that_is_off_is_not_created(db, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "odd.yaml", schedules={"train-model": False, "prune": 60}))

    assert set(TASKS) - set(ensure_schedules()) == {"train-model"}
    assert PeriodicTask.objects.get(name="prune").interval.every == 60


def test_tmdb_sync_without_a_token_is_skipped(db, settings, caplog):
    settings.TMDB_READ_TOKEN = ""

    with caplog.at_level("INFO"):
        assert sync_tmdb()["skipped"] == "TMDB_READ_TOKEN is not set"
    assert "TMDB sync skipped" in caplog.text
