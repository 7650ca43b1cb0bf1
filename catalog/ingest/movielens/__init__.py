"""Imports a MovieLens data set. All files are read and checked before the first row is written."""

from pathlib import Path

from django.db import IntegrityError

from catalog.errors import ImportFailed
from catalog.ingest.data_set import write_data_set
from catalog.ingest.movielens.files import REQUIRED, MovieLensFiles, open_data_set
from catalog.ingest.movielens.tables import read_movies, read_ratings
from catalog.ingest.report import ImportReport
from catalog.models import Source

REJECTED_ROWS_ALLOWED = 20  # allowed in small files whatever their share


def import_movielens(*, path: Path, max_rejected_share: float = 0.01, show_progress: bool = False) -> ImportReport:
    """Imports movies, users and ratings from the folder or zip at `path`. A repeated import changes nothing.

    Skips and reports invalid rows. Raises ImportFailed before anything is written if more than `max_rejected_share` of
    a file's rows (and more than REJECTED_ROWS_ALLOWED) are invalid, or if none is valid. Writes in short transactions,
    so an interrupted import keeps its rows, and running it again completes it.
    """
    with open_data_set(path, show_progress=show_progress) as files:
        report = ImportReport(origin=path.resolve().name[:200])
        movies = read_movies(files)
        users = dict.fromkeys(row.user for row in read_ratings(files, movies, title="Checking ratings", report=True))
        report.rejected, report.first_rejects = files.rejected.total(), files.first_rejects
        report.ignored, report.reject_file = files.ignored.total(), files.reject_file
        _check_share(files, max_rejected_share)
        try:
            write_data_set(
                report,
                source=Source.MOVIELENS,
                movies=movies,
                users={user: str(user) for user in users},
                ratings=read_ratings(files, movies, title="Writing ratings", report=False),
                show_progress=show_progress,
            )
        except IntegrityError as error:
            raise ImportFailed(
                f"{path}: the catalogue changed meanwhile and the import stopped ({str(error).strip()}); run it again"
            ) from None
    return report


def _check_share(files: MovieLensFiles, allowed: float) -> None:
    for file, rows in files.rows.items():
        n = files.rejected[file]
        if n == rows or (n > REJECTED_ROWS_ALLOWED and n > allowed * rows):
            shown = "".join(f"\n  {line}" for line in files.first_rejects)
            raise ImportFailed(
                f"{files.path}: {n:,} of the {rows:,} rows of {file} are broken, more than the {allowed:.3g} allowed; "
                f"nothing was imported. All broken rows: {files.reject_file}{shown}"
            )
    for file in map(files.name, REQUIRED):
        if not files.rows[file]:
            raise ImportFailed(f"{files.path}: {file} holds no row; nothing was imported")
