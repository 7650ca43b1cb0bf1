"""Lists of movies: each page adds the movies that are due, and the first one the pages after it."""

from collections.abc import Iterator

from django.conf import settings
from django.db import transaction

from catalog.models import Movie, SyncItem, TMDBRecord
from catalog.providers.tmdb import TMDBClient
from catalog.providers.tmdb_documents import MoviePage
from catalog.sync.due import Slice, movie_items, page_item
from catalog.sync.items import add_items, settle

MAX_PAGES = 500  # TMDB lists no further: a longer list is asked for in two parts
State = TMDBRecord.State


def fetch_page(client: TMDBClient, item: SyncItem) -> MoviePage:
    part = Slice.of(item)
    if item.kind == SyncItem.Kind.CHANGES:
        return client.changes(start=part.start, end=part.end, page=part.page)
    policy = settings.POLICY.tmdb
    return client.discover(
        start=part.start, end=part.end, page=part.page, adult=policy.adult, min_votes=policy.min_votes
    )


def write_page(item: SyncItem, page: MoviePage) -> None:
    part = Slice.of(item)
    due = _changed(page.ids) if item.kind == SyncItem.Kind.CHANGES else _new(page.ids)
    with transaction.atomic():
        if settle(item, SyncItem.Outcome.LISTED):
            further = _further_pages(part, page.total_pages) if part.page == 1 else ()
            add_items(item.run_id, [*(page_item(item.kind, other) for other in further), *movie_items(sorted(due))])


def _further_pages(part: Slice, total_pages: int) -> Iterator[Slice]:
    """A single day that is too long a list ends at the last page that TMDB gives."""
    if total_pages > MAX_PAGES and part.start < part.end:
        middle = part.start + (part.end - part.start) // 2
        yield Slice(part.start, middle)
        yield Slice(middle.fromordinal(middle.toordinal() + 1), part.end)
        return
    for number in range(2, min(total_pages, MAX_PAGES) + 1):
        yield part._replace(page=number)


def _changed(ids: list[int]) -> set[int]:
    """Those of the catalogue, and those that were left out: the change may be the reason to take them in."""
    in_catalogue = Movie.objects.filter(tmdb_id__in=ids).values_list("tmdb_id", flat=True)
    settled = (State.FETCHED, State.MERGED)  # a fetched one that is not in the catalogue was deleted by hand
    left_out = TMDBRecord.objects.filter(tmdb_id__in=ids).exclude(state__in=settled).values_list("tmdb_id", flat=True)
    return {*filter(None, in_catalogue), *left_out}


def _new(ids: list[int]) -> set[int]:
    settled = TMDBRecord.objects.filter(tmdb_id__in=ids, state__in=(State.FETCHED, State.MERGED))
    return set(ids) - set(settled.values_list("tmdb_id", flat=True))
