"""Fills a site of one checkout with ratings, a champion and a service's token, and writes the load's files.

benchmarks.peers starts this script in a process of that checkout: `prepare_site.py FOLDER N_OTHERS`. Without
MOVIELENS_PATH, the ratings are generated.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - models exist after setup
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.base import CommandError  # noqa: E402
from django.db import connection  # noqa: E402

from catalog.models import Rating, User  # noqa: E402
from mlops.models import ModelVersion  # noqa: E402
from recommender.models import ServedModel  # noqa: E402

GENERATED = {"users": 60, "movies": 200, "ratings": 3000}


def main(folder: Path, n_others: int) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    if os.environ.get("MOVIELENS_PATH"):
        call_command("load_sample", verbosity=0)
    else:
        call_command("generate_ratings", verbosity=0, **GENERATED)
    with suppress(CommandError):  # the gate may refuse for lack of evidence
        call_command("train_model", verbosity=1)
    if not ServedModel.objects.exists():
        version = ModelVersion.objects.latest("pk").pk
        call_command("promote_model", str(version), "--force", "--reason", "benchmark", verbosity=0)
    users = list(User.objects.filter(ratings__isnull=False).distinct().order_by("pk").values_list("pk", flat=True))
    write_ratings(folder)
    served = ModelVersion.objects.get(pk=ServedModel.objects.get(slot="champion").version)
    name = getattr(settings, "MLFLOW_MODEL_NAME", "movierec")  # not a setting of older checkouts
    model = f"models:/{name}/{served.mlflow_version}"  # its alias is set later by a worker
    others = copied_users(users, n_others)
    content = {"token": service_token(), "users": users, "others": others, "model": model}
    (folder / "site.json").write_text(json.dumps(content), encoding="utf-8")


def write_ratings(folder: Path) -> None:
    """Writes MovieLens' file and each user's history, with the site's ids."""
    rows = Rating.objects.order_by("user_id", "rated_at", "pk").values_list("user_id", "movie_id", "rating", "rated_at")
    histories: dict[int, list[dict[str, Any]]] = {}
    path = folder / "data" / "ml-latest-small" / "ratings.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["userId", "movieId", "rating", "timestamp"])
        for user, movie, rating, rated_at in rows:
            out.writerow([user, movie, rating, int(rated_at.timestamp())])
            histories.setdefault(user, []).append({"movie_id": movie, "rating": float(rating)})
    (folder / "histories.json").write_text(json.dumps(histories), encoding="utf-8")


def service_token() -> str:
    user = User.objects.create_user(username="benchmark-service")
    user.user_permissions.add(Permission.objects.get(codename="recommend_for_others"))
    if find_spec("catalog.keys"):
        made = import_module("catalog.keys").create_key(user=user, name="benchmark", scopes=["read", "service"])
    else:  # a checkout from before API keys
        made = import_module("rest_framework.authtoken.models").Token.objects.create(user=user)
    return str(made.key)


def copied_users(users: list[int], n: int) -> list[int]:
    """Creates users with copies of other users' ratings, too many for caches. Uses one statement."""
    if not n:
        return []
    made = [User(username=f"copy-{number}", password="!") for number in range(n)]
    new = [user.pk for user in User.objects.bulk_create(made, batch_size=5000)]
    columns = [field.column for field in Rating._meta.concrete_fields if not field.primary_key]
    copied = ", ".join("pair.new" if column == "user_id" else f"rating.{column}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Rating._meta.db_table} ({', '.join(columns)}) SELECT {copied}"
            f" FROM unnest(%s::bigint[], %s::bigint[]) AS pair(new, old)"
            f" JOIN {Rating._meta.db_table} AS rating ON rating.user_id = pair.old",
            [new, [users[at % len(users)] for at in range(n)]],
        )
        cursor.execute("ANALYZE")
    return new


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
