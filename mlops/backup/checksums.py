"""SHA-256 checksums of a backup's files in the format of `sha256sum`, so that a backup can be verified without the
site.

`SHA256SUMS` lists every file except itself and `SHA256SUMS.sha256`, which holds its checksum. `sha256sum -c` verifies
both.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from mlops.errors import BackupError
from recommender.estimators.artifact_files import sha256

SUMS, OWN = "SHA256SUMS", "SHA256SUMS.sha256"


def write_checksums(folder: Path, checksums: dict[str, str]) -> None:
    """Writes `SHA256SUMS` and `SHA256SUMS.sha256`. `checksums` is keyed by file name."""
    (folder / SUMS).write_bytes(b"".join(_line(checksum, name) for name, checksum in sorted(checksums.items())))
    (folder / OWN).write_bytes(_line(sha256(folder / SUMS), SUMS))


def read_checksums(lines: bytes, own: bytes) -> dict[str, str] | None:
    """Returns the checksums in `SHA256SUMS`, keyed by file name; None if its own checksum differs.

    Raises BackupError if a name points outside the backup.
    """
    if own != _line(hashlib.sha256(lines).hexdigest(), SUMS):
        return None
    parts = [line.partition("  ") for line in lines.decode(errors="replace").split("\n")[:-1]]
    require_within(name for _, _, name in parts)
    return {name: checksum for checksum, _, name in parts}


def require_within(names: Iterable[str]) -> None:
    """Raises BackupError if a name points outside the backup."""
    for name in names:
        if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BackupError(f"{name!r} names a file outside of the backup.")


def differences(expected: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    """Returns the missing, added and changed files, keyed by name, with a description of each problem."""
    wrong = dict.fromkeys(found.keys() - expected.keys(), "not in the backup when it was written")
    wrong |= dict.fromkeys(expected.keys() - found.keys(), "missing")
    return wrong | {name: "changed" for name in expected.keys() & found.keys() if expected[name] != found[name]}


def _line(checksum: str, name: str) -> bytes:
    return f"{checksum}  {name}\n".encode()
