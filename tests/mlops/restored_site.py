"""Restores a backup in a process on an empty host. Checks that its parts are consistent and that it works."""

import json
import sys
import time
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - apps exist after setup

from catalog.jobs.reaper import requeue_stale  # noqa: E402
from catalog.models import User  # noqa: E402
from mlops.data.snapshots import read_snapshot  # noqa: E402
from mlops.models import DatasetSnapshot, ModelVersion, PipelineRun  # noqa: E402
from mlops.registry.artifacts import require_artifact  # noqa: E402
from mlops.registry.mlflow_client import connect, experiment  # noqa: E402
from mlops.registry.mlflow_runs import VERSION_TAG, is_logged  # noqa: E402
from mlops.services import run_training, sync_registry  # noqa: E402
from recommender.models import ServedModel  # noqa: E402
from recommender.services import recommend  # noqa: E402


def lists_of_people(n: int = 100) -> list[list[list[float]]]:
    people = User.objects.filter(username__startswith="rater").order_by("pk")[:n]
    made = [recommend(user=user, surface=None) for user in people]
    assert len(made) == n
    assert {found.fallback for found in made} == {None}
    return [[[row.movie.pk, row.score] for row in found.results] for found in made]


def problems() -> list[str]:
    """What is of another moment than the rest."""
    found = []
    for version in ModelVersion.objects.filter(artifact_removed_at=None):
        require_artifact(version)
        if version.mlflow_run_id and not is_logged(version):
            found.append(f"version {version.pk} is not in MLflow, as its row says")
    for snapshot in DatasetSnapshot.objects.filter(removed_at=None):
        read_snapshot(snapshot)
    champion, served = ModelVersion.champion(), ServedModel.champion()
    if champion is None or served is None or champion.pk != served.version:
        found.append(f"the champion is {champion}, the pointer names {served}")
    ours = dict(ModelVersion.objects.values_list("pk", "mlflow_run_id"))
    mlflow = connect()
    for row in mlflow.MlflowClient().search_model_versions("name = 'movierec'"):
        if ours.get(int(row.tags[VERSION_TAG])) != row.run_id:
            found.append(f"MLflow is ahead of the database: {row.tags}")
        if not mlflow.artifacts.list_artifacts(artifact_uri=row.source):
            found.append(f"files of MLflow's version {row.version} are missing")
    return found


def work_on() -> list[str]:
    """As Beat and the training worker do; returns what does not come to an end."""
    while active := PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE).first():
        requeue_stale()
        if active.status == PipelineRun.Status.QUEUED:
            run_training(run_id=active.pk)
        time.sleep(0.5)
    sync_registry()
    client = connect().MlflowClient()
    runs = client.search_runs([experiment(client)])
    return [f"MLflow's run {run.info.run_id} is {run.info.status}" for run in runs if run.info.status != "FINISHED"]


def main(backups: str) -> dict[str, Any]:
    call_command("restore", backups, stdout=sys.stderr)
    champion = ModelVersion.champion()
    found = {"champion": champion.pk if champion else None, "lists": lists_of_people(), "problems": problems()}
    found["problems"] += work_on() + problems()
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
