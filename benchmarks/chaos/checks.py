"""Invariants that must hold after any fault. Each check yields the violations that it finds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from django.conf import settings
from mlflow import MlflowClient

from benchmarks.chaos.load_generator import LoadGenerator
from benchmarks.chaos.processes import wait_for
from catalog.models import APIKey, Rating
from catalog.models.api_key import hash_of
from mlops.errors import MirrorBusy, MLOpsError
from mlops.models import ModelVersion, PipelineRun, Promotion, RunStep
from mlops.registry import artifacts
from mlops.registry.mlflow_client import CHAMPION_ALIAS
from mlops.services import sync_registry
from recommender.models import ServedModel

N_REQUESTS = 24  # simultaneous requests, each on its own connection, so that every web process answers some


def versions_served(address: str, token: str) -> set[int | None]:
    """Returns the model versions that the web processes serve."""

    def ask(_: int) -> int | None:
        headers = {"Authorization": f"Token {token}"}
        answer = httpx.get(f"{address}/api/v1/recommendations/", headers=headers, timeout=30)
        return answer.json()["model_version"] if answer.status_code == 200 else -answer.status_code

    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(ask, range(N_REQUESTS)))


def list_of(address: str, token: str) -> list[int]:
    headers = {"Authorization": f"Token {token}"}
    answer = httpx.get(f"{address}/api/v1/recommendations/", headers=headers, timeout=30).raise_for_status()
    return [row["movie"]["id"] for row in answer.json()["results"]]


def champion_problems() -> Iterator[str]:
    """Checks that there is one champion, consistent with the serving pointer, the audit trail and its files."""
    champions = list(ModelVersion.objects.filter(status="champion"))
    if len(champions) != 1:
        yield f"{len(champions)} versions are the champion"
        return
    champion = champions[0]
    pointer = ServedModel.champion()
    if pointer is None or (pointer.version, pointer.artifact) != (champion.pk, champion.artifact):
        yield f"web processes are pointed at {pointer and pointer.version}, the champion is {champion.pk}"
    last = Promotion.objects.first()
    if last is None or last.version_id != champion.pk:
        yield f"the audit trail ends with {last and last.version_id}, the champion is {champion.pk}"
    try:
        artifacts.require_artifact(champion)
    except MLOpsError as error:
        yield str(error)


def _synced() -> bool:
    try:
        sync_registry()
    except MirrorBusy:
        return False
    return True


def alias_problems() -> Iterator[str]:
    """Checks that MLflow agrees after its sync task. Waits if the site is running the task."""
    wait_for(_synced, seconds=60, what="no other process writes to MLflow")
    champion = ModelVersion.objects.get(status="champion")
    found = MlflowClient().get_model_version_by_alias(settings.MLFLOW_MODEL_NAME, CHAMPION_ALIAS).version
    if str(found) != champion.mlflow_version:
        yield f"MLflow's champion is its version {found}, ours is {champion.mlflow_version}"
    missing = ModelVersion.objects.filter(mlflow_run_id="", artifact_removed_at=None)
    yield from (f"MLflow does not know version {version.pk}" for version in missing)


def run_problems() -> Iterator[str]:
    for run in PipelineRun.objects.filter(status__in=PipelineRun.ACTIVE):
        yield f"run {run.pk} is still {run.status}"
    stuck = RunStep.objects.filter(status="running").exclude(run__status__in=PipelineRun.ACTIVE)
    yield from (f"step {step.name} of run {step.run_id} never ended" for step in stuck)


def leftover_problems() -> Iterator[str]:
    """Yields partial snapshots and models, and models without a version or a resumable run."""
    named = set(ModelVersion.objects.values_list("artifact", flat=True))
    for folder in (settings.MODEL_DIR, settings.SNAPSHOT_DIR):
        for path in Path(folder).iterdir() if Path(folder).exists() else []:
            if path.name.startswith(".") or (folder == settings.MODEL_DIR and path.name not in named):
                yield f"{path.name} was left in {folder.name}"


def lost_ratings(load: LoadGenerator) -> int:
    """Returns the number of ratings whose request succeeded but that are not stored."""
    by_hash = dict(APIKey.objects.values_list("hash", "user_id"))
    users = {key: by_hash[hash_of(key)] for key in load.tokens}
    with load.write_lock:
        rows = Rating.objects.filter(user__in=users.values()).order_by()
        stored = {(user, movie): stars for user, movie, stars in rows.values_list("user_id", "movie_id", "rating")}
        expected = {(users[token], movie): stars for (token, movie), stars in load.accepted.items()}
    return sum(stored.get(key) != stars for key, stars in expected.items())
