"""Determines which movies and which pages of lists are due.

A run starts with its first items. Each page adds work items for its due movies. The first page also adds items for all
further pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from catalog.models import Movie, SyncItem, SyncRun, TMDBRecord
from catalog.site_settings import region
from catalog.sync.work_items import SyncRequest, add_items, movie_items, settle

if TYPE_CHECKING:  # every process imports this module, but few use TMDB
    from catalog.providers.tmdb import TMDBClient
    from catalog.providers.tmdb_documents import MoviePage

MAX_PAGES = 500  # TMDB's limit; a longer list is requested in two halves
WINDOW = timedelta(days=13)  # TMDB lists at most 14 days of changes per request, including the first and last day
MAX_WINDOWS = 6  # after a longer gap, every movie of the catalogue is fetched again
RELEASE_OVERLAP = timedelta(days=45)  # TMDB may add movies or their votes weeks after the release
AHEAD = timedelta(days=365)

Scope = SyncRun.Scope
State = TMDBRecord.State


class DatePage(NamedTuple):
    """A page of a list of movies, encoded in the key of an item."""

    start: date
    end: date
    page: int = 1

    def item(self, kind: str) -> SyncItem:
        return SyncItem(kind=kind, key=f"{self.start}/{self.end}/{self.page}")

    @classmethod
    def of(cls, item: SyncItem) -> DatePage:
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
        yield _releases(request.since).item(SyncItem.Kind.DISCOVER)


def unsettled_ids() -> Iterator[int]:
    """Yields ids whose last request failed or was rejected. The cause may have been fixed since."""
    unsettled = TMDBRecord.objects.filter(state__in=(State.FAILED, State.REJECTED))
    return unsettled.values_list("tmdb_id", flat=True).iterator()


def last_success(*scopes: str) -> datetime | None:
    """Returns the time up to which these scopes are synced, or None if they never were."""
    done = SyncRun.objects.filter(status=SyncRun.Status.SUCCEEDED, scope__in=scopes)
    return done.aggregate(latest=Max("started_at"))["latest"]


def _tmdb_ids(movies: QuerySet[Movie]) -> Iterator[int]:
    return (tmdb_id for tmdb_id in movies.values_list("tmdb_id", flat=True).iterator() if tmdb_id)


def _known_movies() -> QuerySet[Movie]:
    gone = TMDBRecord.objects.filter(tmdb_id=OuterRef("tmdb_id"), state=State.GONE)
    return Movie.objects.filter(~Exists(gone), tmdb_id__isnull=False).order_by("pk")


def _stale_movies() -> QuerySet[Movie]:
    """Returns movies that were not fetched recently, or were fetched for another region. Offers expire sooner."""
    policy, place = settings.POLICY.tmdb, region()
    days = min(policy.refresh_days, policy.offers_refresh_days) if place else policy.refresh_days
    limit = timezone.now() - timedelta(days=days)
    fresh = TMDBRecord.objects.filter(movie=OuterRef("pk"), state=State.FETCHED, fetched_at__gte=limit)
    if place:
        fresh = fresh.filter(region=place)
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
        yield DatePage(start, end).item(SyncItem.Kind.CHANGES)
        start = end + timedelta(days=1)


def _releases(since: date | None) -> DatePage:
    """Returns the releases since the last sync. The first sync starts at the year of the catalogue's newest movie."""
    today = timezone.now().date()
    start = since
    if start is None and (watermark := last_success(Scope.EVERYTHING, Scope.NEW_RELEASES)):
        start = watermark.date() - RELEASE_OVERLAP
    if start is None:
        year = Movie.objects.filter(Q(year__lte=today.year)).aggregate(latest=Max("year"))["latest"]
        start = date(year or today.year, 1, 1)
    end = today + AHEAD if settings.POLICY.tmdb.unreleased else today
    return DatePage(min(start, end), end)


def fetch_page(client: TMDBClient, item: SyncItem) -> MoviePage:
    part = DatePage.of(item)
    if item.kind == SyncItem.Kind.CHANGES:
        return client.changes(start=part.start, end=part.end, page=part.page)
    policy = settings.POLICY.tmdb
    return client.discover(
        start=part.start, end=part.end, page=part.page, adult=policy.adult, min_votes=policy.min_votes
    )


def write_page(item: SyncItem, page: MoviePage) -> None:
    part = DatePage.of(item)
    due = _changed(page.ids) if item.kind == SyncItem.Kind.CHANGES else _new(page.ids)
    with transaction.atomic():
        if settle(item, SyncItem.Outcome.LISTED):
            further = _further_pages(part, page.total_pages) if part.page == 1 else ()
            add_items(item.run_id, [*(other.item(item.kind) for other in further), *movie_items(sorted(due))])


def _further_pages(part: DatePage, total_pages: int) -> Iterator[DatePage]:
    """Yields the remaining pages, or two halves of the period if the list is too long.

    The list of a single day cannot be split. It ends at the last page that TMDB serves.
    """
    if total_pages > MAX_PAGES and part.start < part.end:
        middle = part.start + (part.end - part.start) // 2
        yield DatePage(part.start, middle)
        yield DatePage(middle.fromordinal(middle.toordinal() + 1), part.end)
        return
    for number in range(2, min(total_pages, MAX_PAGES) + 1):
        yield part._replace(page=number)


def _changed(ids: list[int]) -> set[int]:
    """Returns ids in the catalogue, and skipped ones, because the change may be a reason to add them."""
    in_catalogue = Movie.objects.filter(tmdb_id__in=ids).values_list("tmdb_id", flat=True)
    settled = (State.FETCHED, State.MERGED)  # a fetched movie that is not in the catalogue was deleted by hand
    left_out = TMDBRecord.objects.filter(tmdb_id__in=ids).exclude(state__in=settled).values_list("tmdb_id", flat=True)
    return {*filter(None, in_catalogue), *left_out}


def _new(ids: list[int]) -> set[int]:
    settled = TMDBRecord.objects.filter(tmdb_id__in=ids, state__in=(State.FETCHED, State.MERGED))
    return set(ids) - set(settled.values_list("tmdb_id", flat=True))
