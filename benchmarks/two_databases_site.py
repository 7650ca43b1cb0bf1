"""Writes the data of a site's only version, and every user's list, as JSON. Run as a script."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django

django.setup()

from catalog.models import Rating, User  # noqa: E402 - models exist after setup
from mlops.models import ModelVersion  # noqa: E402
from mlops.registry.artifacts import folder_of  # noqa: E402
from recommender.estimators import load_recommender  # noqa: E402

K = 10


def dump(out: Path) -> None:
    version = ModelVersion.objects.get()
    decision = version.decisions.get()
    users = dict(User.objects.filter(ratings__isnull=False).distinct().values_list("pk", "username"))
    histories: dict[int, dict[int, float]] = {user: {} for user in users}
    for user, movie, rating in Rating.objects.order_by("rated_at", "movie_id").values_list("user", "movie", "rating"):
        histories[user][movie] = float(rating)
    lists = load_recommender(folder_of(version)).recommend_for_history(list(histories.values()), k=K)
    movies = lists.groupby("user_id")["movie_id"].agg(list)
    found = {"snapshot": version.snapshot.content_hash, "parameters": version.chosen, "decision": decision.outcome}
    found |= {"rules": {finding.key: finding.outcome for finding in decision.findings}}
    found |= {"artefact": version.artifact_checksum, "lists": dict(zip(users.values(), movies, strict=True))}
    out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    dump(Path(sys.argv[1]))
