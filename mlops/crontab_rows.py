"""Lets a damaged crontab row of django-celery-beat be loaded and shown, so that staff can see and mend it.

An unknown time zone raises in every query that reads the row, and an odd field on its admin page. Here the zone is kept
as text and the field is shown as written; `next_run.check_row` says what is wrong.
"""

from datetime import tzinfo
from typing import Any

from django_celery_beat.models import CrontabSchedule

_zone = CrontabSchedule._meta.get_field("timezone")
_parse_zone = _zone._get_python_and_db_repr
_describe = CrontabSchedule.human_readable.fget


def _zone_or_text(value: Any) -> tuple[tzinfo | str | None, str]:
    try:
        return _parse_zone(value)
    except Exception:  # an unknown zone, or whatever zoneinfo raises about a name that is a folder or a path
        return str(value), str(value)


def _described(row: CrontabSchedule) -> str:
    try:
        return _describe(row)
    except Exception:  # of Celery or cron-descriptor
        return str(row)


_zone._get_python_and_db_repr = _zone_or_text
CrontabSchedule.human_readable = property(_described)
