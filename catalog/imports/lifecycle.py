"""The life of an upload: received, read in the background, looked at, and imported or discarded by its owner.

The row is the truth, the broker only a bell: a row is claimed by a compare-and-set, so a second delivery of its message
does nothing, and a message that got lost is sent again by `requeue_stale_imports`.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from catalog.errors import ImportNotReady
from catalog.imports.changes import Changes, changes_for, chunks, lock, write
from catalog.imports.formats import parse_upload
from catalog.imports.matching import Match, match_rows
from catalog.imports.merged import merge_rows
from catalog.imports.parsing import ParsedRow
from catalog.ingest.rows import insert_rows
from catalog.models import ImportRow, User, UserImport

logger = logging.getLogger(__name__)

READ_TASK = "catalog.read_import"
ROWS_A_WRITE = 2000
COLUMNS = (
    "user_import_id",
    "file",
    "line",
    "kind",
    "title",
    "year",
    "rating",
    "recorded_at",
    "watched_on",
    "is_rewatch",
    "movie_id",
    "reason",
)

Status = UserImport.Status


def receive_upload(*, user: User, format: str, name: str, content: bytes) -> UserImport:
    """`create_import`, to be read in the background."""
    user_import = create_import(user=user, format=format, name=name, content=content)
    transaction.on_commit(lambda: enqueue(user_import.pk))
    return user_import


def create_import(*, user: User, format: str, name: str, content: bytes) -> UserImport:
    """A row for the file, which takes the place of one that the user has not imported.

    Raises InvalidImport, UploadTooLarge when the file is no user_import of that format; then nothing is changed.
    """
    name = PurePath(name).name.replace("\0", "")[:200] or "upload"
    rows = parse_upload(format=format, name=name, content=content)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        UserImport.objects.filter(user=user, status__in=UserImport.OPEN).delete()
        return UserImport.objects.create(user=user, format=format, name=name, content=content, n_rows=len(rows))


def enqueue(import_id: int) -> bool:
    """Ask a worker to read it. The message expires when the sweeper would send the next one."""
    try:
        expires = settings.POLICY.histories.stale_after_seconds * 2
        current_app.send_task(READ_TASK, kwargs={"import_id": import_id}, queue="default", expires=expires)
    except Exception:
        # Whatever the broker's transport raises: the row goes on waiting and the sweeper tries again.
        logger.warning("the broker did not take import %s; it is tried again", import_id, exc_info=True)
        return False
    return True


def read_import(*, import_id: int, on_progress: Callable[[int], object] = lambda n: None) -> bool:
    """Matches every row to the catalogue, for the owner to look at. False when there was nothing to do.

    What stops it halfway leaves rows behind that nobody is shown; whoever reads it anew removes them.
    """
    waiting = UserImport.objects.filter(pk=import_id, status=Status.WAITING)
    if not waiting.update(status=Status.READING, attempts=F("attempts") + 1, heartbeat_at=timezone.now(), n_read=0):
        return False
    user_import = UserImport.objects.filter(pk=import_id).select_related("user").first()
    if user_import is None:
        return False
    try:
        return _read(user_import, on_progress)
    except (OperationalError, IntegrityError):
        raise  # the database's trouble, or a movie or account that went meanwhile: the sweeper begins it anew
    except Exception:
        logger.exception("import %s failed", user_import.pk)
        _own(user_import).update(status=Status.FAILED, content=b"", ended_at=timezone.now())
        return False


def _read(user_import: UserImport, on_progress: Callable[[int], object]) -> bool:
    rows = parse_upload(format=user_import.format, name=user_import.name, content=bytes(user_import.content))
    matches = match_rows(rows)
    user_import.rows.all().delete()
    for pairs in chunks(list(zip(rows, matches, strict=True)), ROWS_A_WRITE):
        with transaction.atomic():
            if not _own(user_import).update(n_read=F("n_read") + len(pairs), heartbeat_at=timezone.now()):
                return False  # discarded meanwhile
            insert_rows(ImportRow, COLUMNS, (_row(user_import, row, match) for row, match in pairs))
        on_progress(len(pairs))
    matched = sum(match.movie_id is not None for match in matches)
    counts = {"matched": matched, "unmatched": len(rows) - matched, **_changes(user_import).counts()}
    return bool(_own(user_import).update(status=Status.READY, content=b"", counts=counts))


def _own(user_import: UserImport) -> QuerySet[UserImport]:
    """The row, as long as it is read by this attempt."""
    return UserImport.objects.filter(pk=user_import.pk, status=Status.READING, attempts=user_import.attempts)


def _row(user_import: UserImport, row: ParsedRow, match: Match) -> tuple[Any, ...]:
    """In the order of COLUMNS."""
    place = (user_import.pk, row.file[:200], row.line, row.kind, row.title, row.year)
    values = (row.rating, row.recorded_at, row.watched_on, row.is_rewatch)
    return (*place, *values, match.movie_id, match.reason[:300])


def _changes(user_import: UserImport, *, locked: bool = False) -> Changes:
    merged = merge_rows(user_import)
    if locked:
        existing = lock(user_import.user, list(merged))
        merged = {movie_id: row for movie_id, row in merged.items() if movie_id in existing}
    return changes_for(user_import.user, merged, given_at=user_import.created_at)


def commit_import(user_import: UserImport) -> UserImport:
    """Imports what was matched, all or nothing; once more changes nothing. Raises ImportNotReady.

    Rows that were not matched stay, with their reasons, for as long as the policy keeps them.
    """
    with transaction.atomic():
        list(User.objects.select_for_update(no_key=True).filter(pk=user_import.user_id))
        user_import.status = UserImport.objects.filter(pk=user_import.pk).values_list("status", flat=True).first() or ""
        if user_import.status == Status.DONE:
            return user_import
        if user_import.status != Status.READY:
            what = user_import.get_status_display() or "discarded"
            raise ImportNotReady(f"{user_import.name} is {what}; it can be imported once it has been read.")
        changes = _changes(user_import, locked=True)
        write(user_import.user, changes)
        user_import.rows.exclude(movie=None).delete()
        user_import.counts |= changes.counts()
        user_import.status, user_import.ended_at = Status.DONE, timezone.now()
        user_import.save(update_fields=["counts", "status", "ended_at"])
    return user_import


def requeue_stale_imports() -> dict[str, int]:
    """Begins anew what no worker reads any more, rings for what waits, removes what was kept long enough."""
    policy = settings.POLICY.histories
    now = timezone.now()
    silent = UserImport.objects.filter(heartbeat_at__lt=now - timedelta(seconds=policy.stale_after_seconds))
    dead = silent.filter(status=Status.READING)
    n_failed = dead.filter(attempts__gte=policy.attempts).update(status=Status.FAILED, content=b"", ended_at=now)
    dead.update(status=Status.WAITING)
    waiting = list(silent.filter(status=Status.WAITING).values_list("pk", flat=True))
    n_removed = 0
    for user_import in UserImport.objects.filter(created_at__lt=now - timedelta(days=policy.keep_days)).defer(
        "content"
    ):
        n_removed += bool(user_import.delete()[0])
    return {"failed": n_failed, "enqueued": sum(enqueue(pk) for pk in waiting), "removed": n_removed}
