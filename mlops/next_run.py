"""Computes the next run of a schedule of django-celery-beat, for Beat, the staff dashboard and the admin."""

import json
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from celery.schedules import crontab, schedule
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from mlops.crontabs import parse_crontab

JSON_FIELDS = {"args": list, "kwargs": dict, "headers": dict}


def next_run(row: PeriodicTask, now: datetime) -> datetime | None:
    """Returns the UTC time of the next run, or None if there is none. An overdue run has a time up to `now`.

    Several missed runs are replaced by one. If a schedule runs once per day or hour, this run counts for its day or
    hour, so that it is not repeated if a machine starts shortly before the next time.
    """
    if not row.enabled or (row.one_off and row.total_run_count):
        return None
    due, plan = planned_run(row, now), row.schedule
    if isinstance(plan, crontab) and row.last_run_at:
        counted = max(due, now)
        if _period(plan, counted) == _period(plan, row.last_run_at):
            due = _time_after(plan, counted)
    return None if row.expires and max(due, now) >= row.expires else due


def planned_run(row: PeriodicTask, now: datetime) -> datetime:
    """Returns the first planned time after the last run. A row that has not run yet counts from its creation."""
    plan, since = row.schedule, row.last_run_at or row.date_changed or now
    if isinstance(plan, crontab):
        return _time_after(plan, max(since, row.start_time - timedelta(seconds=1)) if row.start_time else since)
    due = now + plan.remaining_estimate(since) if since <= now else now  # `since > now`: the clock was set back
    return max(due, row.start_time or due).astimezone(UTC)


def check_row(row: PeriodicTask) -> None:
    """Raises ValueError if Beat could not run the row's schedule. The message says what was expected."""
    if row.scheduler is None:
        raise ValueError(_("The task has no schedule. Choose an interval or a crontab."))
    try:
        if row.crontab:
            parse_crontab(crontab_text(row.crontab))
            if not isinstance(zone := row.crontab.timezone, tzinfo):
                raise ValueError(_("unknown time zone {zone}").format(zone=repr(zone or "")))
        row.schedule.remaining_estimate(timezone.now())
    except Exception as error:  # Celery may raise any exception
        raise ValueError(str(error) or type(error).__name__) from error
    if isinstance(row.schedule, schedule) and row.schedule.run_every < timedelta(seconds=1):
        raise ValueError(_("interval: expected at least one second"))
    for name, kind in JSON_FIELDS.items():
        try:
            is_valid = isinstance(json.loads(getattr(row, name) or json.dumps(kind())), kind)
        except ValueError:
            is_valid = False
        if not is_valid:
            raise ValueError(_("{field}: expected JSON such as {example}").format(field=name, example=kind()))


def crontab_text(row: CrontabSchedule) -> str:
    return " ".join([row.minute, row.hour, row.day_of_month, row.month_of_year, row.day_of_week])


def _time_after(plan: crontab, moment: datetime) -> datetime:
    last, until_next, _now = plan.remaining_delta(moment)
    # in UTC, because Python ignores the offsets when it compares local times in the same zone
    return (last + until_next).astimezone(UTC)


def _period(plan: crontab, moment: datetime) -> date | datetime:
    """Returns the period of a run: the local day or hour if it has one run, otherwise its minute."""
    local = moment.astimezone(plan.tz)
    if len(plan.minute) > 1:
        return local.replace(second=0, microsecond=0).astimezone(UTC)
    return local.date() if len(plan.hour) == 1 else local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)


# Staff must be able to see and fix a damaged crontab row. Without these patches, every query that reads a row with an
# unknown time zone fails, and so does the admin page of a row with an invalid field. The patches keep the zone as a
# string and show the field unchanged.

_zone = CrontabSchedule._meta.get_field("timezone")
_parse_zone = _zone._get_python_and_db_repr
_describe = CrontabSchedule.human_readable.fget


def _zone_or_text(value: Any) -> tuple[tzinfo | str | None, str]:
    try:
        return _parse_zone(value)
    except Exception:  # an unknown zone; for a folder or a path, zoneinfo may raise other exceptions
        return str(value), str(value)


def _described(row: CrontabSchedule) -> str:
    try:
        return _describe(row)
    except Exception:  # raised by Celery or cron-descriptor
        return str(row)


_zone._get_python_and_db_repr = _zone_or_text
CrontabSchedule.human_readable = property(_described)
