"""What a run begins with: the movies and lists that are due."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from catalog.models import Movie, SyncItem, SyncRun, TMDBRecord

WINDOW = timedelta(days=13)  # TMDB lists at most 14 days of changes at once, the first and the last included
MAX_WINDOWS = 6  # a longer gap is closed by reading anew what the catalogue holds
RELEASE_OVERLAP = timedelta(days=45)  # movies are entered at TMDB, or get their votes, weeks after their release
AHEAD = timedelta(days=365)

Scope = SyncRun.Scope
State = TMDBRecord.State


class SyncRequest(NamedTuple):
    """What to sync."""

    scope: str
    ids: tuple[int, ...] = ()
    since: date | None = None  # new releases from this day on, instead of from where the last sync ended


class Slice(NamedTuple):
    """A page of a list of movies, as it stands in an item's key."""

    start: date
    end: date
    page: int = 1

    @property
    def key(self) -> str:
        return f"{self.start}/{self.end}/{self.page}"

    @classmethod
    def of(cls, item: SyncItem) -> "Slice":
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


def page_item(kind: str, part: Slice) -> SyncItem:
    return SyncItem(kind=kind, key=part.key)


def unsettled_ids() -> Iterator[int]:
    """Those that TMDB did not answer, or with something that could not be used: it may be mended now."""
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
    """Never read, or too long ago."""
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
        yield page_item(SyncItem.Kind.CHANGES, Slice(start, end))
        start = end + timedelta(days=1)


def _releases(since: date | None) -> Slice:
    """From where the last sync ended, at the first one from where the catalogue ends."""
    today = timezone.now().date()
    start = since
    if start is None and (watermark := last_success(Scope.EVERYTHING, Scope.NEW_RELEASES)):
        start = watermark.date() - RELEASE_OVERLAP
    if start is None:
        year = Movie.objects.filter(Q(year__lte=today.year)).aggregate(latest=Max("year"))["latest"]
        start = date(year or today.year, 1, 1)
    end = today + AHEAD if settings.POLICY.tmdb.unreleased else today
    return Slice(min(start, end), end)
