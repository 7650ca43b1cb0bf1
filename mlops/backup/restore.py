"""Restores a backup on an empty site, or with `force` on any site, and tests the restored champion."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from mlops.backup.checksums import SUMS
from mlops.backup.database import copy_sqlite, execute_sqlite, load, require_loadable, rows_by_model
from mlops.backup.encryption import SUFFIX
from mlops.backup.layout import DATABASE, MLFLOW_FILES, MLFLOW_STORE, mlflow_store, places, read_description
from mlops.backup.reader import read_backup
from mlops.backup.stores import Store, open_store
from mlops.backup.workspace import PREFIX, Move, placed, require_room, with_parent, workspace
from mlops.data.validation import frames_as_of
from mlops.errors import BackupError
from mlops.models import ModelVersion
from mlops.registry.artifacts import folder_of, load_version, require_artifact, run_smoke_test
from mlops.registry.smoke_test_input import smoke_test_input
from recommender.estimators import Dataset
from recommender.estimators.artifact_files import place_artifact, replace_folder

# Columns of MLflow's database that hold URIs of files.
MLFLOW_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


@dataclass(frozen=True)
class Restored:
    address: str
    description: dict[str, Any]
    champion: int | None


def verify_backup(source: str) -> tuple[str, bool]:
    """Verifies the backup at `source`, a folder or s3://bucket/prefix, or the newest backup in it.

    Returns its address and whether its content was verified, which requires the secret key if the backup is encrypted.
    Raises BackupError, which lists the files that differ.
    """
    store, name = _newest(source)
    return store.address(name), read_backup(store, name)


def restore_backup(source: str, *, force: bool = False) -> Restored:
    """Restores the files, then the database, which refers to them. Then migrates the database and tests the champion.

    With `force`, replaces the content of a database that is not empty. Raises BackupError. Changes nothing until the
    whole backup is on this host's disks, has been verified and is compatible with this site.
    """
    store, name = _newest(source)
    with ExitStack() as stack:
        staging = _Staging(stack)
        staging.require_room(store.sizes(name), is_local=store.is_local)
        read_backup(store, name, staging.path)
        description = read_description(staging.path)
        _require_fit(description)
        require_loadable(staging.path(DATABASE))
        if not force and (rows := rows_by_model()):
            counts = ", ".join(f"{name} {n}" for name, n in rows.items())
            raise BackupError(
                f"The database is not empty ({counts}). Restore into an empty one, or give --force, which DELETES "
                "everything in this one."
            )
        os.sync()  # so that a power failure cannot truncate files that are moved into place
        with placed(staging.moves()):
            load(staging.path(DATABASE))
        _restore_mlflow(staging, description["mlflow_files"])
    call_command("migrate", verbosity=0, interactive=False)
    return Restored(store.address(name), description, _test_champion())


def _newest(source: str) -> tuple[Store, str]:
    """Returns the store at `source`, and the name of the newest complete backup in it."""
    store = open_store(source)
    if names := store.names():
        return store, names[-1]
    raise BackupError(f"{source}: expected a backup ({SUMS} in it) or a folder with backups ({PREFIX}...).")


class _Staging:
    """Temporary folders on the disks of the site's files. The whole backup is staged there before anything is moved."""

    def __init__(self, stack: ExitStack) -> None:
        roots = places() | {MLFLOW_FILES: Path(settings.MLFLOW_ARTIFACT_DIR).parent, "": Path(settings.VAR_DIR)}
        self._folders = {part: stack.enter_context(workspace(root)) for part, root in roots.items()}

    def path(self, name: str) -> Path:
        """Returns the path where a file of the backup is staged."""
        return with_parent(self._folder(name) / name)

    def folder(self, part: str) -> Path:
        """Returns the path where a folder of the backup is staged. It exists only if the backup has files in it."""
        return self._folders[part] / part

    def require_room(self, sizes: dict[str, int], *, is_local: bool) -> None:
        """Raises BackupError if the staged files do not fit on the disks. Encryption makes files slightly larger."""
        needed = Counter[Path]()
        for name, size in sizes.items():
            needed[self._folder(name)] += size
        copied = [MLFLOW_STORE, *[DATABASE] * (connection.vendor == "sqlite")]  # copied again into place
        again = sum(sizes.get(f"{name}{suffix}", 0) for name in copied for suffix in ("", SUFFIX))
        needed[self._folders[""]] += again + (0 if is_local else max(sizes.values(), default=0))  # during its download
        require_room(needed.items())

    def moves(self) -> Iterator[Move]:
        for part, put in (("models", place_artifact), ("snapshots", replace_folder)):
            for folder in sorted(self.folder(part).glob("*/")):
                yield folder, places()[part] / folder.name, put

    def _folder(self, name: str) -> Path:
        return self._folders[name.partition("/")[0] if "/" in name else ""]


def _require_fit(description: dict[str, Any]) -> None:
    if description["database"] != connection.vendor:
        raise BackupError(f"The backup is of {description['database']}, this site's database is {connection.vendor}.")
    known = (name for key, row in MigrationLoader(None).disk_migrations.items() for name in (key, *row.replaces))
    if unknown := sorted(set(description["migrations"]).difference(map(".".join, known))):
        raise BackupError(
            f"The backup was made by version {description['version']}, which is newer than this one "
            f"({settings.VERSION}): migration {unknown[0]} is unknown here. Install that version first."
        )


def _restore_mlflow(staging: _Staging, former: str) -> None:
    """Restores MLflow's local store and updates the file URIs in it. Does nothing if the store is not local."""
    store, saved, files = mlflow_store(), staging.path(MLFLOW_STORE), staging.folder(MLFLOW_FILES)
    if store is None or not saved.exists():
        return
    if files.exists():
        replace_folder(files, Path(settings.MLFLOW_ARTIFACT_DIR))
    present = Path(settings.MLFLOW_ARTIFACT_DIR).as_uri()
    for table, column in MLFLOW_PLACES:
        statement = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
        execute_sqlite(saved, statement, (present, len(former) + 1, len(former), former))
    copy_sqlite(saved, store)


def _test_champion() -> int | None:
    """Smoke-tests the champion in a separate process. Returns its version, or None. Raises BackupError."""
    version = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).first()
    if version is None:
        return None
    require_artifact(version)
    if version.snapshot.unavailable_reason:
        load_version(version)  # the smoke test needs the training data, which no longer exists
        return version.pk
    ratings, movies = frames_as_of(version.snapshot, version.created_at)
    dataset = Dataset.from_frames(ratings, movies, settings.POLICY.training.implicit_threshold)
    found = run_smoke_test(folder_of(version), smoke_test_input(dataset, version.algorithm, version.random_state))
    if failed := [name for name, passed in found["checks"].items() if not passed]:
        raise BackupError(f"Restored, but version {version.pk} fails its smoke test: {', '.join(failed)}.")
    return version.pk
