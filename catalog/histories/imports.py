"""The life of an upload: received, read in the background, looked at, and imported or discarded by its owner.

The row is the truth, the broker only a bell: a row is claimed by a compare-and-set, so a second delivery of its message
does nothing, and a message that got lost is sent again by `sweep_histories`.
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

from catalog.errors import HistoryNotReady
from catalog.histories.changes import Changes, changes_of, chunks, lock, write
from catalog.histories.entries import Entry
from catalog.histories.facts import facts_by_movie
from catalog.histories.formats import read_history
from catalog.histories.matching import Match, match_entries
from catalog.importers.writing.rows import insert_rows
from catalog.models import HistoryEntry, HistoryImport, User

logger = logging.getLogger(__name__)

READ_TASK = "catalog.read_history_import"
ROWS_A_WRITE = 2000
COLUMNS = (
    "history_import_id",
    "file",
    "line",
    "kind",
    "title",
    "year",
    "rating",
    "noted_at",
    "watched_on",
    "is_rewatch",
    "movie_id",
    "reason",
)

Status = HistoryImport.Status


def receive_history(*, user: User, format: str, name: str, content: bytes) -> HistoryImport:
    """`open_import`, to be read in the background."""
    history = open_import(user=user, format=format, name=name, content=content)
    transaction.on_commit(lambda: ring(history.pk))
    return history


def open_import(*, user: User, format: str, name: str, content: bytes) -> HistoryImport:
    """A row for the file, which takes the place of one that the user has not imported.

    Raises InvalidHistory, UploadTooLarge when the file is no history of that format; then nothing is changed.
    """
    name = PurePath(name).name.replace("\0", "")[:200] or "upload"
    entries = read_history(format=format, name=name, content=content)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        HistoryImport.objects.filter(user=user, status__in=HistoryImport.OPEN).delete()
        return HistoryImport.objects.create(
            user=user, format=format, name=name, content=content, n_entries=len(entries)
        )


def ring(import_id: int) -> bool:
    """Ask a worker to read it. The message expires when the sweeper would send the next one."""
    try:
        expires = settings.POLICY.histories.stale_after_seconds * 2
        current_app.send_task(READ_TASK, kwargs={"import_id": import_id}, queue="default", expires=expires)
    except Exception:
        # Whatever the broker's transport raises: the row goes on waiting and the sweeper tries again.
        logger.warning("the broker did not take history import %s; it is tried again", import_id, exc_info=True)
        return False
    return True


def read_history_import(*, import_id: int, on_progress: Callable[[int], object] = lambda n: None) -> bool:
    """Matches every row to the catalogue, for the owner to look at. False when there was nothing to do.

    What stops it halfway leaves rows behind that nobody is shown; whoever reads it anew removes them.
    """
    waiting = HistoryImport.objects.filter(pk=import_id, status=Status.WAITING)
    if not waiting.update(status=Status.READING, attempts=F("attempts") + 1, heartbeat_at=timezone.now(), n_read=0):
        return False
    history = HistoryImport.objects.filter(pk=import_id).select_related("user").first()
    if history is None:
        return False
    try:
        return _read(history, on_progress)
    except (OperationalError, IntegrityError):
        raise  # the database's trouble, or a movie or account that went meanwhile: the sweeper begins it anew
    except Exception:
        logger.exception("history import %s failed", history.pk)
        _own(history).update(status=Status.FAILED, content=b"", ended_at=timezone.now())
        return False


def _read(history: HistoryImport, on_progress: Callable[[int], object]) -> bool:
    entries = read_history(format=history.format, name=history.name, content=bytes(history.content))
    matches = match_entries(entries)
    history.entries.all().delete()
    for pairs in chunks(list(zip(entries, matches, strict=True)), ROWS_A_WRITE):
        with transaction.atomic():
            if not _own(history).update(n_read=F("n_read") + len(pairs), heartbeat_at=timezone.now()):
                return False  # discarded meanwhile
            insert_rows(HistoryEntry, COLUMNS, (_row(history, entry, match) for entry, match in pairs))
        on_progress(len(pairs))
    matched = sum(match.movie_id is not None for match in matches)
    counts = {"matched": matched, "unmatched": len(entries) - matched, **_changes(history).counts()}
    return bool(_own(history).update(status=Status.READY, content=b"", counts=counts))


def _own(history: HistoryImport) -> QuerySet[HistoryImport]:
    """The row, as long as it is read by this attempt."""
    return HistoryImport.objects.filter(pk=history.pk, status=Status.READING, attempts=history.attempts)


def _row(history: HistoryImport, entry: Entry, match: Match) -> tuple[Any, ...]:
    """In the order of COLUMNS."""
    place = (history.pk, entry.file[:200], entry.line, entry.kind, entry.title, entry.year)
    facts = (entry.rating, entry.noted_at, entry.watched_on, entry.is_rewatch)
    return (*place, *facts, match.movie_id, match.reason[:300])


def _changes(history: HistoryImport, *, locked: bool = False) -> Changes:
    facts = facts_by_movie(history)
    if locked:
        existing = lock(history.user, list(facts))
        facts = {movie_id: of_movie for movie_id, of_movie in facts.items() if movie_id in existing}
    return changes_of(history.user, facts, given_at=history.created_at)


def commit_import(history: HistoryImport) -> HistoryImport:
    """Imports what was matched, all or nothing; once more changes nothing. Raises HistoryNotReady.

    Rows that were not matched stay, with their reasons, for as long as the policy keeps them.
    """
    with transaction.atomic():
        list(User.objects.select_for_update(no_key=True).filter(pk=history.user_id))
        history.status = HistoryImport.objects.filter(pk=history.pk).values_list("status", flat=True).first() or ""
        if history.status == Status.DONE:
            return history
        if history.status != Status.READY:
            what = history.get_status_display() or "discarded"
            raise HistoryNotReady(f"{history.name} is {what}; a history can be imported once it is read.")
        changes = _changes(history, locked=True)
        write(history.user, changes)
        history.entries.exclude(movie=None).delete()
        history.counts |= changes.counts()
        history.status, history.ended_at = Status.DONE, timezone.now()
        history.save(update_fields=["counts", "status", "ended_at"])
    return history


def sweep_histories() -> dict[str, int]:
    """Begins anew what no worker reads any more, rings for what waits, removes what was kept long enough."""
    policy = settings.POLICY.histories
    now = timezone.now()
    silent = HistoryImport.objects.filter(heartbeat_at__lt=now - timedelta(seconds=policy.stale_after_seconds))
    dead = silent.filter(status=Status.READING)
    n_failed = dead.filter(attempts__gte=policy.attempts).update(status=Status.FAILED, content=b"", ended_at=now)
    dead.update(status=Status.WAITING)
    waiting = list(silent.filter(status=Status.WAITING).values_list("pk", flat=True))
    n_removed = 0
    for history in HistoryImport.objects.filter(created_at__lt=now - timedelta(days=policy.keep_days)).defer("content"):
        n_removed += bool(history.delete()[0])
    return {"failed": n_failed, "rung": sum(ring(pk) for pk in waiting), "removed": n_removed}
