from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from catalog.errors import HistoryNotReady, InvalidHistory
from catalog.histories.imports import (
    commit_import,
    open_import,
    read_history_import,
    receive_history,
    sweep_histories,
)
from catalog.models import HistoryEntry, HistoryImport, Movie, Rating, Source, Viewing, WatchlistItem
from catalog.services import rebuild_aggregates, record_rating, remove_rating
from catalog.signals import rating_recorded
from catalog.tasks import read_history_import as read_task
from catalog.tasks import sweep_histories as sweep_task
from tests.catalog.histories.site_files import DIARY, RATINGS, WATCHED, WATCHLIST, table, zipped
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

URI = "https://boxd.it/2aHi"


@pytest.fixture
def heat() -> Movie:
    return MovieFactory(title="Heat", year=1995)


@pytest.fixture
def ran() -> Movie:
    return MovieFactory(title="Ran", year=1985)


def ratings(*rows: list[object]) -> bytes:
    return table(RATINGS, *rows)


def ready(user, content: bytes, name: str = "ratings.csv", format: str = "letterboxd") -> HistoryImport:
    history = open_import(user=user, format=format, name=name, content=content)
    assert read_history_import(import_id=history.pk)
    history.refresh_from_db()
    return history


def taken_over(user, content: bytes, name: str = "ratings.csv", format: str = "letterboxd") -> dict[str, int]:
    return commit_import(ready(user, content, name, format)).counts


def test_nothing_of_the_users_changes_before_the_commit(nora, heat):
    history = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4], ["2020-05-02", "Nothing", 1995, URI, 4]))

    assert history.status == HistoryImport.Status.READY
    assert (history.n_read, history.counts["matched"], history.counts["unmatched"]) == (2, 1, 1)
    assert history.counts["ratings_new"] == 1
    assert bytes(history.content) == b""
    assert not Rating.objects.exists()
    [entry] = history.entries.filter(movie=None)
    assert (entry.file, entry.line, entry.reason) == ("ratings.csv", 3, "Not in the catalogue.")


def test_the_commit_brings_ratings_and_figures_and_tells_who_listens(nora, heat, django_capture_on_commit_callbacks):
    heard = []

    def listen(**event):
        heard.append((event["user_id"], event["movie_id"], event["rating"]))

    rating_recorded.connect(listen)
    history = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4.5]))
    with django_capture_on_commit_callbacks(execute=True):
        commit_import(history)
    rating_recorded.disconnect(listen)

    row = Rating.objects.get()
    heat.refresh_from_db()
    assert (row.user, row.rating, row.source) == (nora, 4.5, Source.IMPORTED)
    assert row.rated_at == datetime(2020, 5, 2, tzinfo=UTC)
    assert (heat.rating_count, heat.rating_sum) == (1, 4.5)
    assert heard == [(nora.pk, heat.pk, 4.5)]
    assert (history.status, history.entries.count()) == (HistoryImport.Status.DONE, 0)


def test_overlapping_tables_of_a_zip_become_one_history(nora, heat, ran):
    up = MovieFactory(title="Up", year=2009)
    counts = taken_over(
        nora,
        zipped(
            {
                "watched.csv": table(WATCHED, ["2019-01-01", "Heat", 1995, URI], ["2019-01-02", "Ran", 1985, URI]),
                "diary.csv": table(
                    DIARY,
                    ["2020-05-02", "Heat", 1995, URI, 3, "", "", "2020-05-01"],
                    ["2021-05-02", "Heat", 1995, URI, 4, "Yes", "", "2021-05-01"],
                    ["2021-05-02", "Heat", 1995, URI, 4, "Yes", "", "2021-05-01"],
                ),
                "ratings.csv": ratings(["2021-05-02", "Heat", 1995, URI, 4.5]),
                "watchlist.csv": table(WATCHLIST, ["2018-01-01", "Up", 2009, URI]),
            }
        ),
        "letterboxd.zip",
    )

    assert (counts["ratings_new"], counts["viewings_new"], counts["watchlist_new"]) == (1, 3, 1)
    assert Rating.objects.get().rating == 4.5
    assert set(Viewing.objects.values_list("movie", "watched_on", "is_rewatch")) == {
        (heat.pk, date(2020, 5, 1), False),
        (heat.pk, date(2021, 5, 1), True),
        (ran.pk, None, False),
    }
    assert WatchlistItem.objects.get().movie == up
    assert WatchlistItem.objects.get().added_at == datetime(2018, 1, 1, tzinfo=UTC)


def test_a_second_import_changes_nothing(nora, heat, ran):
    content = zipped(
        {
            "watched.csv": table(WATCHED, ["2019-01-02", "Ran", 1985, URI]),
            "diary.csv": table(DIARY, ["2020-05-02", "Heat", 1995, URI, 3, "", "", "2020-05-01"]),
            "watchlist.csv": table(WATCHLIST, ["2018-01-01", "Ran", 1985, URI]),
        }
    )
    taken_over(nora, content, "x.zip")
    before = [list(model.objects.values()) for model in (Rating, Viewing, WatchlistItem)]
    counts = taken_over(nora, content, "x.zip")

    assert [list(model.objects.values()) for model in (Rating, Viewing, WatchlistItem)] == before
    assert (counts["ratings_new"], counts["ratings_same"], counts["viewings_new"]) == (0, 1, 0)
    assert rebuild_aggregates() == 0


def test_committing_twice_is_committing_once(nora, heat):
    history = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    commit_import(history)
    remove_rating(user=nora, movie=heat)
    again = commit_import(HistoryImport.objects.get())

    assert again.counts["ratings_new"] == 1
    assert not Rating.objects.exists()


