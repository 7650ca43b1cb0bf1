"""What an import did, for people and for the run's row."""

from dataclasses import dataclass, field
from pathlib import Path

from catalog.importers.writing.movies import MovieCounts
from catalog.importers.writing.ratings import RatingCounts


@dataclass
class ImportReport:
    origin: str
    movies: MovieCounts = field(default_factory=MovieCounts)
    ratings: RatingCounts = field(default_factory=RatingCounts)
    users: int = 0
    users_inserted: int = 0
    rejected: int = 0
    first_rejects: list[str] = field(default_factory=list)
    reject_file: Path | None = None
    seconds: float = 0.0

    @property
    def changed(self) -> int:
        counts = self.movies, self.ratings
        return self.users_inserted + sum(count.inserted + count.updated for count in counts)

    def counts(self) -> dict[str, int]:
        return {
            "movies_inserted": self.movies.inserted,
            "movies_updated": self.movies.updated,
            "movies_unchanged": self.movies.unchanged,
            "users_inserted": self.users_inserted,
            "users_unchanged": self.users - self.users_inserted,
            "ratings_inserted": self.ratings.inserted,
            "ratings_updated": self.ratings.updated,
            "ratings_unchanged": self.ratings.unchanged,
            "ratings_repeated": self.ratings.repeated,
            "rows_rejected": self.rejected,
        }

    def lines(self) -> list[str]:
        """The report in sentences."""
        known = self.users - self.users_inserted
        movies, ratings = self.movies, self.ratings
        repeated = f"; {ratings.repeated:,} rows rated a movie once more" if ratings.repeated else ""
        return [
            f"movies:  {movies.inserted:,} inserted, {movies.updated:,} updated, {movies.unchanged:,} unchanged",
            f"users:   {self.users_inserted:,} inserted, {known:,} unchanged",
            f"ratings: {ratings.inserted:,} inserted, {ratings.updated:,} updated, "
            f"{ratings.unchanged:,} unchanged{repeated}",
            f"{self.origin}: done in {self.seconds:.1f} s" + ("" if self.changed else "; nothing changed"),
        ]
