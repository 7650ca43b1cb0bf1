#!/usr/bin/env bash
# One row of django-celery-beat with a time zone that this machine does not know makes a query of all rows fail.
#
# Seen with django-celery-beat 2.9.0 and Django 5.2.19. The zone is checked while a row is read, not only when it is
# saved, so `.all()` and `.values_list("timezone")` raise ValidationError for the whole result, the good rows in it too.
# A query that leaves the column out works. Such a row is valid where it was written: it comes with a database from a
# machine whose tz database is newer or has zones of old names.
#
# So code that reads schedules must be ready for it, and the row is mended by `.filter(pk=...).update(...)`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check django-celery-beat==2.9.0 celery==5.7.0 'django==5.2.19'

cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import django
import django_celery_beat
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django_celery_beat"],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
call_command("migrate", verbosity=0)

from django_celery_beat.models import CrontabSchedule

CrontabSchedule.objects.create(minute="0", hour="3", timezone="Europe/Paris")
other = CrontabSchedule.objects.create(minute="0", hour="4", timezone="Europe/Paris")
with connection.cursor() as cursor:  # as it arrives with a database from elsewhere
    cursor.execute("UPDATE django_celery_beat_crontabschedule SET timezone = 'Europe/Newtown' WHERE id = %s", [other.pk])


def outcome(read):
    try:
        return f"{len(list(read()))} rows"
    except ValidationError as error:
        return f"ValidationError: {error.messages[0]}"


rows = CrontabSchedule.objects
found = {
    "all()": outcome(rows.all),
    'only("minute")': outcome(lambda: rows.only("minute")),
    'values_list("timezone")': outcome(lambda: rows.values_list("timezone")),
    'values_list("minute")': outcome(lambda: rows.values_list("minute")),
}
print(f"django-celery-beat {django_celery_beat.__version__}, Django {django.__version__}")
for name, line in found.items():
    print(f"{name}: {line}")
assert found.pop('only("minute")') == found.pop('values_list("minute")') == "2 rows", found
assert all(line.startswith("ValidationError") for line in found.values()), found
rows.filter(pk=other.pk).update(timezone="UTC")
assert outcome(rows.all) == "2 rows"
PYTHON
