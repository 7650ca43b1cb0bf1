"""Writes a backup: a folder with the database, the files that it names, MLflow's local store, and checksums.

The database comes first, as it was at one moment, then the files: artefacts and snapshots never change. Where
retention removes some of them meanwhile, the backup starts again.
"""

import json
import logging
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from mlops.backup.checksums import write_checksums
from mlops.backup.database import copy_sqlite, dump
from mlops.errors import BackupError, NoBackupFolder
from mlops.models import DatasetSnapshot, ModelVersion

logger = logging.getLogger(__name__)

PREFIX, PARTIAL = "movierec-", ".part"
DATABASE, DESCRIPTION, MLFLOW_STORE, MLFLOW_FILES = "database", "backup.json", "mlflow.db", "mlflow"
FORMAT = 1
ATTEMPTS = 3
ABANDONED_SECONDS = 24 * 3600  # age of an unfinished backup whose process must have ended
SECRETS = "secrets: .env, and secret_key and metrics_token below VAR_DIR"
REMOTE_MLFLOW = "MLflow: MLFLOW_TRACKING_URI names no sqlite:/// file, so its store is backed up where it is"


class FilesRemoved(Exception):
    """Files that the database named went away while they were copied."""


@dataclass(frozen=True)
class Backup:
    folder: Path
    size_bytes: int
    left_out: list[str]
    missing: list[str] = field(default_factory=list)  # artefacts and snapshots that the database names
    removed: list[Path] = field(default_factory=list)  # older backups, beyond backup.keep


def places() -> dict[str, Path]:
    """The site's folder for each folder of files in a backup."""
    return {"models": Path(settings.MODEL_DIR), "snapshots": Path(settings.SNAPSHOT_DIR)}


def mlflow_store() -> Path | None:
    """MLflow's database where that is a local file."""
    uri = settings.MLFLOW_TRACKING_URI
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def create_backup(destination: Path | None = None) -> Backup:
    """Writes a new folder into `destination`, or backup.folder, and removes the oldest ones beyond backup.keep.

    Raises NoBackupFolder, and BackupError, after which no new folder is there.
    """
    root = destination or settings.POLICY.backup.folder
    if root is None:
        raise NoBackupFolder("No folder for backups is set (backup.folder in config.yaml).")
    folder = root.absolute() / f"{PREFIX}{timezone.now():%Y%m%dT%H%M%S%fZ}"
    partial = folder.with_name(f".{folder.name}{PARTIAL}")
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        missing, left_out = _write_whole(partial)
        os.sync()  # before the name says that it is whole, also after a power cut
        partial.rename(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        return Backup(folder, size, left_out, missing, _prune(folder))
    except (OSError, shutil.Error) as error:
        raise BackupError(f"No backup was written to {root}: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_whole(partial: Path) -> tuple[list[str], list[str]]:
    """What is missing and what is left out; starts again where files were removed meanwhile."""
    for _ in range(ATTEMPTS):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        try:
            return _write(partial)
        except FilesRemoved as error:
            logger.info("the backup starts again: %s", error)
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


def _prune(newest: Path) -> list[Path]:
    """Removes the oldest backups beside `newest`, and what processes left that were killed; returns the former."""
    others = sorted(path for path in newest.parent.glob(f"{PREFIX}*/") if path.name != newest.name)
    removed = others[: max(0, len(others) + 1 - settings.POLICY.backup.keep)]
    limit = time.time() - ABANDONED_SECONDS
    abandoned = newest.parent.glob(f".{PREFIX}*{PARTIAL}/")
    for folder in [*removed, *(path for path in abandoned if path.stat().st_mtime < limit)]:
        shutil.rmtree(folder, ignore_errors=True)
    return removed
