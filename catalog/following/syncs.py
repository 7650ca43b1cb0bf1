"""The job that reads a followed source and imports its new rows, and the schedule of these jobs.

Every handled row is recorded with a key, in the transaction that imports it. A row is therefore imported once, even if
its worker is killed, and never again after its owner changed or deleted what it brought.
"""

import logging
import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from catalog.errors import InvalidImport
from catalog.following.formats import SOURCES, available
from catalog.following.public_network import FetchFailed
from catalog.following.rows import new_rows, waiting_rows, write_rows
from catalog.jobs.heartbeat import beating
from catalog.jobs.kinds import JobKind, Limits, register
from catalog.jobs.queue import claim, enqueue, fail, finish, heartbeat
from catalog.models import FollowedSource, SourceSync
from catalog.models.followed import SyncOutcome
from catalog.models.outcomes import Outcome
from catalog.progress import chunks

logger = logging.getLogger(__name__)

TASK = "catalog.sync_source"
ROWS_A_WRITE = 500
STALE_SECONDS = 30
MAX_SECONDS = 1800
RETRIES = 2
LONGEST_PAUSE = timedelta(days=7)
KEPT_SYNCS = 20  # of each source


def start_sync(source: FollowedSource, *, trigger: str) -> SourceSync | None:
    """Enqueues a sync. Returns None if one is under way."""
    try:
        with transaction.atomic():
            sync = SourceSync.objects.create(
                source=source, trigger=trigger, requested_by_id=source.user_id, exclusive=f"followed source {source.pk}"
            )
    except IntegrityError:
        return None
    transaction.on_commit(lambda: enqueue(sync))
    return sync


def start_due_syncs() -> int:
    """Starts the syncs that have been due for longest, as many as the policy allows, and returns their number."""
    due = FollowedSource.objects.filter(paused_at=None, next_sync_at__lte=timezone.now(), user__is_active=True)
    due = due.filter(kind__in=[kind.code for kind in available()]).exclude(syncs__status__in=SourceSync.ACTIVE)
    due = due.exclude(syncs__retry_at__isnull=False).order_by("next_sync_at")
    chosen = list(due[: settings.POLICY.following.syncs_a_minute])
    return sum(start_sync(source, trigger=SourceSync.Trigger.SCHEDULED) is not None for source in chosen)


def sync_source(*, sync_id: int) -> bool:
    """Reads a source and imports its new rows. Returns False if there was nothing to do or the sync failed."""
    waiting = SourceSync.objects.filter(pk=sync_id).select_related("source__user").first()
    sync = claim(waiting) if waiting else None
    if sync is None:
        return False
    with beating():
        try:
            return _sync(sync)
        except FetchFailed as failed:
            fail(sync, failed.outcome, **failed.details)
        except InvalidImport as error:
            fail(sync, SyncOutcome.UNREADABLE, error=str(error))
        except (OperationalError, IntegrityError) as error:
            # The database failed, or a movie or the account was deleted concurrently.
            logger.warning("%s is repeated: %s", sync, type(error).__name__)
            fail(sync, SyncOutcome.FAILED, status=SourceSync.Status.ERRORED, error=type(error).__name__)
        except Exception as error:
            logger.exception("%s failed", sync)
            fail(sync, Outcome.BUG, status=SourceSync.Status.ERRORED, retry=False, error=type(error).__name__)
    return False


def _sync(sync: SourceSync) -> bool:
    source = sync.source
    contents = SOURCES[source.kind].read(source, whole=waiting_rows(source).exists())
    rows = new_rows(source, contents.rows) if contents else []
    counts: dict[str, int] = {}
    for batch in chunks(rows, ROWS_A_WRITE):
        with transaction.atomic():
            if not heartbeat(sync):
                return False  # another worker has it, or the source was removed
            counts = _sum(counts, write_rows(source, batch))
            SourceSync.objects.filter(pk=sync.pk).update(counts=counts)
    pause = timedelta(hours=settings.POLICY.following.every_hours) * random.uniform(0.9, 1.1)  # spreads syncs out
    values: dict[str, Any] = {"n_failures": 0, "synced_at": timezone.now(), "next_sync_at": timezone.now() + pause}
    if contents:
        values |= {"etag": contents.etag, "last_modified": contents.last_modified}
    with transaction.atomic():
        if not finish(sync, SyncOutcome.FOLLOWED if rows else SyncOutcome.UNCHANGED):
            return False
        FollowedSource.objects.filter(pk=source.pk).update(**values)
    _remove_old(source)
    return True


def _sum(counts: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in {**counts, **more}}


def _remove_old(source: FollowedSource) -> None:
    ended: Iterable[SourceSync] = source.syncs.exclude(status__in=SourceSync.ACTIVE)[KEPT_SYNCS:]
    for sync in list(ended):
        sync.delete()


def _note_failure(sync: SourceSync) -> None:
    """Postpones the next sync: to when the site asked for, otherwise for longer after each failure in a row."""
    if sync.retry_at:
        return
    sources = FollowedSource.objects.filter(pk=sync.source_id)
    if sync.outcome == SyncOutcome.POSTPONED:
        sources.update(next_sync_at=timezone.now() + timedelta(seconds=sync.details["seconds"]))
        return
    pause = timedelta(hours=settings.POLICY.following.every_hours) * 2 ** min(sync.source.n_failures, 10)
    sources.update(n_failures=F("n_failures") + 1, next_sync_at=timezone.now() + min(pause, LONGEST_PAUSE))


register(
    JobKind(
        name=SourceSync.KIND,
        model=SourceSync,
        task=TASK,
        queue="default",
        limits=lambda: Limits(STALE_SECONDS, MAX_SECONDS, RETRIES),
        arguments=lambda sync: {"sync_id": sync.pk},
        on_end=_note_failure,
    )
)
