"""The files of an artefact: written durably, read-only, with changes detected."""

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
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_signature(folder: Path) -> FileSignature:
    """Equal while no file was written, replaced or removed; read without opening any. Empty without a folder.

    It may differ for equal files, such as after a change of their rights: `verify_artifact` decides.
    """
    try:
        entries = [(entry.name, entry.stat()) for entry in os.scandir(folder)]
    except OSError:
        return frozenset()
    return frozenset((name, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in entries)


def place_artifact(written: Path, folder: Path) -> None:
    """The one way to an artefact: makes the written files read-only and moves their folder to its place."""
    for path in written.iterdir():
        path.chmod(READ_ONLY)
        sync(path)
    written.chmod(0o755)  # web workers may run as another user
    sync(written)
    replace_folder(written, folder)


def copy_artifact(source: Path, folder: Path) -> None:
    """Like `place_artifact`, for files that stay where they are, perhaps on another disk."""
    copy_folder(source, folder, put=place_artifact)


def copy_folder(source: Path, folder: Path, put: Callable[[Path, Path], None] | None = None) -> None:
    """Copies beside `folder` first, then replaces it, or `put`s the copy into its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".copy-", dir=folder.parent) as staging:
        (put or replace_folder)(Path(shutil.copytree(source, Path(staging) / folder.name)), folder)


def replace_folder(written: Path, folder: Path) -> None:
    """Moves a folder to a place on the same disk; what was there goes only once the new one is in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = written.with_name(f"{written.name}.old")
    try:
        if folder.exists():
            folder.rename(old)
        written.rename(folder)
    except BaseException:  # also a time limit or Ctrl-C between the two
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def durable_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that survives a power cut."""
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Flushes a file's content or a folder's entries to disk, so that they survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
