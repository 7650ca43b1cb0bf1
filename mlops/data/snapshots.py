"""Exports, stores and reads the snapshots on which models are trained.

Users are identified by numeric pseudonyms. Snapshots exported after an account's deletion do not contain its ratings. A
snapshot that must be erased is withdrawn: its files are deleted, and its versions can no longer be reproduced.
"""

import shutil
import uuid
from contextlib import closing
from pathlib import Path

import pandas as pd
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from catalog.models import Rating, User
from mlops.data.snapshot_files import (
    BY_HISTORY,
    BY_ROW,
    CHUNK_ROWS,
    MANIFEST,
    SCHEME,
    Content,
    OnRows,
    is_whole,
    read_files,
    read_manifest,
    write_files,
)
from mlops.errors import SnapshotNotAvailable, StepFailed
from mlops.models import DatasetSnapshot, UserPseudonym
from recommender.estimators.artifact_files import copy_folder, replace_folder
from recommender.export import movie_frames, rating_frames, training_sources

EXPORT_ATTEMPTS = 3
PSEUDONYM_BATCH = 5_000


def export_snapshot(*, out: Path | None = None, on_rows: OnRows | None = None) -> DatasetSnapshot:
    """Exports the current data, and copies it to `out` if given. A failed export leaves no files."""
    partial = settings.SNAPSHOT_DIR / f".export-{uuid.uuid4().hex}.part"
    try:
        content = write_snapshot(partial, on_rows)
        if not content.n_ratings:
            raise StepFailed("There are no ratings to export.")
        snapshot = keep_snapshot(partial, content)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if out is not None:
        copy_folder(settings.SNAPSHOT_DIR / snapshot.folder, out)
    return snapshot


def write_snapshot(folder: Path, on_rows: OnRows | None = None) -> Content:
    """Exports to a new folder and returns its content. Starts again if an account was deleted during the export."""
    for _ in range(EXPORT_ATTEMPTS):
        _name_users()
        ratings = rating_frames(user="user__pseudonym__number", chunk_size=CHUNK_ROWS)
        # Closed even if the export fails, because SQLite cannot record the step's end during an open read.
        with closing(ratings), closing(movie_frames()) as movies:
            content = write_files(folder, ratings, movies, training_sources(), on_rows)
        if content.users.issubset(UserPseudonym.objects.values_list("number", flat=True).iterator()):
            return content
        shutil.rmtree(folder)
    raise StepFailed("Accounts were deleted during each export; start it again.")


def _name_users() -> None:
    """Assigns a pseudonym to each user with ratings. Ratings of users without one are not exported."""
    without = User.objects.filter(Exists(Rating.objects.filter(user=OuterRef("pk")))).filter(pseudonym=None)
    while users := list(without.order_by("pk").values_list("pk", flat=True)[:PSEUDONYM_BATCH]):
        # The next iteration resolves conflicts with a concurrent export or a number drawn twice.
        UserPseudonym.objects.bulk_create([UserPseudonym(user_id=user) for user in users], ignore_conflicts=True)


def keep_snapshot(partial: Path, content: Content) -> DatasetSnapshot:
    """Moves a written folder into place and creates or updates its row. Returns the row.

    The folder is moved first. If a crash leaves it without a row, the next export of the same data uses it unless it is
    damaged. Raises StepFailed if the data was withdrawn.
    """
    content_hash = content.hash()
    before = DatasetSnapshot.objects.filter(content_hash=content_hash).first()
    if before is not None and before.withdrawn_at:
        raise StepFailed(f"The data equals a withdrawn snapshot. {before.unavailable_reason}")
    folder = settings.SNAPSHOT_DIR / content_hash
    if is_whole(folder):
        shutil.rmtree(partial)
    else:
        replace_folder(partial, folder)
    again = {"exported_at": timezone.now(), "removed_at": None}
    first = again | {
        "folder": content_hash,
        "n_ratings": content.n_ratings,
        "n_users": len(content.users),
        "n_movies": content.n_movies,
        "first_rated_at": content.first,
        "last_rated_at": content.last,
        "size_bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "sources": read_manifest(folder)["sources"],
        "parent": DatasetSnapshot.objects.exclude(content_hash=content_hash).first(),
    }
    return DatasetSnapshot.objects.update_or_create(again, first, content_hash=content_hash)[0]


def adopt_snapshot(folder: Path) -> DatasetSnapshot:
    """Copies a snapshot's folder into place, such as one from DVC's remote, and returns its row.

    Replaces a damaged folder of the same snapshot. Raises SnapshotNotAvailable if the files do not match their manifest
    or, for a folder in SNAPSHOT_DIR, its name.
    """
    try:
        expected = str(read_manifest(folder)["content_hash"])
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise SnapshotNotAvailable(f"{folder} is not a readable snapshot: {MANIFEST}: {error!r}") from error
    if folder.resolve().parent == Path(settings.SNAPSHOT_DIR).resolve():
        expected = folder.resolve().name
    _, _, content = _read_whole(folder, expected, str(folder))
    known = DatasetSnapshot.objects.filter(content_hash=expected, removed_at=None).first()
    if known is not None:
        stored = settings.SNAPSHOT_DIR / known.folder
        if folder.resolve() != stored.resolve() and not is_whole(stored):
            copy_folder(folder, stored)
        return known
    partial = settings.SNAPSHOT_DIR / f".adopt-{uuid.uuid4().hex}.part"
    shutil.copytree(folder, partial)
    try:
        return keep_snapshot(partial, content)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_snapshot(snapshot: DatasetSnapshot) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the ratings and movies. Raises SnapshotNotAvailable if a file is missing or was changed."""
    if snapshot.unavailable_reason:
        raise SnapshotNotAvailable(snapshot.unavailable_reason)
    return _read_whole(settings.SNAPSHOT_DIR / snapshot.folder, snapshot.content_hash, f"Snapshot {snapshot}")[:2]


def is_by_history(snapshot: DatasetSnapshot) -> bool:
    """Returns whether trainings use the snapshot in canonical order, unlike those of earlier versions."""
    return bool(read_manifest(settings.SNAPSHOT_DIR / snapshot.folder).get(SCHEME, BY_ROW) >= BY_HISTORY)


def _read_whole(folder: Path, expected: str, name: str) -> tuple[pd.DataFrame, pd.DataFrame, Content]:
    """Reads the files. Raises SnapshotNotAvailable, with `name` in its text, if their hash is not `expected`."""
    try:
        ratings, movies, content = read_files(folder)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        # On damaged bytes pyarrow and pandas may raise any exception, including OverflowError and MemoryError.
        raise SnapshotNotAvailable(f"{name} cannot be read: {error!r}") from error
    if content.hash() != expected:
        raise SnapshotNotAvailable(f"{name}: the files changed since the export: their hash differs.")
    return ratings, movies, content
