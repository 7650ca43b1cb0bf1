"""Rows of django-celery-beat for tests, including invalid ones that its own checks accept."""

import pytest
from django.db import connection
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask


def make(name: str, crontab: str = "", **fields: object) -> PeriodicTask:
    if crontab:
        names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
        fields["crontab"] = CrontabSchedule.objects.create(**dict(zip(names, crontab.split(), strict=True)))
    return PeriodicTask.objects.create(name=name, task="mlops.beat_heartbeat", **fields)


@pytest.fixture
def odd_rows(db) -> list[str]:
    """Rows that the admin's own checks or other programs let through."""
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    make("weekday 7", "0 5 * * 7")
    make("30 February", "0 5 30 2 *")
    make("no time", interval=IntervalSchedule.objects.create(every=0, period="seconds"))
    make("empty part", "1,,2 5 * * *")
    for name, zone in {"unknown zone": "Mars/Olympus", "no zone": "", "a folder": "America", "a path": "../x"}.items():
        with connection.cursor() as cursor:
            table = CrontabSchedule._meta.db_table
            pk = make(name, "0 5 * * *").crontab_id
            cursor.execute(f"UPDATE {table} SET timezone = %s WHERE id = %s", [zone, pk])
    make("too long", interval=IntervalSchedule.objects.create(every=2**31 - 1, period="days"))
    for name, fields in {
        "no list": {"args": '{"a": 1}'},
        "no JSON": {"kwargs": "{"},
        "no headers": {"headers": "[1]"},
        "no schedule": {"interval": None},
    }.items():
        PeriodicTask.objects.filter(pk=make(name, interval=hourly).pk).update(**fields)
    return list(PeriodicTask.objects.values_list("name", flat=True))
