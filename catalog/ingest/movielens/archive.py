"""The files of a data set in a folder or zip, read as streams; nothing is unpacked to disk."""

import stat
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from catalog.errors import ImportFailed
from catalog.ingest.safe_zip import DAMAGED, problem_of

MAX_MEMBER_BYTES = 8 << 30
MAX_MEMBERS = 10_000


class Archive(ABC):
    """Files by name, without their folder; `sizes` are unpacked bytes."""

    path: Path
    sizes: dict[str, int]

    @property
    def names(self) -> list[str]:
        return sorted(self.sizes)

    @abstractmethod
    def open(self, name: str) -> IO[bytes]: ...


class Folder(Archive):
    def __init__(self, path: Path) -> None:
        self.path = path
        with _readable(path):
            self.sizes = {child.name: child.stat().st_size for child in path.iterdir() if child.is_file()}

    def open(self, name: str) -> IO[bytes]:
        with _readable(self.path / name):
            return (self.path / name).open("rb", buffering=1 << 20)


class Zip(Archive):
    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self.path = path
        self._file = file
        self._members = _members(path, file)
        self.sizes = {name: member.file_size for name, member in self._members.items()}

    def open(self, name: str) -> IO[bytes]:
        member = self._members[name]
        if problem := problem_of(member, max_bytes=MAX_MEMBER_BYTES):
            raise ImportFailed(f"{self.path}: {member.filename} {problem}")
        return self._file.open(member)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Raises ImportFailed if `path` is neither a folder nor a sound zip, also when damage shows only later."""
    if path.is_dir():
        yield Folder(path)
        return
    if not path.exists():
        raise ImportFailed(f"{path}: there is no such file or folder")
    with _readable(path):
        is_zip = path.is_file() and zipfile.is_zipfile(path)
    if not is_zip:
        raise ImportFailed(f"{path}: expected a folder or a zip, and this is neither (cut off while downloading?)")
    try:
        with zipfile.ZipFile(path) as file:
            yield Zip(path, file)
    except DAMAGED as error:
        raise ImportFailed(f"{path}: the zip is damaged: {error}") from None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImportFailed(f"{path}: cannot be read: {error.strerror}") from None


def _members(path: Path, file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Files by name, each from the shallowest folder that has it; only the name counts, so no path can escape."""
    infos = [info for info in file.infolist() if not info.is_dir() and _is_plain(info)]
    if len(infos) > MAX_MEMBERS:
        raise ImportFailed(f"{path}: the zip has {len(infos):,} members; expected at most {MAX_MEMBERS:,}")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in sorted(infos, key=lambda info: (info.filename.count("/"), info.filename)):
        found.setdefault(PurePosixPath(info.filename).name, info)
    return found


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Not a link, nor a copy that macOS adds beside each file."""
    return not stat.S_ISLNK(info.external_attr >> 16) and not PurePosixPath(info.filename).name.startswith("._")
