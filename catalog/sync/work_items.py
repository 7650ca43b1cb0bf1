"""A sync's work items: the requests that a run starts with, and how workers share them."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from catalog.models import Movie, SyncItem, SyncRun, TMDBRecord

WINDOW = timedelta(days=13)  # TMDB lists at most 14 days of changes per request, first and last day included
MAX_WINDOWS = 6  # after a longer gap, every movie of the catalogue is read again
RELEASE_OVERLAP = timedelta(days=45)  # TMDB gets movies or their votes weeks after release
AHEAD = timedelta(days=365)

Scope = SyncRun.Scope
State = TMDBRecord.State


class SyncRequest(NamedTuple):
    """What to sync."""

    scope: str
    ids: tuple[int, ...] = ()
    since: date | None = None  # new releases from this day on, instead of from where the last sync ended


class DatePage(NamedTuple):
    """A page of a list of movies, encoded in an item's key."""

    start: date
    end: date
    page: int = 1

    @property
    def key(self) -> str:
        return f"{self.start}/{self.end}/{self.page}"

    @classmethod
    def of(cls, item: SyncItem) -> "DatePage":
        start, end, page = item.key.split("/")
        return cls(date.fromisoformat(start), date.fromisoformat(end), int(page))


def first_items(request: SyncRequest) -> Iterator[SyncItem]:
    if request.scope == Scope.IDS:
        yield from movie_items(request.ids)
        return
    yield from movie_items(unsettled_ids())
    if request.scope == Scope.EVERYTHING:
        yield from movie_items(_tmdb_ids(_stale_movies()))
    if request.scope in (Scope.EVERYTHING, Scope.CHANGES):
        yield from _changes()
    if request.scope in (Scope.EVERYTHING, Scope.NEW_RELEASES):
        yield page_item(SyncItem.Kind.DISCOVER, _releases(request.since))


def movie_items(ids: Iterable[int]) -> Iterator[SyncItem]:
    return (SyncItem(kind=SyncItem.Kind.MOVIE, key=str(tmdb_id)) for tmdb_id in ids)


def page_item(kind: str, page: DatePage) -> SyncItem:
    return SyncItem(kind=kind, key=page.key)


def unsettled_ids() -> Iterator[int]:
    """Ids whose last request failed or had an unusable answer, which may be fixed now."""
    unsettled = TMDBRecord.objects.filter(state__in=(State.FAILED, State.REJECTED))
    return unsettled.values_list("tmdb_id", flat=True).iterator()


def last_success(*scopes: str) -> datetime | None:
    """Up to which moment these scopes are synced."""
    done = SyncRun.objects.filter(status=SyncRun.Status.SUCCEEDED, scope__in=scopes)
    return done.aggregate(latest=Max("started_at"))["latest"]


def _tmdb_ids(movies: QuerySet[Movie]) -> Iterator[int]:
    return (tmdb_id for tmdb_id in movies.values_list("tmdb_id", flat=True).iterator() if tmdb_id)


def _known_movies() -> QuerySet[Movie]:
    gone = TMDBRecord.objects.filter(tmdb_id=OuterRef("tmdb_id"), state=State.GONE)
    return Movie.objects.filter(~Exists(gone), tmdb_id__isnull=False).order_by("pk")


def _stale_movies() -> QuerySet[Movie]:
    """Movies that were never read, or not recently."""
    limit = timezone.now() - timedelta(days=settings.POLICY.tmdb.refresh_days)
    fresh = TMDBRecord.objects.filter(movie=OuterRef("pk"), state=State.FETCHED, fetched_at__gte=limit)
    return _known_movies().filter(~Exists(fresh))


def _changes() -> Iterator[SyncItem]:
    watermark = last_success(Scope.EVERYTHING, Scope.CHANGES)
    today = timezone.now().date()
    start = watermark.date() - timedelta(days=1) if watermark else date.min
    if watermark is None or (today - start) / WINDOW > MAX_WINDOWS:
        yield from movie_items(_tmdb_ids(_known_movies()))
        return
    while start <= today:
        end = min(start + WINDOW, today)
        yield page_item(SyncItem.Kind.CHANGES, DatePage(start, end))
        start = end + timedelta(days=1)


def _releases(since: date | None) -> DatePage:
    """Releases since the last sync, or on the first one since the newest movie of the catalogue."""
    today = timezone.now().date()
    start = since
    if start is None and (watermark := last_success(Scope.EVERYTHING, Scope.NEW_RELEASES)):
        start = watermark.date() - RELEASE_OVERLAP
    if start is None:
        year = Movie.objects.filter(Q(year__lte=today.year)).aggregate(latest=Max("year"))["latest"]
        start = date(year or today.year, 1, 1)
    end = today + AHEAD if settings.POLICY.tmdb.unreleased else today
    return DatePage(min(start, end), end)


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
    """Records the outcome; call it in the transaction that writes the changes. False: another worker was faster, write
    nothing."""
    return bool(SyncItem.objects.filter(pk=item.pk, outcome="").update(outcome=outcome))


def release(items: Iterable[SyncItem]) -> None:
    """Ends the leases early, so that another worker can take the items."""
    SyncItem.objects.filter(pk__in=[item.pk for item in items], outcome="").update(leased_until=timezone.now())


def counts_of(run: SyncRun) -> dict[str, int]:
    counted = run.items.order_by().values_list("outcome").annotate(n=Count("pk"))
    return {outcome or SyncItem.PENDING: n for outcome, n in counted}
