"""Restores a backup on a site without data, or with `force` on any, and tests the restored champion."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from mlops.backup.checksums import SUMS, differences
from mlops.backup.create import (
    DATABASE,
    DESCRIPTION,
    FORMAT,
    MLFLOW_FILES,
    MLFLOW_STORE,
    mlflow_store,
    places,
)
from mlops.backup.database import copy_sqlite, execute_sqlite, load, require_loadable, rows_by_model
from mlops.backup.encryption import decrypt_folder, identities, is_encrypted
from mlops.backup.stores import PREFIX, open_store, workspace
from mlops.data.snapshots import copy_folder
from mlops.data.validation import frames_as_of
from mlops.errors import BackupError
from mlops.models import ModelVersion
from mlops.registry.artifacts import folder_of, load_version, require_artifact, run_smoke_test
from mlops.registry.smoke_test_input import smoke_test_input
from recommender.estimators import Dataset

# Columns of MLflow that hold where files are, as an address.
MLFLOW_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
SHOWN = 20  # files that differ


@dataclass(frozen=True)
class Restored:
    address: str
    description: dict[str, Any]
    champion: int | None


def verify_backup(source: str) -> tuple[str, bool]:
    """Reads every byte of the backup at `source`, a folder or s3://bucket/prefix, or of the newest one there.

    Returns its address and whether its content was looked at too: that of an encrypted one takes the secret key.
    Raises BackupError that names each file that differs.
    """
    with _fetched(source) as (address, folder):
        if is_encrypted(folder) and not identities():
            return address, False
        with _decrypted(address, folder):
            return address, True


def restore_backup(source: str, *, force: bool = False) -> Restored:
    """Restores files first, then the database, which names them; then migrates and tests the champion.

    `force` replaces everything in a database that is not empty. Raises BackupError; nothing is changed before the
    backup was found whole and fit for this site.
    """
    with _fetched(source) as (address, fetched), _decrypted(address, fetched) as folder:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        _require_fit(description)
        require_loadable(folder / DATABASE)
        if not force and (rows := rows_by_model()):
            counts = ", ".join(f"{name} {n}" for name, n in rows.items())
            raise BackupError(
                f"The database is not empty ({counts}). Restore into an empty one, or give --force, which DELETES "
                "everything in this one."
            )
        for part, place in places().items():
            for saved in sorted((folder / part).glob("*/")):
                copy_folder(saved, place / saved.name)
        load(folder / DATABASE)
        _restore_mlflow(folder, description["mlflow_files"])
    call_command("migrate", verbosity=0, interactive=False)
    return Restored(address, description, _test_champion())


@contextmanager
def _fetched(source: str) -> Iterator[tuple[str, Path]]:
    """The address of the newest whole backup, and a local folder with its files as they were written."""
    store = open_store(source)
    names = store.names()
    if not names:
        raise BackupError(f"{source}: expected a backup ({SUMS} in it) or a folder with backups ({PREFIX}...).")
    address = store.address(names[-1])
    with store.fetch(names[-1]) as folder:
        _require_unchanged(address, folder)
        yield address, folder


@contextmanager
def _decrypted(address: str, folder: Path) -> Iterator[Path]:
    """The folder itself, if it is not encrypted."""
    if not is_encrypted(folder):
        yield folder
        return
    with workspace(settings.VAR_DIR) as plain:
        decrypt_folder(folder, plain)
        _require_unchanged(address, plain)
        yield plain


def _require_unchanged(address: str, folder: Path) -> None:
    if found := differences(folder):
        more = f"\n... and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise BackupError(f"{address} is damaged:\n" + "\n".join(found[:SHOWN]) + more)


def _require_fit(description: dict[str, Any]) -> None:
    if description["format"] != FORMAT:
        raise BackupError(f"The backup has format {description['format']}; this version reads {FORMAT}.")
    if description["database"] != connection.vendor:
        raise BackupError(f"The backup is of {description['database']}, this site's database is {connection.vendor}.")
    known = MigrationLoader(None).disk_migrations
    names = {".".join(key) for key, row in known.items() for key in (key, *row.replaces)}
    if unknown := sorted(set(description["migrations"]) - names):
        raise BackupError(
            f"The backup was made by version {description['version']}, which is newer than this one "
            f"({settings.VERSION}): migration {unknown[0]} is unknown here. Install that version first."
        )


def _restore_mlflow(folder: Path, former: str) -> None:
    """The store of a site that keeps it elsewhere is left as it is. Addresses of files follow them to their place."""
    store = mlflow_store()
    if store is None or not (folder / MLFLOW_STORE).exists():
        return
    if (folder / MLFLOW_FILES).exists():
        copy_folder(folder / MLFLOW_FILES, settings.MLFLOW_ARTIFACT_DIR)
    copy_sqlite(folder / MLFLOW_STORE, store)
    present = Path(settings.MLFLOW_ARTIFACT_DIR).as_uri()
    for table, column in MLFLOW_PLACES:
        statement = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
        execute_sqlite(store, statement, (present, len(former) + 1, len(former), former))


def _test_champion() -> int | None:
    """Loads and smoke-tests it in a process of its own; its version. Raises BackupError."""
    version = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).first()
    if version is None:
        return None
    require_artifact(version)
    if version.snapshot.unavailable_reason:
        load_version(version)  # without its data there is nothing to compare lists with
        return version.pk
    ratings, movies = frames_as_of(version.snapshot, version.created_at)
    dataset = Dataset.from_frames(ratings, movies, settings.POLICY.training.implicit_threshold)
    found = run_smoke_test(folder_of(version), smoke_test_input(dataset, version.algorithm, version.random_state))
    if failed := [name for name, passed in found["checks"].items() if not passed]:
        raise BackupError(f"Restored, but version {version.pk} fails its smoke test: {', '.join(failed)}.")
    return version.pk
