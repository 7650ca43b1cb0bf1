"""Writes the policy's schedules to rows of django-celery-beat. Staff may edit the rows in the admin."""

import logging
from datetime import timedelta
from itertools import pairwise

from celery.schedules import schedule
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from mlops.crontabs import parse_crontab
from mlops.next_run import crontab_text
from mlops.policy import RENAMED_SCHEDULES, SchedulesPolicy

logger = logging.getLogger(__name__)

TASKS = {str(field.alias): f"mlops.{name}" for name, field in SchedulesPolicy.model_fields.items()} | {
    "train-model": "mlops.train_model_scheduled",
    "sync-tmdb": "catalog.sync_tmdb",
    "sync-wikidata": "catalog.sync_wikidata",
    "refresh-popularity": "catalog.refresh_popularity",
    "remove-old-imports": "catalog.remove_old_imports",
    "follow-sources": "catalog.follow_sources",
    "requeue-stale-jobs": "catalog.requeue_stale",
}
# names used until 2026-11, which `ensure_schedules` replaces
RENAMED_TASKS = {
    "mlops.watch_champion": "mlops.auto_rollback",
    "mlops.score_live_quality": "mlops.score_online_metrics",
    "mlops.check_serving": "mlops.check_skew",
    "mlops.check_freshness": "mlops.check_staleness",
    "mlops.sweep_runs": "catalog.requeue_stale",
    "catalog.sweep_histories": "catalog.remove_old_imports",
}
TRAINING_QUEUE = {"backtest-features", "backtest-staleness"}
MARK = "config.yaml: "
FORMER_DEFAULTS = SchedulesPolicy().model_dump(by_alias=True) | {"remove-old-imports": 60}  # for rows without MARK
EXPIRES_AFTER = 0.9  # share of the period after which messages expire, so that a worker has no backlog after an outage


def ensure_schedules() -> list[str]:
    """Updates the rows from config.yaml. Returns the names of created and changed rows.

    Keeps rows that were edited in the admin, and logs a warning if they differ. A row's description holds the last
    value taken from config.yaml. Rows from earlier versions lack it and are compared with the defaults of that time.
    """
    _rename_rows()
    rows = {row.name: row for row in PeriodicTask.objects.select_related("crontab", "interval")}
    policy = settings.POLICY.schedules.model_dump(by_alias=True)
    return [name for name, when in policy.items() if _follow(name, when, rows.get(name))]


def _follow(name: str, when: str | int | None, row: PeriodicTask | None) -> bool:
    wanted = _text(when)
    if row is None:
        queue = "training" if name in TRAINING_QUEUE else "default"
        return when is not None and _write(PeriodicTask(name=name, task=TASKS[name], queue=queue), when)
    present, is_marked = _row_text(row), row.description.startswith(MARK)
    applied = row.description.removeprefix(MARK) if is_marked else _text(FORMER_DEFAULTS[name])
    if present != wanted and present == applied:
        return _write(row, when)
    if present != wanted:
        text = "schedule %s stays %r as set in the admin; config.yaml says %r, used once it is deleted there"
        logger.warning(text, name, present, wanted)
    elif is_marked or not row.description:
        PeriodicTask.objects.filter(pk=row.pk).update(description=MARK + wanted)
    return False


def _write(row: PeriodicTask, when: str | int | None) -> bool:
    row.enabled, row.description = when is not None, MARK + _text(when)
    if when is not None:
        plan = parse_crontab(when) if isinstance(when, str) else schedule(when)
        row.crontab = row.interval = None
        model, field = ModelEntry.to_model_schedule(plan)
        setattr(row, field, model)
        row.expire_seconds = _expire_seconds(when)
    row.save()
    return True


def _text(when: str | int | None) -> str:
    return "off" if when is None else " ".join(str(when).split())


def _row_text(row: PeriodicTask) -> str:
    """Returns the row's schedule in the format of config.yaml, if possible."""
    if not row.enabled:
        return "off"
    if row.crontab:
        zone = str(row.crontab.timezone)
        return crontab_text(row.crontab) + (f" ({zone})" if zone != settings.CELERY_TIMEZONE else "")
    is_seconds = row.interval and row.interval.period == IntervalSchedule.SECONDS
    return str(row.interval.every if is_seconds else row.scheduler)


def _rename_rows() -> None:
    """Renames rows with former names, so that no schedule runs twice after an upgrade."""
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
