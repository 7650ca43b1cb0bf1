"""Packages: a version as a folder with model/, snapshot/, version.json, its model card, and SHA256SUMS for all files.

A package is named after its model's checksum and stored in a folder or an S3-compatible bucket (MODEL_STORE). Its
ratings are pseudonymous but still personal data, so the store must be as private as a backup.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from mlops.backup.reader import read_backup
from mlops.backup.stores import Store, open_store
from mlops.backup.workspace import with_parent, workspace
from mlops.backup.writer import writing
from mlops.errors import BackupError, PackageError, SnapshotNotAvailable
from mlops.models import ModelVersion
from mlops.registry.artifacts import folder_of, require_artifact
from mlops.registry.model_card import CARD, model_card
from recommender.estimators import ArtifactError, artifact_checksum, load_recommender

FORMAT = 1
PREFIX = "model-"
MLFLOW = "mlflow://"  # value of MODEL_STORE for the tracking server, to which versions are mirrored anyway
MODEL, SNAPSHOT, RECORD = "model", "snapshot", "version.json"
COPIED = ("algorithm", "parameters", "chosen", "config_hash", "code_revision", "random_state", "libraries", "threads")


def package_name(checksum: str) -> str:
    return f"{PREFIX}{checksum}"


def model_store() -> str:
    """Returns the address of the model store. Raises PackageError if it is not set or does not accept packages."""
    if not settings.MODEL_STORE:
        raise PackageError("No store of models is set (MODEL_STORE in .env).")
    if settings.MODEL_STORE == MLFLOW:
        raise PackageError("MLflow has models without the data of a package: name a folder or s3://bucket/prefix.")
    return str(settings.MODEL_STORE)


def write_package(version: ModelVersion, address: str) -> str:
    """Writes the version to the store at `address`, unless it is already there. Returns the package's address.

    Raises ArtifactNotAvailable, SnapshotNotAvailable, PackageError.
    """
    require_artifact(version)
    if reason := version.snapshot.unavailable_reason:
        raise SnapshotNotAvailable(reason)
    name = package_name(version.artifact_checksum)
    with _errors():
        store = _open(address)
        if name not in store.names():
            with writing(store, name, keys=()) as writer:
                writer.add_folder(folder_of(version), MODEL)
                writer.add_folder(settings.SNAPSHOT_DIR / version.snapshot.folder, SNAPSHOT)
                writer.path(RECORD).write_text(json.dumps(_record(version), indent=1) + "\n", encoding="utf-8")
                writer.keep(RECORD)
                writer.path(CARD).write_text(model_card(version), encoding="utf-8")
                writer.keep(CARD)
                writer.finish(is_complete=True)
        return store.address(name)


@contextmanager
def open_package(address: str, *, below: tuple[str, ...] = ("",)) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yields a local folder with the package's files under the paths `below`, and the package's record. Verifies the
    files.

    Raises PackageError.
    """
    with workspace(Path(settings.VAR_DIR)) as folder:
        with _errors():
            store = _open(address)
            if store.names() != [""]:
                raise PackageError(
                    f"{address} is not a package of a model: expected the address that export_model printed."
                )
            read_backup(store, "", lambda file: with_parent(folder / file), needed=(RECORD,), below=below)
        yield folder, _checked_record(folder, address)


def _open(address: str) -> Store:
    return open_store(address, PREFIX)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (BackupError, OSError) as error:
        raise PackageError(f"The store of models: {error}") from error


def _record(version: ModelVersion) -> dict[str, Any]:
    found = {"format": FORMAT} | {name: getattr(version, name) for name in COPIED}
    times = {"exported_at": version.snapshot.exported_at.isoformat(), "created_at": version.created_at.isoformat()}
    return found | {"checksum": version.artifact_checksum, "snapshot": version.snapshot.content_hash} | times


def _checked_record(folder: Path, address: str) -> dict[str, Any]:
    try:
        record = dict(json.loads((folder / RECORD).read_text(encoding="utf-8")))
        if record["format"] != FORMAT:
            raise PackageError(f"{address} has format {record['format']}; this version reads {FORMAT}.")
        record |= {name: datetime.fromisoformat(record[name]) for name in ("exported_at", "created_at")}
        if missing := {*COPIED, "checksum", "snapshot"} - record.keys():
            raise PackageError(f"{address}: {RECORD} lacks {', '.join(sorted(missing))}.")
        if artifact_checksum(folder / MODEL) != record["checksum"]:
            raise PackageError(f"{address}: the model is not the one that {RECORD} names.")
        load_recommender(folder / MODEL, mmap=True)
    except (OSError, ValueError, KeyError, TypeError, ArtifactError) as error:
        raise PackageError(f"{address} cannot be used: {error!r}") from error
    return record
