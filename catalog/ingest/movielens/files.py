"""Reads the files of a MovieLens data set in a folder or zip as streams. Nothing is unpacked to disk."""

import csv
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, TypeVar

from django.conf import settings

from catalog.errors import BadRow, ImportFailed
from catalog.ingest.safe_zip import DamagedZip, files_in, open_member, open_zip, problem_of
from catalog.progress import progress_bar

MAX_MEMBER_BYTES = 8 << 30
MAX_MEMBERS = 10_000
MAX_LINE_BYTES = 1 << 16
REJECTS_SHOWN = 10
REJECTS_WRITTEN = 100_000  # limits the disk space used for an invalid file
REJECT_LENGTH = 1000
COLUMNS = {
    "movies": ["movieId", "title", "genres"],
    "ratings": ["userId", "movieId", "rating", "timestamp"],
    "links": ["movieId", "imdbId", "tmdbId"],
    "tags": ["userId", "movieId", "tag", "timestamp"],
}
REQUIRED = ("movies", "ratings")

Row = TypeVar("Row")


class File(NamedTuple):
    size: int  # bytes, unpacked
    open: Callable[[], IO[bytes]]


@dataclass
class MovieLensFiles:
    """The tables of a data set in one of two layouts: csv (ml-latest, 20m, 25m, 32m) or dat (ml-1m, 10m).

    Counts invalid rows, keeps the first ones for the terminal, and writes all to `reject_file`.
    """

    path: Path
    files: dict[str, File]
    extension: str  # csv or dat
    show_progress: bool = False
    rows: Counter[str] = field(default_factory=Counter)  # per file, including invalid ones
    rejected: Counter[str] = field(default_factory=Counter)  # per file
    ignored: Counter[str] = field(default_factory=Counter)  # per file: rows with an ignored detail
    first_rejects: list[str] = field(default_factory=list)
    reject_file: Path | None = None

    @property
    def separator(self) -> bytes:
        return b"," if self.extension == "csv" else b"::"

    def name(self, table: str) -> str:
        return f"{table}.{self.extension}"

    def has(self, table: str) -> bool:
        return self.name(table) in self.files

    def read(self, table: str, parse: Callable[[bytes], Row], *, title: str = "", report: bool = True) -> Iterator[Row]:
        """Yields the rows that `parse` accepts. Set `report` in only one of several passes."""
        name = self.name(table)
        total = self.files[name].size
        with progress_bar(total=total, description=title or f"Reading {name}", shown=self.show_progress) as bar:
            for number, line in self._lines(table, bar.update):
                self.rows[name] += report
                try:
                    row = parse(line)
                except BadRow as error:
                    if report:
                        (self.rejected if error.rest is None else self.ignored)[name] += 1
                        self._reject(name, number, str(error), line)
                    if error.rest is None:
                        continue
                    row = error.rest
                yield row

    def _lines(self, table: str, advance: Callable[[int], object]) -> Iterator[tuple[int, bytes]]:
        """Yields line numbers and lines with their line ends. Reports the bytes read to `advance`."""
        with self.files[self.name(table)].open() as stream:
            for number, line in enumerate(iter(partial(stream.readline, MAX_LINE_BYTES), b""), start=1):
                whole = line
                while len(whole) == MAX_LINE_BYTES and not whole.endswith(b"\n"):  # skip the rest of an oversized line
                    whole = stream.readline(MAX_LINE_BYTES)
                advance(len(line))
                if number == 1 and self.extension == "csv":
                    self._check_header(table, line)
                elif line.strip():
                    yield number, line

    def _check_header(self, table: str, line: bytes) -> None:
        found = line.decode("utf-8-sig", errors="backslashreplace").strip().replace('"', "").split(",")
        if found != COLUMNS[table]:
            raise ImportFailed(
                f"{self.path}: {self.name(table)} begins with {','.join(found)[:200]!r}; "
                f"expected the columns {','.join(COLUMNS[table])}"
            )

    def _reject(self, name: str, number: int, reason: str, row: bytes) -> None:
        if len(self.first_rejects) < REJECTS_SHOWN:
            self.first_rejects.append(f"{name}, line {number}: {reason}")
        if self.reject_file is None:
            folder = settings.VAR_DIR / "rejects"
            folder.mkdir(parents=True, exist_ok=True)
            self.reject_file = folder / f"movielens-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.csv"
            self.reject_file.write_text("file,line,reason,row\r\n", encoding="utf-8", newline="")
        if self.rejected.total() + self.ignored.total() <= REJECTS_WRITTEN:
            text = row[:REJECT_LENGTH].rstrip(b"\r\n").decode("utf-8", errors="backslashreplace")
            with self.reject_file.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file).writerow([name, number, reason, text])


