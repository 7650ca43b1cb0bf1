"""The files of a data set, in a folder or a zip: members are read as streams, nothing is unpacked."""

import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from catalog.errors import ImportFailed

MAX_MEMBER_BYTES = 8 << 30
MAX_COMPRESSION = 200  # text of ratings shrinks 3 to 10 times; a bomb a thousand times
MAX_MEMBERS = 10_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What reading a zip raises where its bytes are not what it says of them.
DAMAGED = (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error)


class Archive(ABC):
    """`names` are file names without their folder; `sizes` their bytes when unpacked."""

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
        if why := unreadable(member):
            raise ImportFailed(f"{self.path}: {member.filename} {why}")
        packed = max(member.compress_size, 1)
        if member.file_size > MAX_MEMBER_BYTES or member.file_size / packed > MAX_COMPRESSION:
            raise ImportFailed(
                f"{self.path}: {member.filename} would unpack {packed:,} bytes to {member.file_size:,}; refused, "
                f"expected at most {MAX_COMPRESSION} times as much and {MAX_MEMBER_BYTES >> 30} GiB"
            )
        return self._file.open(member)


def unreadable(member: zipfile.ZipInfo) -> str:
    """Why the member cannot be read, and what was expected; empty where it can."""
    if member.flag_bits & 1:
        return "is encrypted; expected a zip without a password"
    if member.compress_type not in METHODS:
        return "is compressed in an unusual way; expected a plain zip (deflate)"
    return ""


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Raises ImportFailed when `path` is neither a folder nor a sound zip, or is damaged further in."""
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
    """Files by name, of the shallowest folder that has it; names that lead elsewhere are of no consequence."""
    infos = [info for info in file.infolist() if not info.is_dir() and _is_plain(info)]
    if len(infos) > MAX_MEMBERS:
        raise ImportFailed(f"{path}: the zip has {len(infos):,} members; expected at most {MAX_MEMBERS:,}")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in sorted(infos, key=lambda info: (info.filename.count("/"), info.filename)):
        found.setdefault(PurePosixPath(info.filename).name, info)
    return found


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Neither a link nor what macOS puts beside each file."""
    return not stat.S_ISLNK(info.external_attr >> 16) and not PurePosixPath(info.filename).name.startswith("._")
