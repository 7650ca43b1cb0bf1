"""A sync with TMDB, as a kind of job, and how it can end."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from catalog.jobs.kinds import JobKind, Limits, register
from catalog.models import Source, SyncItem, SyncRun
from catalog.models.outcomes import add_sentences
from catalog.signals import sync_ended

MAX_SECONDS = 24 * 3600
RETRIES = 3
RETRY_AFTER_SECONDS = 60


class SyncOutcome(TextChoices):
    SYNCED = "synced", _("Synced.")
    NOTHING_DUE = "nothing_due", _("Nothing was due.")
    TOKEN_REFUSED = "token_refused", "{error}"
    MOVIES_FAILED = "movies_failed", _("{n} movies in a row failed, the last one: {error}")
    PAGE_FAILED = "page_failed", "{error}"


def announce(run: SyncRun) -> None:
    """Tells listeners that the sync has ended; not yet while it is retried."""
    if not run.retry_at:
        stopped_by = "" if run.status == run.Status.SUCCEEDED else run.message
        sync_ended.send_robust(sender=SyncRun, source=Source.TMDB.value, stopped_by=stopped_by)


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
