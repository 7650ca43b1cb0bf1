"""Which requests a sync sends to TMDB's stand-in: changes, due movies, new releases."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from catalog.models import Movie, Source, SyncRun, TMDBRecord
from catalog.sync import pages
from catalog.sync.work import sync
from catalog.sync.work_items import SyncRequest
from tests.catalog.sync.runs import fetched, succeeded
from tests.factories import MovieFactory
from tests.tmdb_stand_in import document

pytestmark = pytest.mark.django_db

Scope = SyncRun.Scope
State = TMDBRecord.State
TODAY = timezone.now().date()


def test_changes_since_the_last_sync_come_in_windows_and_pages(tmdb):
    tmdb.page_size = 1  # 5 changes a page
    movies = [MovieFactory(tmdb_id=n, source=Source.TMDB) for n in range(1, 8)]
    for movie in movies:
        fetched(movie)
    tmdb.serve(*(document(n, title=f"New {n}") for n in range(1, 20)))
    tmdb.changes = {n: TODAY - timedelta(days=20) for n in range(1, 20) if n != 7}
    succeeded(Scope.CHANGES, days_ago=30)

    run = sync(SyncRequest(Scope.CHANGES))

    assert run.counts == {"listed": 6, "updated": 6}
    assert Movie.objects.filter(title__startswith="New").count() == 6  # the seventh did not change, the rest is unknown
    windows = {asked.split("&page")[0] for asked in tmdb.asked if asked.startswith("movie/changes")}
    assert len(windows) == 3
    tmdb.asked.clear()
    sync(SyncRequest(Scope.CHANGES))
    run.refresh_from_db()
    assert f"start_date={run.started_at.date() - timedelta(days=1)}" in tmdb.asked[0]  # the watermark moved


def test_a_long_gap_is_closed_by_reading_what_is_known(tmdb):
    fetched(MovieFactory(tmdb_id=1, source=Source.TMDB))
    tmdb.serve(document(1, title="Changed"))
    succeeded(Scope.CHANGES, days_ago=200)

    sync(SyncRequest(Scope.CHANGES))

    assert Movie.objects.get().title == "Changed"
    assert tmdb.n_asked("movie/changes") == 0


def test_everything_due_covers_unread_and_stale_movies(tmdb):
    succeeded(Scope.EVERYTHING, days_ago=1)
    MovieFactory(tmdb_id=1, title="Never", source=Source.MOVIELENS)
    fetched(MovieFactory(tmdb_id=2, title="Long ago"), days_ago=151)
    fetched(MovieFactory(tmdb_id=3, title="Lately"), days_ago=149)
    tmdb.serve(*(document(n, release_date="1990-01-01") for n in (1, 2, 3)))

    sync(SyncRequest(Scope.EVERYTHING))

    assert [tmdb.n_asked(f"movie/{n}") for n in (1, 2, 3)] == [1, 1, 0]
    assert TMDBRecord.objects.get(tmdb_id=2).fetched_at > timezone.now() - timedelta(minutes=1)


def test_the_first_new_releases_go_on_where_the_catalogue_ends(tmdb, tmdb_policy):
    MovieFactory(year=2018)
    tmdb.serve(
        document(1, release_date="2017-12-31"),
        document(2, release_date="2018-01-01"),
        document(3, release_date=str(TODAY)),
        document(4, release_date=str(TODAY + timedelta(days=3))),
        document(5, release_date="2019-01-01", vote_count=9),
    )

    sync(SyncRequest(Scope.NEW_RELEASES))

    assert set(Movie.objects.exclude(tmdb_id=None).values_list("tmdb_id", flat=True)) == {2, 3}
    tmdb_policy(min_votes=0)
    tmdb.asked.clear()
    sync(SyncRequest(Scope.NEW_RELEASES, since=date(2017, 12, 1)))
    assert Movie.objects.exclude(tmdb_id=None).count() == 4
    assert tmdb.n_asked("movie/2") == 0  # it is known


def test_list_beyond_tmdbs_last_page_is_requested_in_parts(tmdb, monkeypatch):
    monkeypatch.setattr(pages, "MAX_PAGES", 5)
    monkeypatch.setattr("tests.tmdb_stand_in.MAX_PAGE", 5)
    tmdb.page_size = 1
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(14)]
    tmdb.serve(*(document(number + 1, release_date=str(day)) for number, day in enumerate(days)))

    run = sync(SyncRequest(Scope.NEW_RELEASES, since=date(2020, 1, 1)))

    assert run.counts["added"] == 14
    assert Movie.objects.count() == 14


@pytest.mark.slow
def test_seven_hundred_pages_are_all_read(tmdb):
    tmdb.page_size = 1
    first = date(2020, 1, 1)
    tmdb.serve(*(document(n, release_date=str(first + timedelta(days=n % 200))) for n in range(1, 701)))
    known = (TMDBRecord(tmdb_id=n, state=State.FETCHED, fetched_at=timezone.now()) for n in range(1, 701) if n % 100)
    TMDBRecord.objects.bulk_create(known)

    run = sync(SyncRequest(Scope.NEW_RELEASES, since=first))

    assert run.counts["added"] == 7
    assert run.counts["listed"] > 700
