"""Reads members of zips safely. Handles damaged zips and detects zip bombs."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any

MAX_COMPRESSION = 200  # ratio; tables of ratings compress 3 to 10 times, a zip bomb about a thousand times
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# `zipfile` raises these if the content does not match the directory. UnicodeDecodeError means an invalid name.
_DAMAGED = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OverflowError,
    UnicodeDecodeError,
    struct.error,
    zlib.error,
)


class DamagedZip(Exception):
    """A zip that cannot be read. The message is the reason, to be put after "the zip is damaged: "."""


@contextmanager
def open_zip(file: Any) -> Iterator[zipfile.ZipFile]:
    """Opens a zip and closes it at the end. Raises DamagedZip."""
    with _guarded():
        opened = zipfile.ZipFile(file)
    with opened:
        yield opened


def files_in(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Returns all files of a zip. Skips folders, and names such as "." for which `ZipInfo.is_dir` fails."""
    return [member for member in opened.infolist() if PurePosixPath(member.filename).name and not member.is_dir()]


def open_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """Returns a stream of the member's content. Reading it raises DamagedZip if damage is found."""
    with _guarded():
        if member.header_offset < 0:  # otherwise a seek in a real file would raise OSError, like a failing disk
            raise zipfile.BadZipFile("its directory names a place before its beginning")
        return io.BufferedReader(_Member(opened.open(member)), 1 << 20)


def problem_of(member: zipfile.ZipInfo, *, max_bytes: int | None = None, harmless_bytes: int = 0) -> str:
    """Returns why a member must not be read and what was expected, or "" if it is safe.

    Members up to `harmless_bytes` may have any compression ratio.
    """
    if member.flag_bits & 1:
        return "is encrypted; expected a zip without a password"
    if member.compress_type not in METHODS:
        return "is compressed in an unusual way; expected a plain zip (deflate)"
    packed = max(member.compress_size, 1)
    unpacks = f"would unpack {packed:,} bytes to {member.file_size:,}"
    if member.file_size > harmless_bytes and member.file_size / packed > MAX_COMPRESSION:
        return f"{unpacks}; expected at most {MAX_COMPRESSION} times as much"
    if max_bytes is not None and member.file_size > max_bytes:
        return f"{unpacks}; expected at most {max_bytes:,}"
    return ""


class _Member(io.RawIOBase):
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _guarded():
            block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise DamagedZip(str(error) or type(error).__name__) from None
