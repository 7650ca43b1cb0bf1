#!/usr/bin/env bash
# Django on Postgres: order_by(Case(When(pk__in=[], ...), default=Value(1)), "-votes") orders by the first column.
#
# Seen with Django 5.2.19 and psycopg2 2.9.13. A When whose condition can match nothing is left out; without any When,
# the Case is its default alone, and the query ends with ORDER BY 1, where Postgres reads 1 as the first column of the
# SELECT. The rows come in the order of their keys, and "-votes" decides nothing. For a Value that is given to order_by
# itself, Django writes a cast around it, for this very reason; for the default of a Case it does not.
#
# Takes a Postgres, by default that of 127.0.0.1:5432 as postgres: PGHOST, PGPORT, PGUSER and PGPASSWORD name another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check django==5.2.19 psycopg2-binary==2.9.13

cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import os

import django
from django.conf import settings

names = {"HOST": ("PGHOST", "127.0.0.1"), "PORT": ("PGPORT", "5432"), "USER": ("PGUSER", "postgres")}
server = {key: os.environ.get(*variable) for key, variable in names.items()}
server |= {"PASSWORD": os.environ.get("PGPASSWORD", ""), "NAME": "postgres", "ENGINE": "django.db.backends.postgresql"}
settings.configure(DATABASES={"default": server})
django.setup()

from django.db import connection, models
from django.db.models import Case, Value, When


class Movie(models.Model):
    title = models.TextField()
    votes = models.IntegerField()

    class Meta:
        app_label, db_table, managed = "finding", "finding_movie", False


with connection.cursor() as cursor:  # gone with the connection
    cursor.execute("CREATE TEMPORARY TABLE finding_movie (id bigint, title text, votes integer)")
Movie.objects.bulk_create([Movie(pk=1, title="Little known", votes=5), Movie(pk=2, title="Well known", votes=900)])


def titles(rank):
    found = Movie.objects.order_by(rank, "-votes")
    print(found.query.get_compiler("default").as_sql()[0].partition("ORDER BY ")[2], end=": ")
    print(", ".join(movie.title for movie in found))
    return [movie.title for movie in found]


print(f"Django {django.__version__}")
assert titles(Value(1)) == ["Well known", "Little known"], "a Value is no constant any more"
empty = Case(When(pk__in=[], then=Value(0)), default=Value(1))
if titles(empty) != ["Little known", "Well known"]:
    raise SystemExit("a Case without cases no longer stands for the first column")
PYTHON
