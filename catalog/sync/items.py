"""A run's items: taken by one worker at a time, settled once."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from catalog.models import SyncItem, SyncRun


def add_items(run_id: int, items: Iterable[SyncItem]) -> None:
    """Those that the run does not have yet."""
    rows = list(items)
    for row in rows:
        row.run_id = run_id
    SyncItem.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def claim(run: SyncRun, size: int) -> list[SyncItem]:
    """Items that no other worker has in hand, for `tmdb.lease_seconds` this one's."""
    now = timezone.now()
    with transaction.atomic():
        due = SyncItem.objects.filter(run=run, outcome="", leased_until__lte=now).order_by("pk")
        skip = connection.features.has_select_for_update_skip_locked
        items = list(due.select_for_update(skip_locked=skip)[:size])
        until = now + timedelta(seconds=settings.POLICY.tmdb.lease_seconds)
        SyncItem.objects.filter(pk__in=[item.pk for item in items]).update(leased_until=until)
    return items


def settle(item: SyncItem, outcome: str) -> bool:
    """Within the transaction of what the outcome says. False when another worker was faster: write nothing then."""
    return bool(SyncItem.objects.filter(pk=item.pk, outcome="").update(outcome=outcome))


def release(items: Iterable[SyncItem]) -> None:
    """Back to whoever comes next, without waiting for the lease to end."""
    SyncItem.objects.filter(pk__in=[item.pk for item in items], outcome="").update(leased_until=timezone.now())


def counts_of(run: SyncRun) -> dict[str, int]:
    counted = run.items.order_by().values_list("outcome").annotate(n=Count("pk"))
    return {outcome or SyncItem.PENDING: n for outcome, n in counted}
