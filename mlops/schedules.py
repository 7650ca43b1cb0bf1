"""The policy's schedules as rows of django-celery-beat, which the admin may edit."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from mlops.errors import MLOpsError

TASKS = {
    "train-model": "mlops.train_model_scheduled",
    "sync-tmdb": "catalog.sync_tmdb",
    "refresh-popularity": "catalog.refresh_popularity",
    "remove-old-imports": "catalog.remove_old_imports",
    "check-drift": "mlops.check_drift",
    "score-online-metrics": "mlops.score_online_metrics",
    "check-retraining": "mlops.check_retraining",
    "check-skew": "mlops.check_skew",
    "check-staleness": "mlops.check_staleness",
    "check-dependencies": "mlops.check_dependencies",
    "backtest-features": "mlops.backtest_features",
    "backtest-staleness": "mlops.backtest_staleness",
    "collect-evidence": "mlops.collect_evidence",
    "beat-heartbeat": "mlops.beat_heartbeat",
    "requeue-stale-jobs": "catalog.requeue_stale",
    "sweep-runs": "mlops.sweep_runs",
    "auto-rollback": "mlops.auto_rollback",
    "sync-registry": "mlops.sync_registry",
    "push-data": "mlops.push_data",
    "prune": "mlops.prune",
}
# Names until 2026-11: ensure_schedules renames the rows, and config.yaml may still use the old schedule names.
RENAMED_SCHEDULES = {
    "watch-champion": "auto-rollback",
    "score-live-quality": "score-online-metrics",
    "check-serving": "check-skew",
    "check-freshness": "check-staleness",
}
RENAMED_TASKS = {
    "mlops.watch_champion": "mlops.auto_rollback",
    "mlops.score_live_quality": "mlops.score_online_metrics",
    "mlops.check_serving": "mlops.check_skew",
    "mlops.check_freshness": "mlops.check_staleness",
}
EXPIRES_AFTER = 0.9  # share of the period: a worker that was away does not find a pile of old work


def ensure_schedules() -> list[str]:
    """Creates the missing schedules and returns their names. Rows that an operator edited or added stay as they are."""
    _rename_rows()
    created = []
    for name, policy in _wanted().items():
        if name not in TASKS:
            raise MLOpsError(f"config.yaml: schedules.{name}: there is no such schedule; known are {', '.join(TASKS)}.")
        if PeriodicTask.objects.filter(name=name).exists():
            continue
        when = _interval(policy.every_seconds) if policy.every_seconds else _crontab(policy.crontab)
        PeriodicTask.objects.create(
            name=name,
            task=TASKS[name],
            queue=policy.queue,
            expire_seconds=_expire_seconds(policy.crontab, policy.every_seconds),
            **when,
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


def _wanted() -> dict[str, Any]:
    """The policy's schedules by current name; an entry under a former name overrides the default."""
    given = settings.POLICY.schedules
    former = {RENAMED_SCHEDULES[name]: schedule for name, schedule in given.items() if name in RENAMED_SCHEDULES}
    return {name: schedule for name, schedule in given.items() if name not in RENAMED_SCHEDULES} | former


def _crontab(expression: str | None) -> dict[str, CrontabSchedule]:
    minute, hour, day_of_month, month_of_year, day_of_week = str(expression).split()
    schedule, _ = CrontabSchedule.objects.get_or_create(
        minute=minute,
        hour=hour,
        day_of_month=day_of_month,
        month_of_year=month_of_year,
        day_of_week=day_of_week,
        timezone=settings.TIME_ZONE,
    )
    return {"crontab": schedule}


def _interval(seconds: int | None) -> dict[str, IntervalSchedule]:
    schedule, _ = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
    return {"interval": schedule}


def _expire_seconds(expression: str | None, seconds: int | None) -> int:
    period = timedelta(seconds=seconds) if seconds else _shortest_pause(str(expression))
    return max(1, int(period.total_seconds() * EXPIRES_AFTER))


def _shortest_pause(expression: str, looked_at: int = 8) -> timedelta:
    minute, hour, day_of_month, month_of_year, day_of_week = expression.split()
    schedule = crontab(minute, hour, day_of_week, day_of_month, month_of_year)
    moments = [timezone.now()]
    for _ in range(looked_at):
        last, until_next, _ = schedule.remaining_delta(moments[-1])
        moments.append(last + until_next)
    return min(later - earlier for earlier, later in pairwise(moments[1:]))
