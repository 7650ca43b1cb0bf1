"""The policy's schedules as rows of django-celery-beat, which the admin may edit."""

from datetime import timedelta
from itertools import pairwise

from celery.schedules import schedule
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from mlops.crontabs import parse_crontab
from mlops.policy import RENAMED_SCHEDULES, SchedulesPolicy

TASKS = {str(field.alias): f"mlops.{name}" for name, field in SchedulesPolicy.model_fields.items()} | {
    "train-model": "mlops.train_model_scheduled",
    "sync-tmdb": "catalog.sync_tmdb",
    "refresh-popularity": "catalog.refresh_popularity",
    "remove-old-imports": "catalog.remove_old_imports",
    "requeue-stale-jobs": "catalog.requeue_stale",
}
# Names until 2026-11: ensure_schedules renames the rows.
RENAMED_TASKS = {
    "mlops.watch_champion": "mlops.auto_rollback",
    "mlops.score_live_quality": "mlops.score_online_metrics",
    "mlops.check_serving": "mlops.check_skew",
    "mlops.check_freshness": "mlops.check_staleness",
    "mlops.sweep_runs": "catalog.requeue_stale",
    "catalog.sweep_histories": "catalog.remove_old_imports",
}
TRAINING_QUEUE = {"backtest-features", "backtest-staleness"}
EXPIRES_AFTER = 0.9  # share of the period: a worker that was away does not find a pile of old work


def ensure_schedules() -> list[str]:
    """Creates missing schedules and returns their names; never changes one that an operator edited or added."""
    _rename_rows()
    created = []
    existing = set(PeriodicTask.objects.values_list("name", flat=True))
    for name, when in settings.POLICY.schedules.model_dump(by_alias=True).items():
        if when is None or name in existing:
            continue
        row, field = ModelEntry.to_model_schedule(parse_crontab(when) if isinstance(when, str) else schedule(when))
        PeriodicTask.objects.create(
            name=name,
            task=TASKS[name],
            queue="training" if name in TRAINING_QUEUE else "default",
            expire_seconds=_expire_seconds(when),
            **{field: row},
        )
        created.append(name)
    return created


def _rename_rows() -> None:
    """Moves rows with former names to the current ones, so that no schedule runs twice after an upgrade."""
    for row in PeriodicTask.objects.filter(name__in=RENAMED_SCHEDULES):
        if PeriodicTask.objects.filter(name=RENAMED_SCHEDULES[row.name]).exists():
            row.delete()
        else:
            row.name = RENAMED_SCHEDULES[row.name]
            row.save()
    for row in PeriodicTask.objects.filter(task__in=RENAMED_TASKS):
        row.task = RENAMED_TASKS[row.task]
        row.save()


def _expire_seconds(when: str | int) -> int:
    period = timedelta(seconds=when) if isinstance(when, int) else _shortest_pause(when)
    return max(1, int(period.total_seconds() * EXPIRES_AFTER))


def _shortest_pause(expression: str, n_runs: int = 8) -> timedelta:
    crontab = parse_crontab(expression)
    moments = [timezone.now()]
    for _ in range(n_runs):
        last, until_next, _ = crontab.remaining_delta(moments[-1])
        moments.append(last + until_next)
    return min(later - earlier for earlier, later in pairwise(moments[1:]))
