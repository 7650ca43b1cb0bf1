"""The work items of a sync, and how workers share them."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from catalog.models import SyncItem, SyncRun


class SyncRequest(NamedTuple):
    """The movies to sync: a scope, with its parameters."""

    scope: str
    ids: tuple[int, ...] = ()
    since: date | None = None  # first day of the releases to sync; by default where the last sync ended


def movie_items(ids: Iterable[int]) -> Iterator[SyncItem]:
    return (SyncItem(kind=SyncItem.Kind.MOVIE, key=str(tmdb_id)) for tmdb_id in ids)


def add_items(run_id: int, items: Iterable[SyncItem]) -> None:
    """Adds the items that the run does not have yet."""
    rows = list(items)
    for row in rows:
        row.run_id = run_id
    SyncItem.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def claim(run: SyncRun, size: int) -> list[SyncItem]:
    """Leases items that no other worker holds, for `tmdb.lease_seconds`."""
    now = timezone.now()
    with transaction.atomic():
        due = SyncItem.objects.filter(run=run, outcome="", leased_until__lte=now).order_by("pk")
        skip = connection.features.has_select_for_update_skip_locked
        items = list(due.select_for_update(skip_locked=skip)[:size])
        until = now + timedelta(seconds=settings.POLICY.tmdb.lease_seconds)
        SyncItem.objects.filter(pk__in=[item.pk for item in items]).update(leased_until=until)
    return items


def settle(item: SyncItem, outcome: str) -> bool:
    """Records the outcome of an item. Call it in the transaction that writes the changes.

    Returns False if another worker has settled the item. In that case, nothing may be written.
    """
    return bool(SyncItem.objects.filter(pk=item.pk, outcome="").update(outcome=outcome))


def release(items: Iterable[SyncItem]) -> None:
    """Ends the leases early, so that another worker can take the items."""
    SyncItem.objects.filter(pk__in=[item.pk for item in items], outcome="").update(leased_until=timezone.now())


def counts_of(run: SyncRun) -> dict[str, int]:
    counted = run.items.order_by().values_list("outcome").annotate(n=Count("pk"))
    return {outcome or SyncItem.PENDING: n for outcome, n in counted}
