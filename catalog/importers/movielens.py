"""Imports a MovieLens data set: everything is read and checked before the first row is written."""

import time
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from catalog.importers.archive import open_archive
from catalog.importers.errors import ImportFailed
from catalog.importers.movielens_files import MovieLensFiles
from catalog.importers.movielens_layout import detect_layout
from catalog.importers.progress import progress_bar
from catalog.importers.records import MovieRecord
from catalog.importers.rejects import Rejects
from catalog.importers.report import ImportReport
from catalog.importers.writing import MovieWriter, RatingWriter, ensure_users
from catalog.importers.writing.movies import BATCH
from catalog.models import ImportRun, Source
from catalog.services import rebuild_aggregates, refresh_popularity

REJECTED_ROWS_ALLOWED = 20  # whatever their share: a small file may have a few broken rows


def import_movielens(*, path: Path, max_rejected_share: float = 0.01, show_progress: bool = False) -> ImportReport:
    """Movies, users and ratings of the folder or zip at `path`; a second import of the same changes nothing.

    Broken rows are left out and reported. When more than `max_rejected_share` of a file's rows (and more than
    REJECTED_ROWS_ALLOWED) are broken, or none is sound, ImportFailed is raised and nothing was written. Written is
    in short transactions: what was written when an import is cut off stays, and running it again finishes it.
    """
    started = time.monotonic()
    report = ImportReport(origin=path.resolve().name[:200])
    with open_archive(path) as archive, Rejects(settings.VAR_DIR / "rejects", "movielens") as rejects:
        files = MovieLensFiles(detect_layout(archive), rejects, show_progress)
        movies = files.movies()
        users: dict[int, None] = {}  # a set that keeps the order
        for row in files.ratings(movies, title="Checking ratings", report=True):
            users[row.user] = None
        report.rejected, report.first_rejects, report.reject_file = rejects.count, rejects.first, rejects.path
        _check_share(files, max_rejected_share, path)
        try:
            _write(files, movies, list(users), report)
        except IntegrityError as error:
            raise ImportFailed(
                f"{path}: the catalogue changed meanwhile and the import stopped ({str(error).strip()}); run it again"
            ) from None
    report.seconds = time.monotonic() - started
    return report


def _check_share(files: MovieLensFiles, allowed: float, path: Path) -> None:
    rejects = files.rejects
    for file, rows in files.rows.items():
        n = rejects.by_file[file]
        if n == rows or (n > REJECTED_ROWS_ALLOWED and n > allowed * rows):
            shown = "".join(f"\n  {line}" for line in rejects.first)
            raise ImportFailed(
                f"{path}: {n:,} of the {rows:,} rows of {file} are broken, more than the {allowed:.3g} allowed; "
                f"nothing was imported. All broken rows: {rejects.path}{shown}"
            )
    for table in ("movies", "ratings"):
        if not files.rows[files.layout.file(table)]:
            raise ImportFailed(f"{path}: {files.layout.file(table)} holds no row; nothing was imported")


def _write(files: MovieLensFiles, movies: dict[int, MovieRecord], users: list[int], report: ImportReport) -> None:
    run = ImportRun.objects.create(source=Source.MOVIELENS, origin=report.origin)
    try:
        movie_keys = _write_movies(list(movies.values()), report, shown=files.show_progress)
        user_keys = _write_users(users, report, shown=files.show_progress)
        with RatingWriter(Source.MOVIELENS) as writer:
            report.ratings = writer.counts
            for user, movie, rating, rated_at in files.ratings(movies, title="Writing ratings", report=False):
                writer.add(user_keys[user], movie_keys[movie], rating, rated_at)
    finally:
        rebuild_aggregates()  # also when cut off: what was committed is counted
    refresh_popularity()
    run.finished_at, run.counts = timezone.now(), report.counts()
    run.save(update_fields=["finished_at", "counts"])


def _write_movies(records: list[MovieRecord], report: ImportReport, *, shown: bool) -> dict[int, int]:
    writer = MovieWriter(Source.MOVIELENS, report.movies)
    with progress_bar(total=len(records), description="Writing movies", unit=" movies", shown=shown) as bar:
        for start in range(0, len(records), BATCH):
            writer.write(records[start : start + BATCH])
            bar.update(BATCH)
    return {key: value for key, value in writer.keys.items() if isinstance(key, int)}


def _write_users(users: list[int], report: ImportReport, *, shown: bool) -> dict[int, int]:
    with progress_bar(total=len(users), description="Writing users", unit=" users", shown=shown) as bar:
        keys, inserted = ensure_users(
            source=Source.MOVIELENS, external_ids=[str(user) for user in users], advance=bar.update
        )
    report.users, report.users_inserted = len(users), inserted
    return {user: keys[str(user)] for user in users}
