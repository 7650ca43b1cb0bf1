#!/usr/bin/env bash
# A crontab that django-celery-beat accepts in its form can be one that Celery cannot build.
#
# Seen with django-celery-beat 2.9.0, Celery 5.7.0 and Django 5.2.19: CrontabSchedule.full_clean(), which the admin's form
# runs, accepts the weekdays "7" and "1-7" (both are usual in cron, where 7 is Sunday) and 30 February; reading `.schedule`
# of the saved row raises Celery's ValueError.
# Beat catches the error for each row and leaves the task out, so it is never sent and nothing is shown in the admin; a
# page that reads `.schedule` of all rows fails as a whole.
#
# So rows of schedules that people wrote must be built once when they are saved, and one by one wherever they are read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    django-celery-beat==2.9.0 celery==5.7.0 'django==5.2.19'

cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django_celery_beat"],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
call_command("migrate", verbosity=0)

from django_celery_beat.models import CrontabSchedule


def outcome(**fields):
    row = CrontabSchedule(minute="0", hour="3", **fields)
    row.full_clean()
    row.save()
    try:
        row.schedule
    except ValueError as error:
        return f"accepted, then refused by Celery: {error}"
    return "accepted and built"


found = {
    "weekday 7": outcome(day_of_week="7"),
    "weekdays 1-7": outcome(day_of_week="1-7"),
    "weekday 0": outcome(day_of_week="0"),
    "30 February": outcome(day_of_month="30", month_of_year="2"),
}
for name, line in found.items():
    print(f"{name}: {line}")
assert found.pop("weekday 0") == "accepted and built", found
assert all(line.startswith("accepted, then refused") for line in found.values()), found
PYTHON
