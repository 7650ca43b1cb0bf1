"""Brings the files of versions that this site knows to a host that lacks them."""

import logging
from pathlib import Path

from mlops.delivery.package import MODEL, model_store, open_package, package_name
from mlops.errors import ArtifactNotAvailable, MLOpsError
from mlops.models import ModelVersion
from mlops.monitoring.auto_rollback import assess
from mlops.registry.artifacts import folder_of, require_artifact
from mlops.registry.promotion import get_version, predecessor_of_champion
from recommender.estimators.artifact_files import copy_artifact

logger = logging.getLogger(__name__)


def fetch_versions(*, version: int | None = None) -> list[ModelVersion]:
    """Brings the files of the champion and of what a rollback restores (or of `version`) to a host that lacks them.

    Returns the versions that were fetched. Raises VersionNotFound, PackageError.
    """
    wanted = [get_version(version)] if version else [ModelVersion.champion(), predecessor_of_champion()]
    missing = [row for row in wanted if row is not None and not _is_here(row)]
    for row in missing:
        address = f"{model_store().rstrip('/')}/{package_name(row.artifact_checksum)}"
        with open_package(address) as (folder, _):
            place(row, folder)
        logger.info("version %s: its files were fetched from the store", row.pk)
    return missing


def fetch_for_rollback() -> list[ModelVersion]:
    """As `fetch_versions`, of what auto-rollback is about to restore: the worker may share no disk with web processes.

    A store that fails is logged: the roll-back says what is missing.
    """
    row = predecessor_of_champion()
    if row is None or not assess().failures:
        return []
    try:
        return fetch_versions(version=row.pk)
    except MLOpsError as error:
        logger.error("version %s: its files were not fetched for a roll-back: %s", row.pk, error)
        return []


def _is_here(row: ModelVersion) -> bool:
    try:
        require_artifact(row)
    except ArtifactNotAvailable:
        return False
    return True


def place(row: ModelVersion, folder: Path) -> None:
    """Puts the model of an opened package in its place, unless it is there and whole."""
    if not _is_here(row):
        copy_artifact(folder / MODEL, folder_of(row))
        ModelVersion.objects.filter(pk=row.pk).update(artifact_removed_at=None)
