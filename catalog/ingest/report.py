"""The report of an import: numbers of rows by outcome."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple


@dataclass
class Counts:
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def add(self, inserted: int, updated: int, unchanged: int) -> None:
        self.inserted += inserted
        self.updated += updated
        self.unchanged += unchanged


@dataclass
class RatingCounts(Counts):
    repeated: int = 0  # rows that rate a movie again; the latest rating is used


@dataclass
class ImportReport:
    """The counts of one data set. They are printed in the terminal and stored in `ImportRun.counts`."""

    origin: str
    movies: Counts = field(default_factory=Counts)
    users: Counts = field(default_factory=Counts)
    ratings: RatingCounts = field(default_factory=RatingCounts)
    rejected: int = 0
    ignored: int = 0  # rows imported without an invalid detail
    first_rejects: list[str] = field(default_factory=list)
    reject_file: Path | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def changed(self) -> int:
        return sum(counts.inserted + counts.updated for counts in (self.movies, self.users, self.ratings))

    def counts(self) -> dict[str, int]:
        by_kind = {"movies": self.movies, "users": self.users, "ratings": self.ratings}
        rows = {f"{kind}_{name}": n for kind, counts in by_kind.items() for name, n in asdict(counts).items()}
        return rows | {"rows_rejected": self.rejected, "details_ignored": self.ignored}

    def lines(self) -> list[str]:
        """Returns the lines of the report."""
        movies, users, ratings = self.movies, self.users, self.ratings
        repeated = f"; {ratings.repeated:,} rows rated a movie again" if ratings.repeated else ""
        seconds = time.monotonic() - self.started
        return [
            f"movies:  {movies.inserted:,} inserted, {movies.updated:,} updated, {movies.unchanged:,} unchanged",
            f"users:   {users.inserted:,} inserted, {users.unchanged:,} unchanged",
            f"ratings: {ratings.inserted:,} inserted, {ratings.updated:,} updated, "
            f"{ratings.unchanged:,} unchanged{repeated}",
            f"{self.origin}: done in {seconds:.1f} s" + ("" if self.changed else "; nothing changed"),
        ]


class LineError(NamedTuple):
    line: int
    message: str


@dataclass
class BulkReport(Counts):
    """The counts of a request's lines. Rejected lines change nothing."""

    lines: int = 0
    errors: list[LineError] = field(default_factory=list)

    def reject(self, line: int, message: str) -> None:
        self.errors.append(LineError(line, message))

    @property
    def rejected(self) -> int:
        return len(self.errors)

    @property
    def in_order(self) -> list[LineError]:
        return sorted(self.errors)
