"""Files through which web processes share their metrics. They are written instead of memory-mapped.

prometheus_client maps sparse files. If the disk is full or becomes read-only, counting processes are killed by SIGBUS,
which no exception handler can catch. A failed write only raises an error. The process then counts in memory, and writes
all counts when the disk accepts them again.
"""

import contextlib
import errno
import logging
import os
import struct
import sys
import time
from pathlib import Path

from prometheus_client import multiprocess, values
from prometheus_client.mmap_dict import MmapedDict, _read_all_values

logger = logging.getLogger(__name__)

Entry = tuple[str, float, float, int]  # key, value, timestamp, position

RETRY_SECONDS = 5.0  # wait after a failed write
HEADER = 8  # bytes for the used length of the file, and padding

_pack, _unpack = struct.Struct("dd").pack, struct.Struct("dd").unpack_from
_unpack_used = struct.Struct("i").unpack_from


class MetricFile(MmapedDict):
    """The dict of doubles of one process and kind of metric. Like the original, it is not thread-safe.

    Entries are written before the header that includes them, and a new file is renamed into place when it is complete.
    A scrape thus never reads a partial file.
    """

    _failed: set[str] = set()  # failed files of this process, to log an outage once

    def __init__(self, filename: str) -> None:
        self._path = Path(filename)
        self._m: bytearray = bytearray(HEADER)  # type: ignore[assignment]
        self._used = HEADER
        self._capacity = sys.maxsize  # the original maps a larger file when this is reached
        self._positions: dict[str, int] = {}
        self._descriptor: int | None = None
        self._retry_at = 0.0
        self._continue_file()
        self._open()

    def _continue_file(self) -> None:
        """Load the counts of an earlier process with the same id. `_open` then writes a new file."""
        entries: dict[str, tuple[float, float]] = {}
        with contextlib.suppress(OSError, RuntimeError, ValueError, struct.error):  # missing, or damaged
            entries = {key: (value, at) for key, value, at, _ in self.read_all_values_from_file(self._path)}
        for key, (value, timestamp) in entries.items():
            super()._init_value(key)
            super().write_value(key, value, timestamp)

    def _init_value(self, key: str) -> None:
        start = self._used
        super()._init_value(key)
        self._write(self._m[start:], start)
        self._write(self._m[:HEADER], 0)

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        if key not in self._positions:
            self._init_value(key)
        place = self._positions[key]
        entry = _pack(value, timestamp)
        self._m[place : place + len(entry)] = entry
        self._write(entry, place)

    def _write(self, content: bytes | bytearray, start: int) -> None:
        if self._descriptor is None:
            self._open()
            return
        try:
            _write_whole(self._descriptor, content, start)
        except OSError as error:
            self._fail(error)

    def _open(self) -> None:
        """Write a new file with all counts, unless a write has failed within RETRY_SECONDS."""
        if time.monotonic() < self._retry_at:
            return
        part = self._path.with_suffix(".part")
        try:
            part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            _write_whole(self._descriptor, self._m, 0)
            part.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            self._fail(error)
        else:
            self._recover()

    def _fail(self, error: OSError) -> None:
        self.close()
        self._retry_at = time.monotonic() + RETRY_SECONDS
        if not self._failed:
            logger.error("Metrics of this process are missing from /metrics until the disk accepts them: %s", error)
        self._failed.add(self._path.name)

    def _recover(self) -> None:
        if self._path.name in self._failed:
            self._failed.discard(self._path.name)
            if not self._failed:
                logger.warning("Metrics of this process are complete in /metrics again")

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class MetricReader:
    """Keeps a file open and remembers the positions of its values. They never move, because entries are only appended.

    prometheus_client opens, reads, parses and closes each file on each scrape. Each step may yield to another thread,
    so a scrape waits dozens of times if threads are busy. This class takes two steps per file.
    """

    _open: dict[str, "MetricReader"] = {}

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._inode = os.fstat(self._descriptor).st_ino
        self._length = 0  # used length of the file
        self._positions: list[tuple[str, int]] = []

    def __del__(self) -> None:
        os.close(self._descriptor)

    @classmethod
    def read_all_values_from_file(cls, path: str) -> list[Entry]:
        """Return the same as the method of MmapedDict. Raises FileNotFoundError."""
        inode = Path(path).stat().st_ino  # changes if the process wrote a new file
        reader = cls._open.get(path)
        if reader is None or reader._inode != inode:
            reader = cls._open[path] = cls(path)
        return reader._read()

    def _read(self) -> list[Entry]:
        data = os.pread(self._descriptor, max(self._length, 1 << 16), 0)
        used = _unpack_used(data)[0]
        if used > len(data):
            data += os.pread(self._descriptor, used - len(data), len(data))
        positions = self._positions
        if used != self._length:
            positions = [(key, position) for key, _, _, position in _read_all_values(data, used)]
            self._positions, self._length = positions, used
        return [(key, *_unpack(data, position), position) for key, position in positions]


def _write_whole(descriptor: int, content: bytes | bytearray, start: int) -> None:
    if os.pwrite(descriptor, content, start) < len(content):  # the disk is full
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def install() -> None:
    """Make prometheus_client use these classes. Must be called before any metric is created."""
    os.register_at_fork(after_in_child=MetricFile._failed.clear)
    # MultiProcessValue and MultiProcessCollector look these names up. mypy does not allow assigning them.
    setattr(values, "MmapedDict", MetricFile)  # noqa: B010
    setattr(multiprocess, "MmapedDict", MetricReader)  # noqa: B010
