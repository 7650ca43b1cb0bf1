"""The life of a sync: opened, worked at by whoever comes, finished once nothing is left to do."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import Source, SyncItem, SyncRun
from catalog.signals import sync_ended
from catalog.sync.due import Asked, first_items
from catalog.sync.items import add_items, counts_of

logger = logging.getLogger(__name__)

Status = SyncRun.Status
Kind = SyncRun.Kind
Outcome = SyncItem.Outcome


def open_run(asked: Asked) -> tuple[SyncRun, bool]:
    """The run to work at, and whether it does what was asked for.

    That of another is gone on with first. One of the same kind that could not go on is taken up where it stopped.
    """
    while True:
        if run := SyncRun.objects.filter(status=Status.RUNNING).first():
            return run, _same(run, asked)
        try:
            with transaction.atomic():
                return _reopened(asked) or _new_run(asked), True
        except IntegrityError:  # somebody opened one at the same moment
            continue


def is_worked_at(run: SyncRun) -> bool:
    """Somebody has been heard of lately."""
    limit = timezone.now() - timedelta(seconds=2 * settings.POLICY.tmdb.lease_seconds)
    return run.status == Status.RUNNING and run.heartbeat_at > limit


def beat(run: SyncRun) -> bool:
    """Writes down how far it is. False when the run has ended."""
    run.counts, run.heartbeat_at = counts_of(run), timezone.now()
    rows = SyncRun.objects.filter(pk=run.pk, status=Status.RUNNING)
    return bool(rows.update(counts=run.counts, heartbeat_at=run.heartbeat_at))


def finish(run: SyncRun) -> bool:
    """Ends the run if nothing is left to do. True once it has ended, whoever ended it."""
    with transaction.atomic():
        locked = SyncRun.objects.select_for_update().filter(pk=run.pk, status=Status.RUNNING).first()
        if locked is None:
            return True
        if locked.items.filter(outcome="").exists():
            return False
        locked.counts = counts_of(locked)
        _end(locked, Status.SUCCEEDED, _sentence(locked.counts))
        locked.items.all().delete()
    logger.info("TMDB sync %s: %s", locked.pk, locked.message)
    _announce("")
    return True


def stop(run: SyncRun, status: str, message: str) -> None:
    """Ends the run before its time; what it has still to do is kept for the next one of its kind."""
    with transaction.atomic():
        locked = SyncRun.objects.select_for_update().filter(pk=run.pk, status=Status.RUNNING).first()
        if locked is None:
            return
        locked.counts = counts_of(locked)
        _end(locked, status, message)
    logger.error("TMDB sync %s stopped: %s", run.pk, message)
    _announce(message)


def _same(run: SyncRun, asked: Asked) -> bool:
    return run.kind == asked.kind and asked.kind != Kind.IDS and asked.since is None


def _reopened(asked: Asked) -> SyncRun | None:
    run = SyncRun.objects.filter(kind=asked.kind).first()
    if run is None or not _same(run, asked) or not run.items.filter(outcome="").exists():
        return None
    now = timezone.now()
    SyncRun.objects.filter(pk=run.pk).update(status=Status.RUNNING, ended_at=None, message="", heartbeat_at=now)
    run.refresh_from_db()
    return run


def _new_run(asked: Asked) -> SyncRun:
    run = SyncRun.objects.create(kind=asked.kind)
    settled_by_it = SyncItem.objects.exclude(run=run)
    if asked.kind != Kind.EVERYTHING:
        settled_by_it = settled_by_it.filter(run__kind__in=(asked.kind, Kind.IDS))
    settled_by_it.delete()
    add_items(run.pk, first_items(asked))
    run.counts = counts_of(run)
    run.save(update_fields=["counts"])
    return run


def _end(run: SyncRun, status: str, message: str) -> None:
    run.status, run.message, run.ended_at = status, message, timezone.now()
    run.save(update_fields=["status", "message", "ended_at", "counts"])


def _sentence(counts: dict[str, int]) -> str:
    movies = {outcome: n for outcome, n in counts.items() if outcome != Outcome.LISTED and n}
    if not movies:
        return "Nothing was due."
    labels = {choice.value: str(choice.label) for choice in Outcome}
    return ", ".join(f"{n:,} {labels.get(outcome, outcome)}" for outcome, n in sorted(movies.items())) + "."


def _announce(stopped_by: str) -> None:
    sync_ended.send_robust(sender=SyncRun, source=Source.TMDB.value, stopped_by=stopped_by)
