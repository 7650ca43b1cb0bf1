"""Writes the files of an artefact durably and read-only, and detects changes."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

READ_ONLY = 0o444

FileSignature = frozenset[tuple[str, int, int, int, int]]


def sha256(path: Path) -> str:
    """Return the hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_signature(folder: Path) -> FileSignature:
    """Return a signature that changes when a file is written, replaced or removed. Empty if there is no folder.

    Opens no file. The signature can also change without a change of contents, for example after chmod, so
    `verify_artifact` decides.
    """
    try:
        entries = [(entry.name, entry.stat()) for entry in os.scandir(folder)]
    except OSError:
        return frozenset()
    return frozenset((name, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in entries)


def place_artifact(written: Path, folder: Path) -> None:
    """Make the written files read-only and move their folder into place. Every artefact is created by this function."""
    for path in written.iterdir():
        path.chmod(READ_ONLY)
        sync(path)
    written.chmod(0o755)  # web workers may run as another user
    sync(written)
    replace_folder(written, folder)


def copy_artifact(source: Path, folder: Path) -> None:
    """Like `place_artifact`, but copy the files, which may be on another disk."""
    copy_folder(source, folder, put=place_artifact)


def copy_folder(source: Path, folder: Path, put: Callable[[Path, Path], None] | None = None) -> None:
    """Copy to a temporary folder next to `folder`, then replace `folder` with the copy. Uses `put` if given."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=folder.parent) as staging:
        (put or replace_folder)(Path(shutil.copytree(source, Path(staging) / folder.name)), folder)


def replace_folder(written: Path, folder: Path) -> None:
    """Move a folder on the same disk. An existing folder is removed only after the new one is in place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = written.with_name(f"{written.name}.old")
    try:
        if folder.exists():
            folder.rename(old)
        written.rename(folder)
    except BaseException:  # includes a time limit or Ctrl-C between the two renames
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def durable_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file whose content survives a power failure."""
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Flush a file's content or a folder's entries to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
