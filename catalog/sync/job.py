"""The job kind for TMDB syncs. Opens, continues, finishes and stops runs."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from catalog.jobs import queue
from catalog.jobs.kinds import JobKind, Limits, register
from catalog.jobs.progress import Pace
from catalog.models import Source, SyncItem, SyncRun
from catalog.models.outcomes import add_sentences
from catalog.signals import sync_ended
from catalog.sync.pages import first_items
from catalog.sync.work_items import SyncRequest, add_items, counts_of

logger = logging.getLogger(__name__)

MAX_SECONDS = 24 * 3600
RETRIES = 3
RETRY_AFTER_SECONDS = 60
Status = SyncRun.Status
Scope = SyncRun.Scope


class SyncOutcome(TextChoices):
    SYNCED = "synced", _("Sync finished.")
    NOTHING_DUE = "nothing_due", _("Everything is up to date.")
    TOKEN_REFUSED = "token_refused", "{error}"
    MOVIES_FAILED = "movies_failed", _("{n} consecutive movies failed. Last error: {error}")
    PAGE_FAILED = "page_failed", "{error}"


def announce(run: SyncRun) -> None:
    """Signals that the sync has ended, after the commit. A run that will be retried has not ended."""
    if not run.retry_at:
        stopped_by = "" if run.status == run.Status.SUCCEEDED else run.message
        tell = partial(sync_ended.send_robust, sender=SyncRun, source=Source.TMDB.value, stopped_by=stopped_by)
        transaction.on_commit(tell, robust=True)


def _limits() -> Limits:
    return Limits(2 * settings.POLICY.tmdb.lease_seconds, MAX_SECONDS, RETRIES, RETRY_AFTER_SECONDS)


def _synced(counts: Mapping[str, Any]) -> str:
    labels = {choice.value: str(choice.label) for choice in SyncItem.Outcome}
    return ", ".join(f"{n:,} {labels.get(outcome, outcome)}" for outcome, n in sorted(counts.items())) + "."


add_sentences(dict(SyncOutcome.choices) | {SyncOutcome.SYNCED: _synced})
register(
    JobKind(
        name=SyncRun.KIND,
        model=SyncRun,
        task="catalog.sync_tmdb",
        queue="default",
        limits=_limits,
        arguments=lambda run: {"goes_on": True},
        on_end=announce,
        retries_commands=True,
        is_shared=True,
    )
)


def open_run(request: SyncRequest, *, trigger: str = SyncRun.Trigger.COMMAND) -> tuple[SyncRun, bool]:
    """Returns the run to work on, and whether it covers the request.

    An active run, or one waiting for a retry, is finished first. A stopped run of the same scope continues where it
    stopped.
    """
    while True:
        try:
            if run := SyncRun.objects.filter(Q(status__in=SyncRun.ACTIVE) | Q(retry_at__isnull=False)).first():
                if not run.is_active:
                    queue.queue_again(run, "Retried by the next sync.")
                return run, _same(run, request)
            with transaction.atomic():
                return _reopened(request) or _new_run(request, trigger), True
        except (IntegrityError, queue.JobNotClaimable):  # another process opened a run at the same time
            continue


def heartbeat(run: SyncRun, pace: Pace) -> bool:
    """Joins the run and records progress. Returns False if the run has ended."""
    return queue.join(run, **pace.at(run.n_done / max(1, run.n_items))) and _record_counts(run)


def finish(run: SyncRun) -> bool:
    """Ends the run if no item is pending. Returns True if it has ended, whichever worker ended it."""
    with transaction.atomic():
        if not queue.attempt_of(run).select_for_update().first():
            return True
        if run.items.filter(outcome="").exists():
            return False
        counts = counts_of(run)
        SyncRun.objects.filter(pk=run.pk).update(counts=counts)
        movies = {outcome: n for outcome, n in counts.items() if outcome != SyncItem.Outcome.LISTED and n}
        queue.finish(run, SyncOutcome.SYNCED if movies else SyncOutcome.NOTHING_DUE, **movies)
        run.items.all().delete()
    logger.info("TMDB %s: %s", run, run.message)
    announce(run)
    return True


def stop(run: SyncRun, status: str, outcome: str, *, retry: bool = False, **details: object) -> None:
    """Ends the run early. Its pending items are kept for the next run of the same scope."""
    _record_counts(run)
    if queue.fail(run, outcome, status=status, retry=retry, **details):
        logger.error("TMDB %s stopped: %s", run, run.message)


def _record_counts(run: SyncRun) -> bool:
    """Saves the counts. Returns False if the run has ended, because its items are deleted and its counts final."""
    with transaction.atomic():
        if not queue.attempt_of(run).select_for_update().first():
            return False
        run.counts = counts_of(run)
        return bool(SyncRun.objects.filter(pk=run.pk).update(counts=run.counts))


def _same(run: SyncRun, request: SyncRequest) -> bool:
    return run.scope == request.scope and request.scope != Scope.IDS and request.since is None


def _reopened(request: SyncRequest) -> SyncRun | None:
    run = SyncRun.objects.filter(scope=request.scope).first()
    if run is None or not _same(run, request) or not run.items.filter(outcome="").exists():
        return None
    queue.queue_again(run, "Taken up by the next sync.", after=(Status.FAILED, Status.ERRORED))
    return run


def _new_run(request: SyncRequest, trigger: str) -> SyncRun:
    run = SyncRun.objects.create(scope=request.scope, trigger=trigger)
    settled_by_it = SyncItem.objects.exclude(run=run)
    if request.scope != Scope.EVERYTHING:
        settled_by_it = settled_by_it.filter(run__scope__in=(request.scope, Scope.IDS))
    settled_by_it.delete()
    add_items(run.pk, first_items(request))
    run.counts = counts_of(run)
    run.save(update_fields=["counts"])
    return run
