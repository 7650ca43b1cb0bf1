"""Creates a backup: consistent copies of the database and of MLflow's local store, the files that the database refers
to, and checksums.

Files never change once written. If retention removes files during the copy, the backup starts again."""

import logging
import shutil
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from mlops.backup.database import copy_sqlite, dump
from mlops.backup.encryption import recipients
from mlops.backup.layout import (
    DATABASE,
    DESCRIPTION,
    MLFLOW_FILES,
    MLFLOW_STORE,
    Found,
    damaged_files,
    describe,
    files_in,
    mlflow_store,
    places,
)
from mlops.backup.stores import INCOMPLETE, Store, open_store
from mlops.backup.workspace import PREFIX
from mlops.backup.writer import BackupWriter, removed_on_error, writing
from mlops.errors import BackupError, MirrorBusy, NoBackupFolder
from mlops.findings import Finding, Outcome
from mlops.models import DatasetSnapshot, ModelVersion
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.codes import AlertCode
from mlops.monitoring.staleness import watch_backup
from mlops.registry.mlflow_lock import sole_writer

logger = logging.getLogger(__name__)

ATTEMPTS = 3
MLFLOW_SECONDS = 600  # longest wait for a process that writes to MLflow's local store
SECRETS = "secrets: .env, and secret_key and metrics_token below VAR_DIR"
REMOTE_MLFLOW = "MLflow: MLFLOW_TRACKING_URI names no sqlite:/// file, so its store is backed up where it is"


class FilesRemoved(Exception): ...  # raised if files that the database refers to are removed during the copy


@dataclass(frozen=True)
class Backup(Found):
    address: str
    size_bytes: int
    is_encrypted: bool
    removed: list[str]  # older backups, beyond backup.keep


def create_backup(destination: str | None = None) -> Backup:
    """Writes a backup to `destination`, a folder or s3://bucket/prefix, or by default to backup.folder.

    Encrypts the backup if a key is set. Removes the oldest backups beyond backup.keep. A backup to backup.folder also
    updates the alerts. Raises NoBackupFolder, or BackupError if no backup was written.
    """
    address = destination or settings.POLICY.backup.folder
    if address is None:
        set_alert(AlertCode.BACKUP_FAILED)  # closes an alert opened when a folder was set
        raise NoBackupFolder("No folder for backups is set (backup.folder in config.yaml).")
    is_regular = address == settings.POLICY.backup.folder
    with watch_backup() if is_regular else nullcontext():
        made = _create(address)
    if is_regular and (lost := made.missing + made.damaged):
        text = f"{made.address} is incomplete, missing or damaged on this site: {', '.join(lost)}"
        set_alert(AlertCode.BACKUP_FAILED, Finding(AlertCode.BACKUP_FAILED, Outcome.ALERT, params={"error": text}))
    return made


def _create(address: str) -> Backup:
    store, keys = open_store(address), recipients()
    if ModelVersion._meta.db_table not in connection.introspection.table_names():
        raise BackupError("The database has no tables: expected one that is migrated. See DATABASE_URL and VAR_DIR.")
    for _ in range(ATTEMPTS):
        name = f"{PREFIX}{timezone.now():%Y%m%dT%H%M%S%fZ}"
        try:
            with removed_on_error(store, name), writing(store, name, keys) as writer:
                found = _write(writer)
                writer.finish(is_complete=not found.missing + found.damaged)
        except FilesRemoved as error:
            logger.info("the backup starts again: %s", error)
            continue
        except (OSError, shutil.Error, MirrorBusy) as error:
            raise BackupError(f"No backup was written to {address}: {error}") from error
        return Backup(
            **vars(found),
            address=store.address(name),
            size_bytes=writer.size_bytes,
            is_encrypted=bool(keys),
            removed=_prune(store, name),
        )
    raise BackupError("Files were removed during each attempt; start the backup again.")


def _write(writer: BackupWriter) -> Found:
    versions = ModelVersion.objects.filter(artifact_removed_at=None).values_list("artifact", flat=True)
    snapshots = DatasetSnapshot.objects.filter(removed_at=None).values_list("folder", flat=True)
    is_local = mlflow_store() is not None
    # The lock prevents a version that is being written to MLflow from ending up in only one of the copies.
    with sole_writer(wait_seconds=MLFLOW_SECONDS) if is_local else nullcontext():
        named = dump(writer.path(DATABASE), [versions, snapshots])
        writer.keep(DATABASE)
        folders = {
            f"{part}/{name}": place / name
            for (part, place), names in zip(places().items(), named, strict=True)
            for name in sorted(names)
        }
        files = files_in(folders)
        if is_local:
            _copy_mlflow_store(writer)
            _copy(writer, files_in({MLFLOW_FILES: settings.MLFLOW_ARTIFACT_DIR}), later=files)
    _copy(writer, files)
    # Retention updates a row before it removes the files. If the rows still refer to their files, the copies are
    # complete.
    if removed := named[0].difference(versions.all()) | named[1].difference(snapshots.all()):
        raise FilesRemoved(", ".join(sorted(removed)))
    found = Found(
        left_out=[SECRETS] if is_local else [SECRETS, REMOTE_MLFLOW],
        missing=[name for name, folder in folders.items() if not folder.exists()],
        damaged=[file for name, folder in folders.items() for file in damaged_files(name, folder, writer.checksums)],
    )
    writer.path(DESCRIPTION).write_text(describe(found), encoding="utf-8")
    writer.keep(DESCRIPTION)
    return found


def _copy(writer: BackupWriter, files: Mapping[Path, str], *, later: Iterable[Path] = ()) -> None:
    """Copies `files` to the backup, after checking that these and the files in `later` fit on the disks."""
    try:
        writer.require_room([*files, *later])
        for path, name in files.items():
            writer.add(path, name)
    except FileNotFoundError as error:
        raise FilesRemoved(error.filename) from error


def _copy_mlflow_store(writer: BackupWriter) -> None:
    store = mlflow_store()
    if store is not None and store.exists():  # it is created with the first version
        copy_sqlite(store, writer.path(MLFLOW_STORE))
        writer.keep(MLFLOW_STORE)


def _prune(store: Store, newest: str) -> list[str]:
    """Removes the oldest backups beyond backup.keep, but never the last complete one. Returns their addresses."""
    removed = []
    try:
        names = store.names()
        surplus = names[: -settings.POLICY.backup.keep]
        complete = next((name for name in reversed(names) if INCOMPLETE not in store.sizes(name)), None)
        for name in surplus:
            if name not in (newest, complete):
                store.remove(name)
                removed.append(store.address(name))
    except (OSError, BackupError) as error:  # for example write-only credentials; the new backup is complete anyway
        logger.warning("old backups were not removed: %s", error)
    return removed
