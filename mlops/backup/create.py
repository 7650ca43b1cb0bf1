"""Writes a backup: the database as it was at one moment, then the files that it names, which never change, MLflow's
local store, and checksums. Where retention removes files meanwhile, the backup starts again."""

import json
import logging
import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from mlops.backup.database import copy_sqlite, dump
from mlops.backup.encryption import recipients
from mlops.backup.layout import (
    DATABASE,
    DESCRIPTION,
    MANIFESTS,
    MLFLOW_FILES,
    MLFLOW_STORE,
    Found,
    describe,
    mlflow_store,
    places,
)
from mlops.backup.stores import INCOMPLETE, Store, open_store
from mlops.backup.workspace import PREFIX
from mlops.backup.writer import BackupWriter, removed_on_error, writing
from mlops.errors import BackupError, NoBackupFolder
from mlops.findings import Finding, Outcome
from mlops.models import DatasetSnapshot, ModelVersion
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.codes import AlertCode
from mlops.monitoring.staleness import watch_backup

logger = logging.getLogger(__name__)

ATTEMPTS = 3
SECRETS = "secrets: .env, and secret_key and metrics_token below VAR_DIR"
REMOTE_MLFLOW = "MLflow: MLFLOW_TRACKING_URI names no sqlite:/// file, so its store is backed up where it is"


class FilesRemoved(Exception): ...  # which the database names, while they were copied


@dataclass(frozen=True)
class Backup(Found):
    address: str
    size_bytes: int
    is_encrypted: bool
    removed: list[str]  # older backups, beyond backup.keep


def create_backup(destination: str | None = None) -> Backup:
    """Writes a backup to `destination`, a folder or s3://bucket/prefix, or to backup.folder.

    Encrypts it if a key is set, removes the oldest beyond backup.keep; in backup.folder, opens and closes the alerts.
    Raises NoBackupFolder, and BackupError, after which no new backup is there.
    """
    address = destination or settings.POLICY.backup.folder
    if address is None:
        set_alert(AlertCode.BACKUP_FAILED)  # of when there was a folder
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
    for _ in range(ATTEMPTS):
        name = f"{PREFIX}{timezone.now():%Y%m%dT%H%M%S%fZ}"
        try:
            with removed_on_error(store, name), writing(store, name, keys) as writer:
                found = _write(writer)
                writer.finish(is_complete=not found.missing + found.damaged)
        except FilesRemoved as error:
            logger.info("the backup starts again: %s", error)
            continue
        except (OSError, shutil.Error) as error:
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
    named = dump(writer.path(DATABASE), [versions, snapshots])
    writer.keep(DATABASE)
    is_local = _copy_mlflow_store(writer)
    folders = {
        f"{part}/{name}": place / name
        for (part, place), names in zip(places().items(), named, strict=True)
        for name in sorted(names)
    }
    _copy(writer, folders | ({MLFLOW_FILES: settings.MLFLOW_ARTIFACT_DIR} if is_local else {}))
    # Retention updates a row before it removes the files: copies whose rows still name them are whole.
    if removed := named[0].difference(versions.all()) | named[1].difference(snapshots.all()):
        raise FilesRemoved(", ".join(sorted(removed)))
    found = Found(
        left_out=[SECRETS] if is_local else [SECRETS, REMOTE_MLFLOW],
        missing=[name for name, folder in folders.items() if not folder.exists()],
        damaged=[file for name, folder in folders.items() for file in _damaged(writer, name, folder)],
    )
    writer.path(DESCRIPTION).write_text(describe(found), encoding="utf-8")
    writer.keep(DESCRIPTION)
    return found


def _copy(writer: BackupWriter, folders: dict[str, Path]) -> None:
    files = {
        path: f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }
    try:
        writer.require_room(files)
        for path, name in files.items():
            writer.add(path, name)
    except FileNotFoundError as error:
        raise FilesRemoved(error.filename) from error


def _damaged(writer: BackupWriter, name: str, folder: Path) -> list[str]:
    """The files of a copied model or snapshot that its manifest lists and that differ, or the manifest itself."""
    manifest = MANIFESTS[name.partition("/")[0]]
    try:
        listed = json.loads((folder / manifest).read_text(encoding="utf-8")).get("files", {})
    except (OSError, ValueError):
        return [f"{name}/{manifest}"] if folder.exists() else []
    return [f"{name}/{file}" for file, sha in listed.items() if writer.checksums.get(f"{name}/{file}") != sha]


def _copy_mlflow_store(writer: BackupWriter) -> bool:
    """Whether it is local. A store that does not exist yet is."""
    store = mlflow_store()
    if store is not None and store.exists():
        copy_sqlite(store, writer.path(MLFLOW_STORE))
        writer.keep(MLFLOW_STORE)
    return store is not None


def _prune(store: Store, newest: str) -> list[str]:
    """Removes the oldest backups beyond backup.keep, never the last complete one; returns their addresses."""
    removed = []
    try:
        names = store.names()
        surplus = names[: -settings.POLICY.backup.keep]
        complete = next((name for name in reversed(names) if INCOMPLETE not in store.sizes(name)), None)
        for name in surplus:
            if name not in (newest, complete):
                store.remove(name)
                removed.append(store.address(name))
    except (OSError, BackupError) as error:  # such as credentials that may only write: the new backup is whole
        logger.warning("old backups were not removed: %s", error)
    return removed
