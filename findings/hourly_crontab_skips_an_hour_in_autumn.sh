#!/usr/bin/env bash
# An hourly crontab of Celery leaves a gap of two hours when clocks go back, in any zone that changes its clocks.
#
# Seen with Celery 5.7.0 and Europe/Paris on 25 October 2026: `crontab(minute=0)` is due at 02:00 summer time and next
# at 03:00 winter time. Local times are compared by their clock, on which the second 02:00 is no later than the first.
# With `timezone = "UTC"` the same schedule is due every hour.
#
# So what must run every hour needs a schedule in UTC, or an interval.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0 tzdata

"$work/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import celery
from celery.schedules import crontab


def sent(zone: str) -> list[str]:
    """The hours, in UTC, at which an hourly task is due, where Beat looks every 5 minutes."""
    app = celery.Celery()
    app.conf.timezone = zone
    now = last = datetime(2026, 10, 24, 23, tzinfo=UTC)
    schedule = crontab(minute=0, app=app, nowfun=lambda: now.astimezone(ZoneInfo(zone)))
    hours = []
    while now < datetime(2026, 10, 25, 4, tzinfo=UTC):
        now += timedelta(minutes=5)
        if schedule.is_due(last.astimezone(ZoneInfo(zone))).is_due:
            hours.append(f"{now:%H:%M}")
            last = now
    return hours


print(f"Celery {celery.__version__}")
found = {zone: sent(zone) for zone in ("UTC", "Europe/Paris")}
for zone, hours in found.items():
    print(f"{zone}: {' '.join(hours)}")
assert found["UTC"] == ["00:00", "01:00", "02:00", "03:00", "04:00"]
assert found["Europe/Paris"] == ["00:00", "02:00", "03:00", "04:00"]
PYTHON
