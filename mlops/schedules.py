"""The policy's schedules as rows of django-celery-beat, which the admin may edit."""

from datetime import timedelta
from itertools import pairwise

from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from mlops.errors import MLOpsError

TASKS = {
    "train-model": "mlops.train_model_scheduled",
    "sync-tmdb": "catalog.sync_tmdb",
    "refresh-popularity": "catalog.refresh_popularity",
    "sweep-histories": "catalog.requeue_stale_imports",
    "check-drift": "mlops.check_drift",
    "score-live-quality": "mlops.score_live_quality",
    "check-retraining": "mlops.check_retraining",
    "check-serving": "mlops.check_serving",
    "check-freshness": "mlops.check_freshness",
    "check-dependencies": "mlops.check_dependencies",
    "backtest-features": "mlops.backtest_features",
    "backtest-staleness": "mlops.backtest_staleness",
    "collect-evidence": "mlops.collect_evidence",
    "beat-heartbeat": "mlops.beat_heartbeat",
    "requeue-stale-jobs": "catalog.requeue_stale",
    "sweep-runs": "mlops.sweep_runs",
    "watch-champion": "mlops.watch_champion",
    "sync-registry": "mlops.sync_registry",
    "push-data": "mlops.push_data",
    "prune": "mlops.prune",
}
EXPIRES_AFTER = 0.9  # of the time to the next run: a worker that was away does not find a pile of old work


def ensure_schedules() -> list[str]:
    """Creates what is missing and returns its names; what an operator has changed since, or added, stays as it is."""
    created = []
    for name, policy in settings.POLICY.schedules.items():
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
