"""Writes a whole data set, whatever it was read from."""

from collections.abc import Iterable

from django.utils import timezone

from catalog.importers.progress import progress_bar
from catalog.importers.records import MovieRecord, RatingRow
from catalog.importers.report import ImportReport
from catalog.importers.writing import MovieWriter, RatingWriter, ensure_users
from catalog.importers.writing.movies import BATCH, record_key
from catalog.models import ImportRun, Source
from catalog.services import rebuild_aggregates, refresh_popularity


def write_data_set(
    report: ImportReport,
    *,
    source: Source,
    movies: dict[int, MovieRecord],
    users: dict[int, str],
    ratings: Iterable[RatingRow],
    show_progress: bool = False,
) -> None:
    """Movies, then users (their external ids), then ratings, whose user and movie are the keys of the two.

    The report is filled on the way. What is written when this is cut off stays, and is counted in the aggregates.
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
    with progress_bar(total=len(records), description="Writing movies", unit=" movies", shown=shown) as bar:
        for start in range(0, len(records), BATCH):
            writer.write(records[start : start + BATCH])
            bar.update(BATCH)
    return {movie: writer.keys[record_key(record)] for movie, record in movies.items()}
