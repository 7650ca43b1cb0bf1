"""SHA-256 of every file of a folder, in the format of `sha256sum`, so that the folder can be checked without the site.

`SHA256SUMS` names every file but itself and `SHA256SUMS.sha256`, which holds its checksum: sha256sum -c both of them.
"""

import hashlib
from pathlib import Path

SUMS, OWN = "SHA256SUMS", "SHA256SUMS.sha256"


def write_checksums(folder: Path) -> None:
    lines = [_line(_sha256(folder / name), name) for name in _checked_names(folder)]
    (folder / SUMS).write_bytes(b"".join(lines))
    (folder / OWN).write_bytes(_line(_sha256(folder / SUMS), SUMS))


def differences(folder: Path) -> list[str]:
    """Reads every byte; one line for each file that is changed, missing, unreadable or was added, with its name."""
    try:
        lines, own = (folder / SUMS).read_bytes(), (folder / OWN).read_bytes()
    except OSError as error:
        return [f"{Path(error.filename).name}: cannot be read ({error.strerror})"]
    if own != _line(hashlib.sha256(lines).hexdigest(), SUMS):
        return [f"{SUMS} or {OWN}: changed, they do not match; no other file can be checked by them"]
    expected = {name: checksum for checksum, name in (line.split("  ", 1) for line in lines.decode().split("\n")[:-1])}
    present = set(_checked_names(folder))
    found = dict.fromkeys(present - expected.keys(), "not in the backup when it was written")
    found |= dict.fromkeys(expected.keys() - present, "missing")
    for name in present & expected.keys():
        try:
            if _sha256(folder / name) != expected[name]:
                found[name] = "changed"
        except OSError as error:
            found[name] = f"cannot be read ({error.strerror})"
    return [f"{name}: {problem}" for name, problem in sorted(found.items())]


def file_names(folder: Path) -> list[str]:
    """Relative to the folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _checked_names(folder: Path) -> list[str]:
    return [name for name in file_names(folder) if name not in (SUMS, OWN)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _line(checksum: str, name: str) -> bytes:
    return f"{checksum}  {name}\n".encode()
