"""Imports a MovieLens data set: everything is read and checked before the first row is written."""

import time
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError

from catalog.errors import ImportFailed
from catalog.ingest.data_set import ImportReport, write_data_set
from catalog.ingest.movielens.archive import open_archive
from catalog.ingest.movielens.layout import detect_layout
from catalog.ingest.movielens.rejects import Rejects
from catalog.ingest.movielens.tables import MovieLensFiles
from catalog.models import Source

REJECTED_ROWS_ALLOWED = 20  # allowed whatever their share, for small files


def import_movielens(*, path: Path, max_rejected_share: float = 0.01, show_progress: bool = False) -> ImportReport:
    """Imports movies, users and ratings from the folder or zip at `path`; repeating it changes nothing.

    Broken rows are skipped and reported. Raises ImportFailed, before anything is written, if more than
    `max_rejected_share` of a file's rows (and more than REJECTED_ROWS_ALLOWED) are broken, or if none is sound. Writes
    in short transactions, so an interrupted import keeps what it wrote, and running it again completes it.
    """
    started = time.monotonic()
    report = ImportReport(origin=path.resolve().name[:200])
    with open_archive(path) as archive, Rejects(settings.VAR_DIR / "rejects", "movielens") as rejects:
        files = MovieLensFiles(detect_layout(archive), rejects, show_progress)
        movies = files.movies()
        users: dict[int, None] = {}  # an ordered set
        for row in files.ratings(movies, title="Checking ratings", report=True):
            users[row.user] = None
        report.rejected, report.first_rejects, report.reject_file = rejects.count, rejects.first, rejects.path
        _check_share(files, max_rejected_share, path)
        try:
            write_data_set(
                report,
                source=Source.MOVIELENS,
                movies=movies,
                users={user: str(user) for user in users},
                ratings=files.ratings(movies, title="Writing ratings", report=False),
                show_progress=show_progress,
            )
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