def test_a_later_rating_given_here_stays_and_an_earlier_one_is_replaced(nora, heat, ran):
    record_rating(user=nora, movie=heat, rating=2)
    record_rating(user=nora, movie=ran, rating=2, rated_at=datetime(2010, 1, 1, tzinfo=UTC))
    counts = taken_over(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4], ["2020-05-02", "Ran", 1985, URI, 5]))

    assert (counts["ratings_kept"], counts["ratings_changed"]) == (1, 1)
    assert dict(Rating.objects.values_list("movie", "rating")) == {heat.pk: 2, ran.pk: 5}
    assert rebuild_aggregates() == 0


def test_ratings_without_a_day_replace_imported_ones_alone(nora, heat, ran):
    record_rating(user=nora, movie=ran, rating=2, rated_at=datetime(2010, 1, 1, tzinfo=UTC))
    for stars in (4, 3):
        content = f"title,year,rating\nHeat,1995,{stars}\nRan,1985,{stars}\n".encode()
        taken_over(nora, content, "mine.csv", "csv")

    assert dict(Rating.objects.values_list("movie", "rating")) == {heat.pk: 3, ran.pk: 2}


def test_a_known_day_takes_the_place_of_an_unknown_one(nora, heat):
    taken_over(nora, table(WATCHED, ["2019-01-01", "Heat", 1995, URI]), "watched.csv")
    taken_over(nora, table(DIARY, ["2020-05-02", "Heat", 1995, URI, "", "", "", "2020-05-01"]), "diary.csv")
    taken_over(nora, table(WATCHED, ["2019-01-01", "Heat", 1995, URI]), "watched.csv")

    assert list(Viewing.objects.values_list("watched_on", flat=True)) == [date(2020, 5, 1)]


def test_a_file_that_is_none_leaves_no_trace(nora, heat):
    history = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    with pytest.raises(InvalidHistory):
        open_import(user=nora, format="imdb", name="ratings.csv", content=ratings(["2020-05-02", "Heat", 1995, URI, 4]))

    assert HistoryImport.objects.get() == history


def test_another_upload_takes_the_place_of_one_that_was_not_taken_over(nora, bob, heat):
    first = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    others = ready(bob, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    second = open_import(
        user=nora,
        format="letterboxd",
        name="x.csv",
        content=ratings(["2020-05-02", "A", 1, URI, 4], ["2020-05-02", "A", 1999, URI, 4]),
    )

    assert set(HistoryImport.objects.values_list("pk", flat=True)) == {others.pk, second.pk}
    with pytest.raises(HistoryNotReady, match="is discarded"):
        commit_import(first)
    with pytest.raises(HistoryNotReady, match="is waiting to be read"):
        commit_import(second)
    assert not Rating.objects.filter(user=nora).exists()


def test_a_movie_that_went_meanwhile_is_left_out(nora, heat, ran):
    history = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4], ["2020-05-02", "Ran", 1985, URI, 4]))
    heat.delete()
    commit_import(history)

    assert Rating.objects.get().movie == ran


def test_the_file_is_read_in_the_background_once(nora, heat, django_capture_on_commit_callbacks):
    content = ratings(["2020-05-02", "Heat", 1995, URI, 4])
    with django_capture_on_commit_callbacks() as callbacks:
        history = receive_history(user=nora, format="letterboxd", name="ratings.csv", content=content)

    assert len(callbacks) == 1
    assert read_task(import_id=history.pk) == {"read": True}
    assert read_task(import_id=history.pk) == {"read": False}
    assert read_task(import_id=0) == {"read": False}
    assert HistoryEntry.objects.count() == 1


def test_a_reading_that_was_killed_is_begun_anew_and_given_up_in_the_end(nora, heat, settings):
    history = open_import(
        user=nora, format="letterboxd", name="ratings.csv", content=ratings(["2020-05-02", "Heat", 1995, URI, 4])
    )
    HistoryEntry.objects.create(history_import=history, file="ratings.csv", line=2, kind="rated")
    row = HistoryImport.objects.filter(pk=history.pk)
    long_ago = timezone.now() - timedelta(seconds=settings.POLICY.histories.stale_after_seconds + 1)
    row.update(status="reading", attempts=1, heartbeat_at=long_ago)

    assert sweep_task()["rung"] == 1
    assert read_history_import(import_id=history.pk)
    assert HistoryEntry.objects.get().movie == heat

    row.update(status="reading", attempts=settings.POLICY.histories.attempts, heartbeat_at=long_ago)
    assert sweep_histories()["failed"] == 1
    assert row.get().status == HistoryImport.Status.FAILED


def test_a_bug_ends_the_reading_and_changes_nothing(nora, heat, monkeypatch):
    history = open_import(
        user=nora, format="letterboxd", name="ratings.csv", content=ratings(["2020-05-02", "Heat", 1995, URI, 4])
    )
    HistoryImport.objects.filter(pk=history.pk).update(content=b"damaged meanwhile")

    assert not read_history_import(import_id=history.pk)
    history.refresh_from_db()
    assert (history.status, bytes(history.content)) == (HistoryImport.Status.FAILED, b"")


def test_what_is_old_enough_goes(nora, heat, settings):
    history = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    HistoryImport.objects.update(created_at=timezone.now() - timedelta(days=settings.POLICY.histories.keep_days + 1))

    assert sweep_histories()["removed"] == 1
    assert not HistoryImport.objects.filter(pk=history.pk).exists()
    assert not HistoryEntry.objects.exists()


def test_it_goes_with_the_account(nora, heat):
    taken_over(nora, table(WATCHED, ["2019-01-01", "Heat", 1995, URI]), "watched.csv")
    ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    nora.delete()

    assert not any(model.objects.exists() for model in (HistoryImport, HistoryEntry, Viewing))
