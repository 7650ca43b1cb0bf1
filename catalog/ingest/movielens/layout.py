"""MovieLens' two layouts: csv (ml-latest, 20m, 25m, 32m) and dat (ml-1m, 10m)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from catalog.errors import ImportFailed
from catalog.ingest.movielens.archive import Archive

MAX_LINE_BYTES = 1 << 16
COLUMNS = {
    "movies": ["movieId", "title", "genres"],
    "ratings": ["userId", "movieId", "rating", "timestamp"],
    "links": ["movieId", "imdbId", "tmdbId"],
    "tags": ["userId", "movieId", "tag", "timestamp"],
}
REQUIRED = ("movies", "ratings")


@dataclass(frozen=True)
class Layout:
    archive: Archive
    extension: str  # csv or dat

    @property
    def separator(self) -> bytes:
        return b"," if self.extension == "csv" else b"::"

    def file(self, table: str) -> str:
        return f"{table}.{self.extension}"

    def has(self, table: str) -> bool:
        return self.file(table) in self.archive.sizes

    def lines(self, table: str, advance: Callable[[int], object]) -> Iterator[tuple[int, bytes]]:
        """Yields line numbers and lines with their line ends; reports the bytes read to `advance`."""
        with self.archive.open(self.file(table)) as stream:
            unreported = 0
            for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE_BYTES), b""), start=1):
                whole = line
                while len(whole) == MAX_LINE_BYTES and not whole.endswith(b"\n"):  # skip the rest of an oversized line
                    whole = stream.readline(MAX_LINE_BYTES)
                unreported += len(line)
                if unreported >= 1 << 18:
                    advance(unreported)
                    unreported = 0
                if number == 1 and self.extension == "csv":
                    self._check_header(table, line)
                elif line.strip():
                    yield number, line
            advance(unreported)

    def _check_header(self, table: str, line: bytes) -> None:
        found = line.decode("utf-8-sig", errors="backslashreplace").strip().replace('"', "").split(",")
        if found != COLUMNS[table]:
            raise ImportFailed(
                f"{self.archive.path}: {self.file(table)} begins with {','.join(found)[:200]!r}; "
                f"expected the columns {','.join(COLUMNS[table])}"
            )


def detect_layout(archive: Archive) -> Layout:
    """Raises ImportFailed that says what was expected and what was found."""
    for extension in ("csv", "dat"):
        layout = Layout(archive, extension)
        present = [table for table in REQUIRED if layout.has(table)]
        if len(present) == len(REQUIRED):
            return layout
        if present:
            missing = ", ".join(layout.file(table) for table in REQUIRED if not layout.has(table))
            raise ImportFailed(f"{archive.path}: {missing} is missing beside {layout.file(present[0])}")
    found = ", ".join(archive.names[:8]) or "no file"
    more = f" and {len(archive.names) - 8} more" if len(archive.names) > 8 else ""
    raise ImportFailed(
        f"{archive.path}: no MovieLens data set: expected movies.csv and ratings.csv (ml-latest-small, ml-25m, ml-32m) "
        f"or movies.dat and ratings.dat (ml-1m, ml-10m); found {found}{more}"
    )
