"""Temporary folders for preparing a backup or a restore, and a check of free disk space."""

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mlops.errors import BackupError
from recommender.estimators.artifact_files import replace_folder

Move = tuple[Path, Path, Callable[[Path, Path], None]]  # a folder, its destination, and the function that moves it

PREFIX, PARTIAL = "movierec-", ".part"
ABANDONED_SECONDS = 24 * 3600  # unfinished backups older than this are abandoned


@contextmanager
def workspace(root: Path) -> Iterator[Path]:
    """Yields a temporary folder in `root`. Also removes abandoned folders of killed processes."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    limit = time.time() - ABANDONED_SECONDS
    for folder in root.glob(f".{PREFIX}*{PARTIAL}/"):
        with suppress(FileNotFoundError):  # its process has ended in the meantime
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(PARTIAL, f".{PREFIX}", root, ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextmanager
def placed(moves: Iterable[Move]) -> Iterator[None]:
    """Moves folders into place. If the body fails, restores the former folders."""
    with ExitStack() as former:
        for folder, place, put in moves:
            if place.exists():
                kept = folder.with_name(f"{folder.name}.former")
                shutil.copytree(place, kept, copy_function=_link_or_copy)
                former.callback(replace_folder, kept, place)
            put(folder, place)
        yield
        former.pop_all()


def _link_or_copy(source: str, target: str) -> None:
    """Creates a hard link, or a copy if the file system does not support links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def with_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def require_room(needed: Iterable[tuple[Path, int]]) -> None:
    """Raises BackupError with the missing MB if the disks lack space. `needed` maps folders to bytes."""
    by_disk, folders = Counter[int](), dict[int, Path]()
    for folder, size in needed:
        disk = folder.stat().st_dev
        by_disk[disk] += size
        folders.setdefault(disk, folder)
    for disk, size in by_disk.items():
        free = shutil.disk_usage(folders[disk]).free
        if free < size:
            raise BackupError(
                f"The disk of {folders[disk].parent} lacks {_megabytes(size - free)} MB: {_megabytes(size)} MB are "
                f"needed, {_megabytes(free)} MB are free."
            )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"
