"""Writes a backup: the database as it was at one moment, then the files that it names, which never change, MLflow's
local store, and checksums. Where retention removes files meanwhile, the backup starts again."""

import json
import logging
import shutil
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from mlops.backup.checksums import write_checksums
from mlops.backup.database import copy_sqlite, dump
from mlops.backup.encryption import encrypt_folder, recipients
from mlops.backup.stores import PREFIX, Store, open_store, workspace
from mlops.errors import BackupError, NoBackupFolder
from mlops.models import DatasetSnapshot, ModelVersion
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.codes import AlertCode
from mlops.monitoring.staleness import watch_backup

logger = logging.getLogger(__name__)

DATABASE, DESCRIPTION, MLFLOW_STORE, MLFLOW_FILES = "database", "backup.json", "mlflow.db", "mlflow"
FORMAT = 1
ATTEMPTS = 3
SECRETS = "secrets: .env, and secret_key and metrics_token below VAR_DIR"
REMOTE_MLFLOW = "MLflow: MLFLOW_TRACKING_URI names no sqlite:/// file, so its store is backed up where it is"


class FilesRemoved(Exception): ...  # which the database names, while they were copied


@dataclass(frozen=True)
class Backup:
    address: str
    size_bytes: int
    is_encrypted: bool
    left_out: list[str]
    missing: list[str] = field(default_factory=list)  # artefacts and snapshots that the database names
    removed: list[str] = field(default_factory=list)  # older backups, beyond backup.keep


def places() -> dict[str, Path]:
    """The site's folder for each folder of files in a backup."""
    return {"models": Path(settings.MODEL_DIR), "snapshots": Path(settings.SNAPSHOT_DIR)}


def mlflow_store() -> Path | None:
    """MLflow's database where that is a local file."""
    uri = settings.MLFLOW_TRACKING_URI
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def create_backup(destination: str | None = None) -> Backup:
    """Writes a backup to `destination`, a folder or s3://bucket/prefix, or to backup.folder.

    Encrypts it if a key is set, removes the oldest beyond backup.keep; in backup.folder, opens and closes the alerts.
    Raises NoBackupFolder, and BackupError, after which no new backup is there.
    """
    address = destination or settings.POLICY.backup.folder
    if address is None:
        set_alert(AlertCode.BACKUP_FAILED)  # of when there was a folder
        raise NoBackupFolder("No folder for backups is set (backup.folder in config.yaml).")
    with watch_backup() if address == settings.POLICY.backup.folder else nullcontext():
        return _create(address)


def _create(address: str) -> Backup:
    store, keys = open_store(address), recipients()
    name = f"{PREFIX}{timezone.now():%Y%m%dT%H%M%S%fZ}"
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(workspace(store.workspace))
            # What is to be encrypted does not lie on the other disk as it is, not even for a moment.
            plain = stack.enter_context(workspace(settings.VAR_DIR)) if keys else folder
            missing, left_out = _write_whole(plain)
            if keys:
                encrypt_folder(plain, folder, keys)
                write_checksums(folder)
            size = sum(path.stat().st_size for path in folder.rglob("*"))
            store.put(folder, name)
    except (OSError, shutil.Error) as error:
        raise BackupError(f"No backup was written to {address}: {error}") from error
    return Backup(store.address(name), size, bool(keys), left_out, missing, _prune(store, name))


def _write_whole(partial: Path) -> tuple[list[str], list[str]]:
    """What is missing and what is left out; starts again where files were removed meanwhile."""
    for _ in range(ATTEMPTS):
        try:
            return _write(partial)
        except FilesRemoved as error:
            logger.info("the backup starts again: %s", error)
            shutil.rmtree(partial)
            partial.mkdir(mode=0o700)
    raise BackupError("Files were removed during each attempt; start the backup again.")


def _write(partial: Path) -> tuple[list[str], list[str]]:
    missing = _copy_database_and_files(partial)
    left_out = [SECRETS] if _copy_mlflow(partial) else [SECRETS, REMOTE_MLFLOW]
    description = {
        "format": FORMAT,
        "version": settings.VERSION,
        "made_at": timezone.now().isoformat(),
        "database": connection.vendor,
        "migrations": sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations()),
        "mlflow_files": Path(settings.MLFLOW_ARTIFACT_DIR).as_uri(),
        "missing": missing,
        "left_out": left_out,
    }
    (partial / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    write_checksums(partial)
    return missing, left_out


def _copy_database_and_files(partial: Path) -> list[str]:
    """Returns the folders that the database names and that are missing. Raises FilesRemoved."""
    versions = ModelVersion.objects.filter(artifact_removed_at=None).values_list("artifact", flat=True)
    snapshots = DatasetSnapshot.objects.filter(removed_at=None).values_list("folder", flat=True)
    missing = []
    named = dump(partial / DATABASE, [versions, snapshots])
    for (part, place), names in zip(places().items(), named, strict=True):
        missing += [f"{part}/{name}" for name in sorted(names) if not _copy(place / name, partial / part / name)]
    # Retention updates a row before it removes the files: copies whose rows still name them are whole.
    if removed := named[0].difference(versions.all()) | named[1].difference(snapshots.all()):
        raise FilesRemoved(", ".join(sorted(removed)))
    return missing


def _copy(source: Path, target: Path) -> bool:
    """Whether all of the folder was there."""
    try:
        shutil.copytree(source, target)
    except FileNotFoundError:
        return False
    except shutil.Error as error:
        if any(Path(file).exists() for file, *_ in error.args[0]):
            raise  # no file went away: it cannot be read, or the disk is full
        shutil.rmtree(target)
        return False
    return True


def _copy_mlflow(partial: Path) -> bool:
    """Whether its store is local. A store that does not exist yet is."""
    store = mlflow_store()
    if store is not None and store.exists():
        copy_sqlite(store, partial / MLFLOW_STORE)
        if settings.MLFLOW_ARTIFACT_DIR.exists() and not _copy(settings.MLFLOW_ARTIFACT_DIR, partial / MLFLOW_FILES):
            raise FilesRemoved(MLFLOW_FILES)
    return store is not None


def _prune(store: Store, newest: str) -> list[str]:
    """Removes the oldest backups beyond backup.keep and returns their addresses."""
    removed = []
    try:
        others = [name for name in store.names() if name != newest]
        for name in others[: max(0, len(others) + 1 - settings.POLICY.backup.keep)]:
            store.remove(name)
            removed.append(store.address(name))
    except (OSError, BackupError) as error:  # such as credentials that may only write: the new backup is whole
        logger.warning("old backups were not removed: %s", error)
    return removed
