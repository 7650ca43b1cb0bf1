#!/usr/bin/env bash
# QuerySet.update() on an inherited column is no compare-and-set (Django 5.2, multi-table inheritance).
#
# Seen with Django 5.2.19: `Training.objects.filter(status="queued").update(status="running")`, where `status` is a
# column of the parent `Job`, runs two statements: it selects the ids of the queued rows, then updates the parent
# `WHERE id IN (...)`, without the condition on the status. Both workers that ran the first statement get 1 as the
# number of updated rows from the second, so both believe that they claimed the job. The same update on
# `Job.objects` is one statement with the condition in it, and the second worker gets 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check Django==5.2.19

"$work/venv/bin/python" - <<'PYTHON'
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["__main__"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
from django.db import connection, models  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402


class Job(models.Model):
    status = models.CharField(max_length=8, default="queued")

    class Meta:
        app_label = "__main__"


class Training(Job):
    class Meta:
        app_label = "__main__"


with connection.schema_editor() as editor:
    editor.create_model(Job)
    editor.create_model(Training)
Training.objects.create()


def claim(model):
    """The statements of one claim of the only job."""
    Job.objects.update(status="queued")
    with CaptureQueriesContext(connection) as captured:
        model.objects.filter(status="queued").update(status="running")
    return [row["sql"] for row in captured if row["sql"].startswith(("SELECT", "UPDATE"))]


print(f"Django {django.__version__}")
for model in (Training, Job):
    print(model.__name__, *claim(model), sep="\n  ")

# Two workers: both have read the ids, then each writes.
Job.objects.update(status="queued")
ids = list(Training.objects.filter(status="queued").values_list("pk", flat=True))
write = "UPDATE __main___job SET status = 'running' WHERE id IN (%s)"
with connection.cursor() as cursor:
    claimed = [cursor.execute(write, ids).rowcount for worker in ("first", "second")]
print("rows that each worker believes it claimed:", claimed)

inherited, own = claim(Training), claim(Job)
assert len(inherited) == 2 and inherited[0].startswith("SELECT"), "the update of an inherited column is one statement"
assert "status" not in inherited[1].split("WHERE")[1], "the second statement now repeats the condition"
assert len(own) == 1 and "'queued'" in own[0] and claimed == [1, 1]
PYTHON
