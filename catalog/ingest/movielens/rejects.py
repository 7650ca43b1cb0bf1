"""Counts rejected rows, keeps the first for the terminal and writes all to a file."""

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

SHOWN = 10
WRITTEN_AT_MOST = 100_000  # a completely broken file must not fill the disk
ROW_LENGTH = 1000


class Rejects:
    """`path` is None until the first reject."""

    def __init__(self, folder: Path, name: str) -> None:
        self.by_file: Counter[str] = Counter()
        self.first: list[str] = []
        self.path: Path | None = None
        self._folder = folder
        self._name = name
        self._file: IO[str] | None = None
        self._csv: Any = None

    @property
    def count(self) -> int:
        return self.by_file.total()

    def add(self, *, file: str, line: int, reason: str, row: bytes) -> None:
        self.by_file[file] += 1
        if len(self.first) < SHOWN:
            self.first.append(f"{file}, line {line}: {reason}")
        if self.count <= WRITTEN_AT_MOST:
            text = row[:ROW_LENGTH].rstrip(b"\r\n").decode("utf-8", errors="backslashreplace")
            self._writer().writerow([file, line, reason, text])

    def _writer(self) -> Any:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
            self.path = self._folder / f"{self._name}-{stamp}.csv"
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._csv = csv.writer(self._file)
            self._csv.writerow(["file", "line", "reason", "row"])
        return self._csv

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
