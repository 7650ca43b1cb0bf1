"""Stores of backups: a folder, or a bucket in an S3-compatible store.

Only complete backups are listed. A folder is renamed last. In a bucket, the list of checksums is uploaded last and
removed first."""

import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import boto3.session
import botocore.loaders
import botocore.session
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from mlops.backup import workspace as workspaces
from mlops.backup.checksums import SUMS
from mlops.backup.workspace import PREFIX, workspace
from mlops.errors import BackupError
from mlops.policy import NO_FOLDER, S3_ADDRESS

logger = logging.getLogger(__name__)

INCOMPLETE = "INCOMPLETE"  # marker file in backups of a site that had lost files
DEFAULT_REGION = "us-east-1"  # also used if the variable is blank, which boto3 would take for a region's name
# Timeouts and attempts are set so that a command ends within four minutes if a store does not respond. A download
# multiplies its own attempts by those of each request.
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS, DOWNLOAD_ATTEMPTS = 10, 20, 3, 3
THREADS_ABOVE = 8 << 20  # bytes; smaller files take a single request, which is twice as fast without threads


class Target(Protocol):
    """A backup that is being written."""

    folder: Path  # folder in which its files are prepared
    is_kept: bool  # whether the prepared files stay in the folder

    def keep(self, file: str) -> None:
        """Stores the prepared file."""


class Store(Protocol):
    """A store of named backups."""

    is_local: bool  # whether files can be read in place, without a copy

    def names(self) -> list[str]:
        """Returns the names of the complete backups, oldest first, or [""] if the address is itself a backup."""

    def address(self, name: str) -> str: ...

    def writing(self, name: str) -> AbstractContextManager[Target]:
        """Writes a new backup, which is listed once the body has ended without an error. Write checksums last."""

    def sizes(self, name: str) -> dict[str, int]:
        """Returns the size of each file in bytes, keyed by name."""

    def fetch(self, name: str, file: str, folder: Path) -> Path:
        """Returns a path to read the file from. A copy in `folder` is deleted when the next file is fetched."""

    def remove(self, name: str) -> None: ...


def open_store(address: str, prefix: str = PREFIX) -> Store:
    """Returns the store at s3://bucket/prefix or in a folder. The names of its backups begin with `prefix`.

    Raises BackupError if the address is malformed.
    """
    return Bucket(address, prefix) if re.match(NO_FOLDER, address) else Folder(Path(address), prefix)


class FolderTarget:
    is_kept = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, file: str) -> None:
        """Does nothing, because the file is already in place."""


class Folder:
    is_local = True

    def __init__(self, root: Path, named: str = PREFIX) -> None:
        self.root, self.named = root.absolute(), named

    def names(self) -> list[str]:
        if (self.root / SUMS).exists():
            return [""]
        return sorted(path.parent.name for path in self.root.glob(f"{self.named}*/{SUMS}"))

    def address(self, name: str) -> str:
        return str(self.root / name)

    @contextmanager
    def writing(self, name: str) -> Iterator[Target]:
        with workspace(self.root) as folder:
            yield FolderTarget(folder)
            os.sync()  # before the rename, so that a listed backup is complete even after a power failure
            folder.rename(self.root / name)

    def sizes(self, name: str) -> dict[str, int]:
        folder = self.root / name
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}

    def fetch(self, name: str, file: str, folder: Path) -> Path:
        return self.root / name / file

    def remove(self, name: str) -> None:
        with workspace(self.root) as going:
            (self.root / name).rename(going / name)  # atomic, so that no partly removed backup is listed


class BucketTarget:
    is_kept = False

    def __init__(self, folder: Path, upload: Callable[[Path, str], None]) -> None:
        self.folder, self.upload = folder, upload

    def keep(self, file: str) -> None:
        self.upload(self.folder / file, file)
        (self.folder / file).unlink()


class Row(NamedTuple):
    """An object in a bucket."""

    size: int
    changed: float


