"""Writes a backup file by file, so that this host needs little temporary disk space."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from mlops.backup.checksums import OWN, SUMS, write_checksums
from mlops.backup.encryption import SUFFIX, encrypt
from mlops.backup.stores import INCOMPLETE, Store, Target
from mlops.backup.workspace import require_room, with_parent, workspace
from mlops.errors import BackupError
from recommender.estimators.artifact_files import sha256


class BackupWriter:
    def __init__(self, target: Target, plain: Path, keys: Sequence[Any]) -> None:
        self.checksums: dict[str, str] = {}  # checksums of the unencrypted files, keyed by name
        self.size_bytes = 0
        self._target, self._plain, self._keys = target, plain, keys
        self._stored: dict[str, str] = {}

    def path(self, name: str) -> Path:
        """Returns the path where a file must be written before it is passed to `keep`."""
        return with_parent(self._plain / name)

    def keep(self, name: str) -> None:
        """Adds the file at `path(name)` to the backup."""
        self.checksums[name] = sha256(self.path(name))
        self._keep(name)

    def add(self, source: Path, name: str) -> None:
        shutil.copyfile(source, self.path(name))
        self.keep(name)

    def add_folder(self, source: Path, name: str) -> None:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            self.add(path, f"{name}/{path.relative_to(source).as_posix()}")

    def require_room(self, files: Iterable[Path]) -> None:
        """Raises BackupError if these files do not fit on the disks."""
        sizes = [path.stat().st_size for path in files]
        needed = [(self._target.folder, sum(sizes) if self._target.is_kept else max(sizes, default=0))]
        if self._keys:
            needed.append((self._plain, max(sizes, default=0)))
        require_room(needed)

    def finish(self, *, is_complete: bool) -> None:
        """Writes the checksums. For an encrypted backup, also writes the checksums of the plain files."""
        write_checksums(self._plain, self.checksums)
        if self._keys:
            for name in (OWN, SUMS):
                self._keep(name)
        if not is_complete:
            (self._target.folder / INCOMPLETE).touch()
            self._hand_over(INCOMPLETE)
        write_checksums(self._target.folder, self._stored)
        for name in (OWN, SUMS):
            self._target.keep(name)

    def _keep(self, name: str) -> None:
        if self._keys:
            encrypted = with_parent(self._target.folder / f"{name}{SUFFIX}")
            encrypt(self._plain / name, encrypted, self._keys)
            (self._plain / name).unlink()
            name = encrypted.relative_to(self._target.folder).as_posix()
        self._hand_over(name)

    def _hand_over(self, name: str) -> None:
        path = self._target.folder / name
        self._stored[name] = sha256(path)
        self.size_bytes += path.stat().st_size
        self._target.keep(name)


@contextmanager
def writing(store: Store, name: str, keys: Sequence[Any]) -> Iterator[BackupWriter]:
    """Yields a writer. The backup appears in the store once the body has ended without an error."""
    with ExitStack() as stack:
        target = stack.enter_context(store.writing(name))
        # Plain files that are to be encrypted are never written to the destination's disk, not even temporarily.
        plain = stack.enter_context(workspace(Path(settings.VAR_DIR))) if keys else target.folder
        yield BackupWriter(target, plain, keys)


@contextmanager
def removed_on_error(store: Store, name: str) -> Iterator[None]:
    """Removes uploaded files if the body raises an error. No other process may use `name`.

    If files cannot be removed, they are not listed as a backup, and a later run removes them.
    """
    try:
        yield
    except BaseException:
        with suppress(OSError, BackupError):
            store.remove(name)
        raise
