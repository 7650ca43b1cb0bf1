"""Pages of lists: each adds work items for its due movies, and the first page also for all further pages."""

from collections.abc import Iterator

from django.conf import settings
from django.db import transaction

from catalog.models import Movie, SyncItem, TMDBRecord
from catalog.providers.tmdb import TMDBClient
from catalog.providers.tmdb_documents import MoviePage
from catalog.sync.work_items import DatePage, add_items, movie_items, page_item, settle

MAX_PAGES = 500  # TMDB stops here, so a longer list is requested in two halves
State = TMDBRecord.State


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
            add_items(item.run_id, [*(page_item(item.kind, other) for other in further), *movie_items(sorted(due))])


def _further_pages(part: DatePage, total_pages: int) -> Iterator[DatePage]:
    """The list of a single day cannot be split; it ends at the last page that TMDB serves."""
    if total_pages > MAX_PAGES and part.start < part.end:
        middle = part.start + (part.end - part.start) // 2
        yield DatePage(part.start, middle)
        yield DatePage(middle.fromordinal(middle.toordinal() + 1), part.end)
        return
    for number in range(2, min(total_pages, MAX_PAGES) + 1):
        yield part._replace(page=number)


def _changed(ids: list[int]) -> set[int]:
    """Ids in the catalogue, and skipped ones: the change may be a reason to add them."""
    in_catalogue = Movie.objects.filter(tmdb_id__in=ids).values_list("tmdb_id", flat=True)
    settled = (State.FETCHED, State.MERGED)  # a fetched movie outside the catalogue was deleted by hand
    left_out = TMDBRecord.objects.filter(tmdb_id__in=ids).exclude(state__in=settled).values_list("tmdb_id", flat=True)
    return {*filter(None, in_catalogue), *left_out}


def _new(ids: list[int]) -> set[int]:
    settled = TMDBRecord.objects.filter(tmdb_id__in=ids, state__in=(State.FETCHED, State.MERGED))
    return set(ids) - set(settled.values_list("tmdb_id", flat=True))
