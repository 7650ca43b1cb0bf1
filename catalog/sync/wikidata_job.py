"""The job kind for Wikidata syncs. Finds what is due, and opens, finishes and stops runs."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.jobs import queue
from catalog.jobs.kinds import JobKind, Limits, register
from catalog.jobs.reaper import requeue_stale
from catalog.models import Movie, Person, Picture, Source
from catalog.models.outcomes import add_sentences
from catalog.models.wikidata import WikidataRecord, WikidataRun
from catalog.signals import sync_ended

logger = logging.getLogger(__name__)

MAX_SECONDS = 24 * 3600
RETRIES = 3
RETRY_AFTER_SECONDS = 60
State = WikidataRecord.State


class WikidataOutcome(TextChoices):
    SYNCED = "wikidata_synced", _("Sync finished.")
    NOTHING_DUE = "wikidata_nothing_due", _("Everything is up to date.")
    STOPPED = "wikidata_stopped", "{error}"


LABELS = {
    "updated": _("updated"),
    "unchanged": _("unchanged"),
    State.ABSENT.value: _("not on Wikidata"),
    State.FAILED.value: _("failed"),
}


def due() -> QuerySet[Movie]:
    """Returns the movies that were not read recently, most popular first."""
    limit = timezone.now() - timedelta(days=settings.POLICY.wikidata.refresh_days)
    is_due = Q(wikidata=None) | Q(wikidata__state=State.MATCHED) | Q(wikidata__checked_at__lt=limit)
    has_id = Q(imdb_id__isnull=False) | Q(tmdb_id__isnull=False)
    return Movie.objects.filter(has_id, is_due).order_by("-popularity", "pk")


def open_run(*, trigger: str, limit: int | None) -> WikidataRun | None:
    """Returns a run for this process: the waiting one, or a new one. None if another process is working on one.

    `limit` counts from now on and replaces the waiting run's own limit. Without it, that run keeps its limit.
    """
    requeue_stale(WikidataRun.KIND)  # ends the run of a killed process
    waiting = WikidataRun.objects.filter(Q(status__in=WikidataRun.ACTIVE) | Q(retry_at__isnull=False)).first()
    try:
        if waiting is None:
            with transaction.atomic():
                waiting = WikidataRun.objects.create(trigger=trigger, limit=limit, n_due=_n_due(limit))
        elif not waiting.is_active:
            queue.queue_again(waiting, "Retried by the next sync.")
        if limit is not None and (left := waiting.n_done + limit) != waiting.limit:
            WikidataRun.objects.filter(pk=waiting.pk, status=WikidataRun.Status.QUEUED).update(limit=left, n_due=left)
    except (IntegrityError, queue.JobNotClaimable):  # another process opened or claimed it first
        return None
    return queue.claim(waiting)


def _n_due(limit: int | None) -> int:
    n_due = due().count()
    return n_due if limit is None else min(n_due, limit)


class RunLost(Exception):
    """Another process has taken over the run, or it was purged. Nothing may be written."""


def count(run: WikidataRun, outcomes: Mapping[str, int]) -> None:
    """Adds to the run's counts, in the transaction that writes the movies. Raises RunLost."""
    if not queue.attempt_of(run).select_for_update().first():
        raise RunLost
    run.counts = {name: run.counts.get(name, 0) + outcomes.get(name, 0) for name in {*run.counts, *outcomes}}
    WikidataRun.objects.filter(pk=run.pk).update(counts=run.counts)


def finish(run: WikidataRun) -> None:
    Person.objects.filter(source=Source.WIKIDATA, credits=None).delete()  # from merged items, or no longer credited
    Picture.objects.forget_others()
    counts = {outcome: n for outcome, n in run.counts.items() if n}
    queue.finish(run, WikidataOutcome.SYNCED if counts else WikidataOutcome.NOTHING_DUE, **counts)
    logger.info("%s: %s", run, run.message)
    _announce(run)


def stop(run: WikidataRun, error: Exception) -> None:
    """Ends the run early. The movies that it did not reach remain due."""
    if queue.fail(run, WikidataOutcome.STOPPED, retry=False, error=str(error)):
        logger.error("%s stopped: %s", run, run.message)


def _announce(run: WikidataRun) -> None:
    """Signals that the sync has ended, after the commit. A run that will be retried has not ended."""
    if not run.retry_at:
        stopped_by = "" if run.status == run.Status.SUCCEEDED else run.message
        tell = partial(sync_ended.send_robust, sender=WikidataRun, source=Source.WIKIDATA.value, stopped_by=stopped_by)
        transaction.on_commit(tell, robust=True)


def _limits() -> Limits:
    stale_after = settings.POLICY.wikidata.stale_after_seconds
    return Limits(stale_after, MAX_SECONDS, RETRIES, RETRY_AFTER_SECONDS)


def _synced(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{n:,} {LABELS.get(outcome, outcome)}" for outcome, n in sorted(counts.items())) + "."


add_sentences(dict(WikidataOutcome.choices) | {WikidataOutcome.SYNCED: _synced})
register(
    JobKind(
        name=WikidataRun.KIND,
        model=WikidataRun,
        task="catalog.sync_wikidata",
        queue="default",
        limits=_limits,
        arguments=lambda run: {"goes_on": True},
        on_end=_announce,
        retries_commands=True,
    )
)