class Bucket:
    """A store in a bucket. boto3 reads the credentials, region and endpoint (AWS_ENDPOINT_URL_S3) from environment
    variables.
    """

    is_local = False

    def __init__(self, address: str, named: str = PREFIX) -> None:
        parts = re.fullmatch(S3_ADDRESS, address)
        if parts is None:  # the error must not show the address, which may contain a password
            raise BackupError("The address of the store: expected a folder or s3://bucket/prefix, without credentials.")
        self.bucket, prefix = parts["bucket"], (parts["prefix"] or "").strip("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self.named = named
        with self._errors():
            self.client = _client()

    def names(self) -> list[str]:
        if SUMS in self._objects(SUMS):
            return [""]
        found = (re.fullmatch(f"({self.named}[^/]+)/{SUMS}", key) for key in self._objects(self.named))
        return sorted(match[1] for match in found if match)

    def address(self, name: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{name}".rstrip("/")

    @contextmanager
    def writing(self, name: str) -> Iterator[Target]:
        def upload(path: Path, file: str) -> None:
            config = TransferConfig(use_threads=path.stat().st_size > THREADS_ABOVE)
            with self._errors():
                self.client.upload_file(str(path), self.bucket, f"{self.prefix}{name}/{file}", Config=config)

        self._remove_abandoned()
        with workspace(Path(settings.VAR_DIR)) as folder:
            yield BucketTarget(folder, upload)

    def sizes(self, name: str) -> dict[str, int]:
        under = f"{name}/" if name else ""
        return {key.removeprefix(under): row.size for key, row in self._objects(under).items()}

    def fetch(self, name: str, file: str, folder: Path) -> Path:
        key = f"{self.prefix}{name}/{file}" if name else f"{self.prefix}{file}"
        copy = folder / "fetched"
        copy.unlink(missing_ok=True)
        config = TransferConfig(num_download_attempts=DOWNLOAD_ATTEMPTS)
        with self._errors():
            self.client.download_file(self.bucket, key, str(copy), Config=config)
        return copy

    def remove(self, name: str) -> None:
        with self._errors():
            for key in sorted(self._objects(f"{name}/"), key=lambda key: key != f"{name}/{SUMS}"):
                self.client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def _remove_abandoned(self) -> None:
        whole, latest = set(self.names()), dict[str, float]()
        for key, row in self._objects(self.named).items():
            name = key.partition("/")[0]
            latest[name] = max(row.changed, latest.get(name, 0))
        limit = time.time() - workspaces.ABANDONED_SECONDS
        try:
            for name in (name for name, changed in latest.items() if name not in whole and changed < limit):
                self.remove(name)
        except BackupError as error:  # for example credentials without permission to delete
            logger.warning("abandoned uploads were not removed: %s", error)

    def _objects(self, under: str) -> dict[str, Row]:
        """Returns the bucket's objects, keyed by name without the prefix."""
        with self._errors():
            lister = self.client.get_paginator("list_objects_v2")
            pages = lister.paginate(Bucket=self.bucket, Prefix=self.prefix + under)
            rows = [row for page in pages for row in page.get("Contents", []) if not row["Key"].endswith("/")]
        return {row["Key"].removeprefix(self.prefix): Row(row["Size"], row["LastModified"].timestamp()) for row in rows}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (Boto3Error, BotoCoreError, ClientError, ValueError) as error:
            raise BackupError(f"{self.address('')}: {error}") from error


def _client() -> Any:
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        # Our own checksums cover every byte, and not every compatible store supports S3's newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    core = botocore.session.Session()
    core.register_component("data_loader", _loader())
    session = boto3.session.Session(botocore_session=core)
    return session.client("s3", region_name=session.region_name or DEFAULT_REGION, config=config)


@cache
def _loader() -> botocore.loaders.Loader:
    """Returns a cached loader of S3's service model, because loading it takes longer than uploading 30 files."""
    return botocore.loaders.create_loader()
