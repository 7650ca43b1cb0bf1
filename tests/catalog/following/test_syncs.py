"""New rows of followed sources are imported once, and what their owner changed here stays."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from catalog.aggregates import rebuild_aggregates
from catalog.following.rows import unmatched_rows
from catalog.following.services import follow, pause
from catalog.following.syncs import start_due_syncs
from catalog.models import (
    FollowedRow,
    FollowedSource,
    Note,
    Rating,
    SourceSync,
    UserImport,
    Viewing,
    WatchlistItem,
)
from catalog.models.followed import SyncOutcome
from catalog.services import record_rating, remove_rating
from catalog.tasks import follow_sources
from tests.catalog.following.conftest import ADDRESS, RSS, run, serve_trakt
from tests.catalog.following.sites import LIST, Page, entry, feed
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

HEAT, RAN = {"title": "Heat", "year": 1995}, {"title": "Ran", "year": 1985}


@pytest.fixture
def heat():
    return MovieFactory(title="Heat", year=1995, imdb_id="tt0113277")


@pytest.fixture
def ran():
    return MovieFactory(title="Ran", year=1985)


def test_a_diary_at_letterboxd_is_followed(sites, following, nora, heat):
    sites.serve(RSS, feed(LIST, entry(7, "Heat", 1995, 4.5, kind="review", text="Tense &amp; long.<br />Again!")))
    source = following()

    rating, viewing = Rating.objects.get(), Viewing.objects.get()
    assert (rating.user, rating.movie, rating.rating, rating.source) == (nora, heat, 4.5, "imported")
    assert rating.rated_at == datetime(2026, 4, 18, 16, 10, 9, tzinfo=UTC)
    assert (viewing.movie, viewing.watched_on, viewing.note) == (heat, date(2026, 4, 18), "Tense & long.\nAgain!")
    assert source.latest_sync.outcome == SyncOutcome.FOLLOWED
    counts = {"rows": 1, "unmatched": 0, "ratings_new": 1, "viewings_new": 1}
    assert {name: source.latest_sync.counts[name] for name in counts} == counts
    assert source.next_sync_at > timezone.now() + timedelta(hours=5)
    assert not UserImport.objects.exists() and not rebuild_aggregates()


def test_only_new_entries_are_imported(sites, following, heat, ran):
    first = entry(7, "Heat", 1995, 4)
    sites.serve(RSS, feed(first), feed(entry(8, "Ran", 1985, 5, day="2026-04-20"), first))
    source = following()
    Viewing.objects.all().delete()
    remove_rating(user=source.user, movie=heat)
    sync = run(source)

    assert sync.counts["rows"] == 1
    assert [rating.movie for rating in Rating.objects.all()] == [ran]
    assert [viewing.movie for viewing in Viewing.objects.all()] == [ran]


def test_a_review_written_later_is_the_same_entry(sites, following, heat):
    sites.serve(RSS, feed(entry(7, "Heat", 1995)), feed(entry(7, "Heat", 1995, kind="review", text="Now written.")))
    source = following()
    Viewing.objects.all().delete()
    run(source)

    assert not Viewing.objects.exists() and not Note.objects.exists()


@pytest.mark.parametrize("rated_first", [True, False])
def test_ratings_given_here_are_never_overwritten(sites, following, nora, heat, rated_first):
    later = "Sun, 19 Apr 2036 04:10:09 +1200"
    if rated_first:
        record_rating(user=nora, movie=heat, rating=2)
    sites.serve(
        RSS, feed(entry(7, "Heat", 1995, 4)), feed(entry(8, "Heat", 1995, 5, written=later), entry(7, "Heat", 1995, 3))
    )
    source = following()
    record_rating(user=nora, movie=heat, rating=2)
    run(source)
    run(source)

    rating = Rating.objects.get()
    assert (rating.rating, rating.source) == (2, "site")
    assert Viewing.objects.count() == 1


def test_a_rating_changed_at_the_site_is_followed(sites, following, heat):
    sites.serve(RSS, feed(entry(7, "Heat", 1995, 4)), feed(entry(7, "Heat", 1995, 3)))
    source = following()
    sync = run(source)

    assert (Rating.objects.get().rating, sync.counts["ratings_changed"]) == (3, 1)
    assert Viewing.objects.count() == 1
    assert run(source).outcome == SyncOutcome.UNCHANGED


def test_a_changed_rating_does_not_return_after_deletion(sites, following, nora, heat):
    sites.serve(RSS, feed(entry(7, "Heat", 1995, 4)), feed(entry(7, "Heat", 1995, 3)))
    source = following()
    remove_rating(user=nora, movie=heat)
    run(source)

    assert not Rating.objects.exists()


def test_only_what_comes_from_now_on(sites, following, heat, ran):
    sites.serve(RSS, feed(entry(7, "Heat", 1995, 4)), feed(entry(8, "Ran", 1985, 5), entry(7, "Heat", 1995, 4)))
    source = following(with_existing=False)
    assert not Rating.objects.exists()
    run(source)

    assert [rating.movie for rating in Rating.objects.all()] == [ran]


def test_a_movie_that_comes_later_is_found(sites, following):
    sites.serve(RSS, Page(feed(entry(7, "Heat", 1995, 4)), headers={"ETag": '"1"'}))
    source = following()
    [row] = unmatched_rows(source)
    assert (row.title, row.year, row.reasons) == ("Heat", 1995, [["match.not_found", {}]])
    assert run(source).counts == {}
    heat = MovieFactory(title="Heat", year=1995)
    run(source)

    assert Rating.objects.get().movie == heat
    assert not unmatched_rows(source).exists()
    assert run(source).outcome == SyncOutcome.UNCHANGED and sites.asked[-1][1]["if-none-match"] == '"1"'


def test_rows_without_a_movie_are_not_retried_for_ever(sites, following, heat):
    sites.serve(RSS, feed(entry(7, "Heatt", 1995, 4)))
    source = following()
    FollowedRow.objects.update(found_at=timezone.now() - timedelta(days=31))
    MovieFactory(title="Heatt", year=1995)
    run(source)

    assert not Rating.objects.exists() and unmatched_rows(source).count() == 1


def test_a_profile_at_trakt_is_followed(sites, following, heat, ran):
    def movie(title: str, **values: object) -> dict:
        ids = {"trakt": 1, "imdb": "tt0113277"} if title == "Heat" else {"trakt": 2}
        return {**values, "type": "movie", "movie": {**(HEAT if title == "Heat" else RAN), "ids": ids}}

    watched = [movie("Heat", id=n, watched_at=f"2026-01-0{n}T20:00:00.000Z", action="watch") for n in (2, 1)]
    serve_trakt(
        sites,
        history=[[watched[0]], [watched[1]]],
        ratings=[[movie("Heat", rated_at="2026-01-03T00:00:00.000Z", rating=9)]],
        watchlist=[[movie("Ran", id=5, rank=1, listed_at="2026-01-04T00:00:00.000Z")]],
    )
    source = following("trakt", "https://trakt.tv/users/Nora")

    assert source.name == "nora"
    assert (Rating.objects.get().movie, Rating.objects.get().rating) == (heat, 4.5)
    assert list(Viewing.objects.order_by("watched_on").values_list("watched_on", "is_rewatch")) == [
        (date(2026, 1, 1), False),
        (date(2026, 1, 2), True),
    ]
    assert WatchlistItem.objects.get().movie == ran
    sent = sites.asked[0][1]
    assert (sent["trakt-api-version"], sent["trakt-api-key"]) == ("2", "client-id")
    WatchlistItem.objects.all().delete()
    assert run(source).outcome == SyncOutcome.UNCHANGED and not WatchlistItem.objects.exists()


def test_trakt_is_left_alone_as_long_as_it_says(sites, following):
    serve_trakt(sites)
    busy = Page(status=429, headers={"Retry-After": "7200"})
    sites.serve("https://api.trakt.tv/users/nora/ratings/movies?page=1&limit=250", busy)
    source = following("trakt")

    assert source.latest_sync.outcome == SyncOutcome.POSTPONED and source.n_failures == 0
    assert timedelta(hours=1.9) < source.next_sync_at - timezone.now() <= timedelta(hours=2)


def test_without_a_client_id_trakt_is_not_read(sites, following, settings):
    serve_trakt(sites)
    source = following("trakt")
    FollowedSource.objects.update(next_sync_at=timezone.now())
    settings.TRAKT_CLIENT_ID = ""

    assert start_due_syncs() == 0
    settings.TRAKT_CLIENT_ID = "client-id"
    assert start_due_syncs() == 1 and source.syncs.count() == 2


def test_a_table_at_an_address_is_followed(sites, following, heat, ran):
    sites.serve(
        ADDRESS, b"Const,Your Rating,Date Rated,Title,Title Type,Year\ntt0113277,9,2026-01-02,Heat,Movie,1995\n"
    )
    source = following("address", ADDRESS)

    assert Rating.objects.get().rating == 4.5
    assert source.name == "files.example.org/list.csv?…"
    assert "hidden-in-logs" not in source.encrypted


def test_a_list_says_what_its_owner_said(sites, following, heat, ran):
    items = [{"id": 1, "rank": 1, "title": "Ran", "mediatype": "movie", "release_year": 1985}]
    sites.serve(ADDRESS, json.dumps(items).encode())
    following("address", ADDRESS, options={"rows": "wanted"})

    assert [item.movie for item in WatchlistItem.objects.all()] == [ran]


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (Page(b"<html><body>Sign in</body></html>"), SyncOutcome.UNKNOWN_FORMAT),
        (Page(b"a,b\n1,2\n"), SyncOutcome.UNKNOWN_FORMAT),
        (Page(b"PK\x03\x04 not a zip"), SyncOutcome.UNREADABLE),
        (Page(b"title,year,rating\nHe\xffat,1995,4\n"), SyncOutcome.UNREADABLE),
        (Page(status=404), SyncOutcome.NOT_FOUND),
    ],
)
def test_an_answer_that_is_no_table(sites, following, page, outcome):
    sites.serve(ADDRESS, page)
    source = following("address", ADDRESS)

    assert (source.latest_sync.outcome, source.latest_sync.status, source.n_failures) == (outcome, "failed", 1)


def test_feeds_with_entities_are_refused(sites, following):
    sites.serve(RSS, b'<!DOCTYPE rss [<!ENTITY a "a">]><rss><channel><item>&a;</item></channel></rss>')

    assert following().latest_sync.outcome == SyncOutcome.UNREADABLE


def test_failures_postpone_and_a_success_clears_them(sites, following, heat):
    sites.serve(RSS, *[Page(status=500)] * 3, feed(entry(7, "Heat", 1995, 4)))
    source = following()
    first = source.next_sync_at
    run(source)
    run(source)

    assert source.is_failing and source.next_sync_at - first > timedelta(hours=17)
    run(source)
    assert (source.n_failures, source.is_failing, source.synced_at is not None) == (0, False, True)


def test_nothing_secret_is_in_messages_and_logs(sites, following, caplog):
    sites.serve(ADDRESS, Page(status=302, headers={"Location": "https://gone.example.org/?token=hidden-in-logs"}))
    source = following("address", ADDRESS)
    sync = source.latest_sync

    assert sync.outcome == SyncOutcome.UNREACHABLE
    assert "hidden-in-logs" not in f"{sync.message} {sync.log} {sync.details} {source} {source.name} {caplog.text}"


def test_due_sources_are_started_in_turn(sites, nora, change_policy):
    change_policy("following", syncs_a_minute=2)
    for name in ("ada", "bob", "eve", "ian"):
        follow(user=nora, kind="letterboxd", address=name, trigger="page")
    SourceSync.objects.all().delete()
    FollowedSource.objects.update(next_sync_at=timezone.now() - timedelta(hours=1))
    FollowedSource.objects.filter(name="ada").update(next_sync_at=timezone.now() + timedelta(hours=1))
    pause(FollowedSource.objects.get(name="bob"), paused=True)

    assert follow_sources() == {"started": 2}
    assert set(SourceSync.objects.values_list("source__name", flat=True)) == {"eve", "ian"}
    assert follow_sources() == {"started": 0}
