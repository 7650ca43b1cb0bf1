"""Where backups are kept: a folder, or a bucket of an S3-compatible store. A backup is found only once it is whole: a
folder gets its name last, and in a bucket its list of checksums is uploaded last and removed first."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import boto3.session
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from mlops.backup.checksums import SUMS, file_names
from mlops.errors import BackupError
from mlops.policy import S3_ADDRESS

PREFIX, PARTIAL = "movierec-", ".part"
ABANDONED_SECONDS = 24 * 3600  # age of an unfinished backup whose process must have ended
DEFAULT_REGION = "us-east-1"  # also where the variable is blank, which boto3 takes for a name


class Store(Protocol):
    """Keeps backups by name; `workspace` is the folder in which one is prepared."""

    workspace: Path

    def names(self) -> list[str]:
        """Names of the whole backups, oldest first; an empty one if the address is that of a backup itself."""

    def address(self, name: str) -> str: ...

    def put(self, folder: Path, name: str) -> None:
        """Moves or copies the prepared folder into the store."""

    def fetch(self, name: str) -> AbstractContextManager[Path]:
        """A local folder with its files."""

    def remove(self, name: str) -> None: ...


def open_store(address: str, prefix: str = PREFIX) -> Store:
    """The store at s3://bucket/prefix, or in a folder; it holds what is named with `prefix`.

    Raises BackupError if the address is malformed.
    """
    return Bucket(address, prefix) if address.startswith("s3:") else Folder(Path(address), prefix)


@contextmanager
def workspace(root: Path) -> Iterator[Path]:
    """A new folder in `root`, gone afterwards; also removes those of processes that were killed long ago."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    limit = time.time() - ABANDONED_SECONDS
    for folder in root.glob(f".{PREFIX}*{PARTIAL}/"):
        if folder.stat().st_mtime < limit:
            shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(PARTIAL, f".{PREFIX}", root, ignore_cleanup_errors=True) as made:
        yield Path(made)


class Folder:
    def __init__(self, root: Path, named: str = PREFIX) -> None:
        self.root = self.workspace = root.absolute()
        self.named = named

    def names(self) -> list[str]:
        if (self.root / SUMS).exists():
            return [""]
        return sorted(path.parent.name for path in self.root.glob(f"{self.named}*/{SUMS}"))

    def address(self, name: str) -> str:
        return str(self.root / name)

    def put(self, folder: Path, name: str) -> None:
        os.sync()  # before the name says that it is whole, also after a power cut
        folder.rename(self.root / name)

    @contextmanager
    def fetch(self, name: str) -> Iterator[Path]:
        yield self.root / name

    def remove(self, name: str) -> None:
        with workspace(self.root) as going:
            (self.root / name).rename(going / name)  # in one step: what is found is whole


class Bucket:
    """Credentials, region and endpoint are boto3's own: AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL_S3 and so on."""

    def __init__(self, address: str, named: str = PREFIX) -> None:
        parts = re.fullmatch(S3_ADDRESS, address)
        if parts is None:  # not shown: it may hold a password
            raise BackupError("The address of the store: expected s3://bucket/prefix, without credentials.")
        self.bucket, prefix = parts["bucket"], (parts["prefix"] or "").strip("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self.named = named
        self.workspace = Path(settings.VAR_DIR)
        with self._errors():
            self.client = _client()

    def names(self) -> list[str]:
        if SUMS in self._objects(SUMS):
            return [""]
        found = (re.fullmatch(f"({self.named}[^/]+)/{SUMS}", key) for key in self._objects(self.named))
        return sorted(match[1] for match in found if match)

    def address(self, name: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{name}".rstrip("/")

    def put(self, folder: Path, name: str) -> None:
        self._remove_abandoned()
        with self._errors():
            for file in sorted(file_names(folder), key=lambda file: file == SUMS):
                self.client.upload_file(str(folder / file), self.bucket, f"{self.prefix}{name}/{file}")

    @contextmanager
    def fetch(self, name: str) -> Iterator[Path]:
        with workspace(self.workspace) as folder:
            for key in self._objects(f"{name}/" if name else ""):
                target = folder / key.removeprefix(f"{name}/")
                if not target.resolve().is_relative_to(folder.resolve()):
                    raise BackupError(f"{self.address(name)}: {key!r} names a file outside of the backup.")
                target.parent.mkdir(parents=True, exist_ok=True)
                with self._errors():
                    self.client.download_file(self.bucket, self.prefix + key, str(target))
            yield folder

    def remove(self, name: str) -> None:
        with self._errors():
            for key in sorted(self._objects(f"{name}/"), key=lambda key: key != f"{name}/{SUMS}"):
                self.client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def _remove_abandoned(self) -> None:
        whole, latest = set(self.names()), dict[str, float]()
        for key, changed in self._objects(self.named).items():
            name = key.partition("/")[0]
            latest[name] = max(changed, latest.get(name, 0))
        for name, changed in latest.items():
            if name not in whole and changed < time.time() - ABANDONED_SECONDS:
                self.remove(name)

    def _objects(self, under: str) -> dict[str, float]:
        """The time of the last change of each object, by its key behind the prefix."""
        with self._errors():
            lister = self.client.get_paginator("list_objects_v2")
            pages = lister.paginate(Bucket=self.bucket, Prefix=self.prefix + under)
            rows = [row for page in pages for row in page.get("Contents", []) if not row["Key"].endswith("/")]
        return {row["Key"].removeprefix(self.prefix): row["LastModified"].timestamp() for row in rows}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (Boto3Error, BotoCoreError, ClientError, ValueError) as error:
            raise BackupError(f"{self.address('')}: {error}") from error


def _client() -> Any:
    config = Config(
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 5},
        # Our own checksums cover every byte; not every compatible store knows those that S3 has added.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = boto3.session.Session()
    return session.client("s3", region_name=session.region_name or DEFAULT_REGION, config=config)
