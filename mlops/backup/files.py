"""Writes and reads a backup file by file, so that this host needs little room beside what it keeps."""

import errno
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from mlops.backup.checksums import OWN, SUMS, differences, read_checksums, require_within, sha256, write_checksums
from mlops.backup.encryption import SUFFIX, decrypt, encrypt, identities, require_identities
from mlops.backup.stores import INCOMPLETE, Store, Target
from mlops.backup.workspace import require_room, workspace
from mlops.errors import BackupError

LISTS = (SUMS, OWN)
SHOWN = 20  # files that differ

Place = Callable[[str], Path]


class BackupWriter:
    def __init__(self, target: Target, plain: Path, keys: Sequence[Any]) -> None:
        self.checksums: dict[str, str] = {}  # of the files as they are on the site
        self.size_bytes = 0
        self._target, self._plain, self._keys = target, plain, keys
        self._stored: dict[str, str] = {}

    def path(self, name: str) -> Path:
        """Where a file is to be written before `keep`."""
        return with_parent(self._plain / name)

    def keep(self, name: str) -> None:
        """The file is written."""
        self.checksums[name] = sha256(self.path(name))
        self._keep(name)

    def add(self, source: Path, name: str) -> None:
        shutil.copyfile(source, self.path(name))
        self.keep(name)

    def add_folder(self, source: Path, name: str) -> None:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            self.add(path, f"{name}/{path.relative_to(source).as_posix()}")

    def require_room(self, files: Iterable[Path]) -> None:
        """Raises BackupError if these files do not fit on the disks that they will need."""
        sizes = [path.stat().st_size for path in files]
        needed = [(self._target.folder, sum(sizes) if self._target.is_kept else max(sizes, default=0))]
        if self._keys:
            needed.append((self._plain, max(sizes, default=0)))
        require_room(needed)

    def finish(self, *, is_complete: bool) -> None:
        """Adds the lists of checksums, that of the files as they are stored last."""
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


def with_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def writing(store: Store, name: str, keys: Sequence[Any]) -> Iterator[BackupWriter]:
    """The backup is in the store once this ends without an error."""
    with ExitStack() as stack:
        target = stack.enter_context(store.writing(name))
        # What is to be encrypted does not lie on the other disk as it is, not even for a moment.
        plain = stack.enter_context(workspace(Path(settings.VAR_DIR))) if keys else target.folder
        yield BackupWriter(target, plain, keys)


def read_backup(store: Store, name: str, place: Place | None = None) -> bool:
    """Reads every byte. `place` gives the path that each of the site's files is copied to.

    Returns whether the content was looked at, which takes the secret key of an encrypted one. Raises BackupError that
    names each file that differs; what was copied until then is of no use.
    """
    with workspace(Path(settings.VAR_DIR)) as scratch:
        return _Reader(store, name, scratch, place).read()


class _Reader:
    def __init__(self, store: Store, name: str, scratch: Path, place: Place | None) -> None:
        self.store, self.name, self.scratch, self.place = store, name, scratch, place
        self.decrypted: dict[str, str] = {}  # checksums

    def read(self) -> bool:
        names = set(self.store.sizes(self.name))
        self._require_none({name: "missing" for name in LISTS if name not in names})
        expected = self._checksums(*map(self._content, LISTS))
        names.difference_update(LISTS)
        require_within(names)
        is_encrypted = f"{SUMS}{SUFFIX}" in expected
        keys = identities() if is_encrypted else []
        wrong = differences(expected, {name: expected.get(name, "") for name in names})
        for file in sorted(names & expected.keys()):
            if problem := self._problem(file, expected[file], keys, is_plain=not is_encrypted):
                wrong[file] = problem
        self._require_none(wrong)
        if is_encrypted and self.place:
            require_identities()
        if keys:
            content = self._checksums(*((self.scratch / name).read_bytes() for name in LISTS))
            self._require_none(differences(content, self.decrypted))
        return not is_encrypted or bool(keys)

    def _problem(self, file: str, checksum: str, keys: Sequence[Any], *, is_plain: bool) -> str | None:
        try:
            with self.store.opened(self.name, file) as path:
                if sha256(path) != checksum:
                    return "changed"
                if keys and file.endswith(SUFFIX):
                    self._decrypt(path, file.removesuffix(SUFFIX), keys)
                elif self.place and is_plain and file != INCOMPLETE:
                    copy = self.place(file)
                    shutil.copyfile(path, copy)
                    return None if sha256(copy) == checksum else "changed"
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise BackupError(f"{file} cannot be copied to this host: {error.strerror}.") from error
            return f"cannot be read ({error.strerror})"
        return None

    def _decrypt(self, path: Path, file: str, keys: Sequence[Any]) -> None:
        is_listing = file in LISTS
        target = self.place(file) if self.place and not is_listing else self.scratch / (file if is_listing else "file")
        decrypt(path, target, keys, name=file)
        if not is_listing:
            self.decrypted[file] = sha256(target)

    def _content(self, file: str) -> bytes:
        try:
            with self.store.opened(self.name, file) as path:
                return path.read_bytes()
        except OSError as error:
            self._require_none({file: f"cannot be read ({error.strerror})"})
            raise

    def _checksums(self, lines: bytes, own: bytes) -> dict[str, str]:
        checksums = read_checksums(lines, own)
        if checksums is None:
            text = f"changed, it does not match {OWN}; no other file can be checked by them"
            self._require_none({SUMS: text})
        return checksums or {}

    def _require_none(self, wrong: dict[str, str]) -> None:
        if not wrong:
            return
        lines = [f"{file}: {problem}" for file, problem in sorted(wrong.items())]
        more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        raise BackupError("\n".join([f"{self.store.address(self.name)} is damaged:", *lines[:SHOWN], *more]))
