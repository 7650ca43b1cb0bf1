"""Reads a backup file by file and verifies the checksums."""

import errno
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from mlops.backup.checksums import OWN, SUMS, differences, read_checksums, require_within
from mlops.backup.encryption import SUFFIX, decrypt, identities, require_identities
from mlops.backup.layout import DATABASE, DESCRIPTION
from mlops.backup.stores import INCOMPLETE, Store
from mlops.backup.workspace import workspace
from mlops.errors import BackupError
from recommender.estimators.artifact_files import sha256

LISTS = (SUMS, OWN)
SHOWN = 20  # most files that an error lists

Place = Callable[[str], Path]


def read_backup(
    store: Store,
    name: str,
    place: Place | None = None,
    *,
    needed: tuple[str, ...] = (DESCRIPTION, DATABASE),
    below: tuple[str, ...] = ("",),
) -> bool:
    """Reads and verifies the files under the paths `below`. `place` returns the path to copy a file to.

    The files in `needed` must exist; the default is the files of a site's backup. Returns whether the content was
    verified, which requires the secret key if the backup is encrypted. Raises BackupError, which lists the files that
    differ. Files that were copied before the error must not be used.
    """
    with workspace(Path(settings.VAR_DIR)) as scratch:
        return _Reader(store, name, scratch, place, below).read(needed)


class _Reader:
    def __init__(self, store: Store, name: str, scratch: Path, place: Place | None, below: tuple[str, ...]) -> None:
        self.store, self.name, self.scratch, self.place, self.below = store, name, scratch, place, below
        self.decrypted: dict[str, str] = {}  # checksums of decrypted files, keyed by name

    def read(self, needed: tuple[str, ...]) -> bool:
        names = set(self.store.sizes(self.name))
        self._require_none({name: "missing" for name in LISTS if name not in names})
        expected = self._checksums(*map(self._content, LISTS))
        names.difference_update(LISTS)
        require_within(names)
        is_encrypted = f"{SUMS}{SUFFIX}" in expected
        keys = identities() if is_encrypted else []
        wrong = differences(expected, {name: expected.get(name, "") for name in names})
        required = {f"{name}{SUFFIX if is_encrypted else ''}" for name in needed}
        wrong |= dict.fromkeys(required - expected.keys(), f"missing; expected {' and '.join(needed)}")
        if is_encrypted and self.place and not keys:  # fail before downloading everything
            self._require_none(wrong)
            require_identities()
        for file in sorted(names & expected.keys()):
            if file.startswith(self.below) and (
                problem := self._problem(file, expected[file], keys, is_plain=not is_encrypted)
            ):
                wrong[file] = problem
        self._require_none(wrong)
        if keys:
            content = self._checksums(*((self.scratch / name).read_bytes() for name in LISTS))
            self._require_none(differences(content, self.decrypted))
        return not is_encrypted or bool(keys)

    def _problem(self, file: str, checksum: str, keys: Sequence[Any], *, is_plain: bool) -> str | None:
        try:
            path = self.store.fetch(self.name, file, self.scratch)
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
            return self.store.fetch(self.name, file, self.scratch).read_bytes()
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
