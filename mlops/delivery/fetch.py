"""Fetches the files of versions that this host lacks, and evicts the least recently used ones.

Each fetched model has a marker: an empty file named like its folder, whose modification time is the time of its last
use. Models trained on this host have no marker. The policy's `retention` applies to them.
"""

import fcntl
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from catalog.policy import MB
from mlops.backup.workspace import workspace
from mlops.delivery.package import MLFLOW, MODEL, RECORD, model_store, open_package, package_name
from mlops.errors import ArtifactNotAvailable, MLOpsError, PackageError
from mlops.models import ModelVersion
from mlops.monitoring.auto_rollback import assess
from mlops.registry import mlflow_client
from mlops.registry.artifacts import folder_of, require_artifact, size_of
from mlops.registry.promotion import get_version, predecessor_of_champion
from recommender.estimators import verify_artifact
from recommender.estimators.artifact_files import copy_artifact
from recommender.logs import log_once_a_minute
from recommender.models import ServedModel
from recommender.serving.model_server import server
from recommender.serving.periodic import PeriodicThread

logger = logging.getLogger(__name__)

# Seconds between checks for missing models, keyed by whether the store is MLflow, which needs a process of 170 MB.
FETCH_SECONDS = {False: 10.0, True: 60.0}


def fetch_versions(*, version: int | None = None) -> list[ModelVersion]:
    """Fetches missing files of `version`, or by default of the champion and of the version that a rollback would
    restore.

    Does not fetch training data. Returns the fetched versions. Raises VersionNotFound, PackageError; versions fetched
    before the error are kept.
    """
    wanted = [get_version(version)] if version else [ModelVersion.champion(), predecessor_of_champion()]
    rows = [row for row in wanted if row is not None]
    with _one_at_a_time():
        missing = [row for row in rows if not _is_here(row)]
        try:
            for row in missing:
                _fetch(row)
        finally:
            mark_as_used(rows)
            forget_oldest(keep=rows, limit=settings.POLICY.retention.fetched_mb * MB)
    return missing


def _fetch(row: ModelVersion) -> None:
    if settings.MODEL_STORE == MLFLOW:
        _fetch_from_mlflow(row)
    else:
        address = f"{model_store().rstrip('/')}/{package_name(row.artifact_checksum)}"
        with open_package(address, below=(f"{MODEL}/", RECORD)) as (folder, _):
            place(row, folder / MODEL)
    mark_as_used([row], is_new=True)
    logger.info("version %s: its files were fetched from the store", row.pk)


def _fetch_from_mlflow(row: ModelVersion) -> None:
    """Fetches the files of the row's run and verifies each one, because MLflow's server does not verify files."""
    with workspace(Path(settings.VAR_DIR)) as folder:
        try:
            found = mlflow_client.download(row, folder)
            checksum = verify_artifact(found) if found else ""
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # MLflow, its store and the network may raise any exception
            raise PackageError(f"MLflow did not give version {row.pk}: {mlflow_client.in_short(error)}") from error
        if found is None or checksum != row.artifact_checksum:
            raise PackageError(f"MLflow does not have the files of version {row.pk} that were registered here.")
        place(row, found)


def fetch_for_rollback() -> list[ModelVersion]:
    """Fetches the version that auto-rollback is about to restore, if the worker lacks it, and returns it.

    Only logs a failure of the store. The rollback then reports the missing files.
    """
    row = predecessor_of_champion()
    if row is None or not assess().failures:
        return []
    try:
        return fetch_versions(version=row.pk)
    except MLOpsError as error:
        logger.error("version %s: its files were not fetched for a roll-back: %s", row.pk, error)
        return []


def fetch_served() -> None:
    """Fetches models that this web process lacks. Logs a failure of the store at most once a minute."""
    if not settings.MODEL_STORE or not any(_cannot_be_served(row) for row in ServedModel.objects.all()):
        return
    try:
        if settings.MODEL_STORE == MLFLOW:  # in a separate process, because the library takes 170 MB
            subprocess.check_call([sys.executable, "manage.py", "fetch_models"], cwd=settings.BASE_DIR, timeout=900)
        else:
            fetch_versions()
    except (MLOpsError, subprocess.SubprocessError) as error:
        log_once_a_minute(logger.error, "The model that is to be served was not fetched: %s", error)
    server.thread.wake()


def _cannot_be_served(row: ServedModel) -> bool:
    return bool(server.refusal(row)) or not (Path(settings.MODEL_DIR) / row.artifact).is_dir()


served_fetcher = PeriodicThread("fetch models", fetch_served, lambda: FETCH_SECONDS[settings.MODEL_STORE == MLFLOW])


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Holds a lock, so that only one process on this host fetches at a time."""
    with (Path(settings.VAR_DIR) / ".fetching").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_here(row: ModelVersion) -> bool:
    with suppress(ArtifactNotAvailable):
        require_artifact(row)
        return True
    return False


def place(row: ModelVersion, folder: Path) -> None:
    """Copies the model from `folder` into place, unless a complete copy is already there."""
    if not _is_here(row):
        copy_artifact(folder, folder_of(row))
        ModelVersion.objects.filter(pk=row.pk).update(artifact_removed_at=None)


def mark_as_used(rows: Iterable[ModelVersion], *, is_new: bool = False) -> None:
    """Updates the markers of fetched models. With `is_new`, also creates markers."""
    for row in rows:
        mark = _marks() / row.artifact
        if is_new or mark.exists():
            mark.touch()


def forget_oldest(*, keep: Iterable[ModelVersion], limit: int) -> None:
    """Removes the least recently used fetched models beyond `limit` bytes. Keeps served models and those in `keep`."""
    kept = {row.artifact for row in keep} | set(ServedModel.objects.values_list("artifact", flat=True))
    marks = sorted(_marks().iterdir(), key=lambda mark: mark.stat().st_mtime_ns)
    sizes = {mark: size_of(Path(settings.MODEL_DIR) / mark.name) for mark in marks}
    surplus = sum(sizes.values()) - limit
    for mark in marks:
        if surplus > 0 and mark.name not in kept:
            shutil.rmtree(Path(settings.MODEL_DIR) / mark.name, ignore_errors=True)
            mark.unlink()
            surplus -= sizes[mark]
            logger.info("%s was removed to make room; the store still has it", mark.name)


def _marks() -> Path:
    folder = Path(settings.VAR_DIR) / "fetched"
    folder.mkdir(exist_ok=True)
    return folder
