"""Writes a whole data set (MovieLens, the generated sample) and reports what it did."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.utils import timezone

from catalog.aggregates import rebuild_aggregates, refresh_popularity
from catalog.ingest.movies import MovieCounts, MovieRecord, MovieWriter
from catalog.ingest.ratings import RatingCounts, RatingRow, RatingWriter
from catalog.models import ImportRun, Source, User
from catalog.progress import chunks, chunks_with_progress, progress_bar

MOVIES_A_BATCH = 500
USERS_A_BATCH = 2000


@dataclass
class ImportReport:
    """The counts of one import, for the terminal and for `ImportRun.counts`."""

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
        """The report as sentences."""
        known = self.users - self.users_inserted
        movies, ratings = self.movies, self.ratings
        repeated = f"; {ratings.repeated:,} rows rated a movie again" if ratings.repeated else ""
        return [
            f"movies:  {movies.inserted:,} inserted, {movies.updated:,} updated, {movies.unchanged:,} unchanged",
            f"users:   {self.users_inserted:,} inserted, {known:,} unchanged",
            f"ratings: {ratings.inserted:,} inserted, {ratings.updated:,} updated, "
            f"{ratings.unchanged:,} unchanged{repeated}",
            f"{self.origin}: done in {self.seconds:.1f} s" + ("" if self.changed else "; nothing changed"),
        ]


def write_data_set(
    report: ImportReport,
    *,
    source: Source,
    movies: dict[int, MovieRecord],
    users: dict[int, str],
    ratings: Iterable[RatingRow],
    show_progress: bool = False,
) -> None:
    """Writes movies, users (given by external id) and ratings, which refer to both by key. Fills the report.

    An interrupted import keeps what it wrote, and the aggregates include it.
    """
    run, _ = ImportRun.objects.get_or_create(source=source, origin=report.origin, finished_at=None)
    try:
        movie_ids = _write_movies(source, movies, report, shown=show_progress)
        with progress_bar(total=len(users), description="Writing users", unit=" users", shown=show_progress) as bar:
            keys, inserted = ensure_users(source=source, external_ids=list(users.values()), advance=bar.update)
        report.users, report.users_inserted = len(users), inserted
        user_ids = {user: keys[external_id] for user, external_id in users.items()}
        with RatingWriter(source) as writer:
            report.ratings = writer.counts
            for user, movie, rating, rated_at in ratings:
                writer.add(user_ids[user], movie_ids[movie], rating, rated_at)
    finally:
        rebuild_aggregates()
    refresh_popularity()
    run.finished_at, run.counts = timezone.now(), report.counts()
    run.save(update_fields=["finished_at", "counts"])


def _write_movies(
    source: Source, movies: dict[int, MovieRecord], report: ImportReport, *, shown: bool
) -> dict[int, int]:
    writer = MovieWriter(source, report.movies)
    records = list(movies.values())
    for batch in chunks_with_progress(
        records, MOVIES_A_BATCH, description="Writing movies", unit=" movies", shown=shown
    ):
        writer.write(batch)
    return {movie: writer.keys[record.key] for movie, record in movies.items()}


def ensure_users(
    *, source: Source, external_ids: Sequence[str], advance: Callable[[int], object] = lambda n: None
) -> tuple[dict[str, int], int]:
    """Primary keys by external id, and how many users were created. These users rate but cannot sign in."""
    keys = dict(User.objects.filter(source=source).exclude(external_id="").values_list("external_id", "pk").iterator())
    missing = [external_id for external_id in external_ids if external_id not in keys]
    advance(len(external_ids) - len(missing))
    for batch in chunks(missing, USERS_A_BATCH):
        with transaction.atomic():
            keys |= _create_users(source, batch)
        advance(len(batch))
    return keys, len(missing)


def _create_users(source: Source, external_ids: Sequence[str]) -> dict[str, int]:
    names = {external_id: f"{source.value}-{external_id}" for external_id in external_ids}
    for name in User.objects.filter(username__in=names.values()).values_list("username", flat=True):
        external_id = name.removeprefix(f"{source.value}-")
        names[external_id] = f"{name}-{secrets.token_hex(4)}"  # a user of the site already has this name
    users = [
        # The result of make_password(None), without its forty random calls per user.
        User(username=name, source=source, external_id=key, password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20))
        for key, name in names.items()
    ]
    User.objects.bulk_create(users)
    return {user.external_id: user.pk for user in users}