@contextmanager
def open_data_set(path: Path, *, show_progress: bool = False) -> Iterator[MovieLensFiles]:
    """Opens a data set. Raises ImportFailed if there is none at `path`, or if damage is found later."""
    with ExitStack() as open_files:
        try:
            files = _files(path, open_files)
            yield MovieLensFiles(path, files, _extension(path, files), show_progress)
        except DamagedZip as error:
            raise ImportFailed(f"{path}: the zip is damaged: {error}") from None
        except OSError as error:
            raise ImportFailed(f"{error.filename or path}: {error.strerror}") from None


def _files(path: Path, open_files: ExitStack) -> dict[str, File]:
    if path.is_dir():
        children = [child for child in path.iterdir() if child.is_file()]
        return {child.name: File(child.stat().st_size, partial(_open_file, child)) for child in children}
    if not path.exists():
        raise ImportFailed(f"{path}: there is no such file or folder")
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise ImportFailed(f"{path}: expected a folder or a zip, and this is neither (cut off while downloading?)")
    return _members(path, open_files.enter_context(open_zip(path)))


def _open_file(path: Path) -> IO[bytes]:
    return path.open("rb", buffering=1 << 20)


def _members(path: Path, file: zipfile.ZipFile) -> dict[str, File]:
    """Maps names to files, each from the shallowest folder that contains it. Ignores paths, so that none can escape."""
    infos = [
        info
        for info in files_in(file)
        if not stat.S_ISLNK(info.external_attr >> 16)
        and not PurePosixPath(info.filename).name.startswith("._")  # macOS adds such a copy of each file
    ]
    if len(infos) > MAX_MEMBERS:
        raise ImportFailed(f"{path}: the zip has {len(infos):,} members; expected at most {MAX_MEMBERS:,}")

    def open_safely(info: zipfile.ZipInfo) -> IO[bytes]:
        if problem := problem_of(info, max_bytes=MAX_MEMBER_BYTES):
            raise ImportFailed(f"{path}: {info.filename} {problem}")
        return open_member(file, info)

    found: dict[str, File] = {}
    for info in sorted(infos, key=lambda info: (info.filename.count("/"), info.filename)):
        found.setdefault(PurePosixPath(info.filename).name, File(info.file_size, partial(open_safely, info)))
    return found


def _extension(path: Path, files: dict[str, File]) -> str:
    for extension in ("csv", "dat"):
        names = {f"{table}.{extension}" for table in REQUIRED}
        present = names & files.keys()
        if present == names:
            return extension
        if present:
            raise ImportFailed(f"{path}: {', '.join(names - present)} is missing beside {', '.join(present)}")
    found = ", ".join(sorted(files)[:8]) or "no file"
    more = f" and {len(files) - 8} more" if len(files) > 8 else ""
    raise ImportFailed(
        f"{path}: no MovieLens data set: expected movies.csv and ratings.csv (ml-latest-small, ml-25m, ml-32m) "
        f"or movies.dat and ratings.dat (ml-1m, ml-10m); found {found}{more}"
    )
