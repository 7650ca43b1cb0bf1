from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from catalog.aggregates import rebuild_aggregates
from catalog.errors import ImportNotReady, InvalidImport
from catalog.imports.commit import commit_import
from catalog.imports.lifecycle import create_import, read_import, receive_upload
from catalog.jobs.process import namespace
from catalog.jobs.reaper import requeue_stale
from catalog.models import ImportRow, Job, Movie, Rating, Source, UserImport, Viewing, WatchlistItem
from catalog.services import record_rating, remove_rating
from catalog.signals import rating_recorded
from catalog.tasks import read_import as read_task
from catalog.tasks import remove_old_imports as remove_old_imports_task
from tests.catalog.imports.site_files import DIARY, RATINGS, WATCHED, WATCHLIST, table, zipped
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

URI = "https://boxd.it/2aHi"
GONE = {"worker_namespace": namespace(), "worker_pid": 2**30, "worker_start": 1}  # no such process


@pytest.fixture
def heat() -> Movie:
    return MovieFactory(title="Heat", year=1995)


@pytest.fixture
def ran() -> Movie:
    return MovieFactory(title="Ran", year=1985)


def ratings(*rows: list[object]) -> bytes:
    return table(RATINGS, *rows)


def ready(user, content: bytes, name: str = "ratings.csv", format: str = "letterboxd") -> UserImport:
    user_import = create_import(user=user, format=format, name=name, content=content)
    assert read_import(import_id=user_import.pk)
    user_import.refresh_from_db()
    return user_import


def taken_over(user, content: bytes, name: str = "ratings.csv", format: str = "letterboxd") -> dict[str, int]:
    return commit_import(ready(user, content, name, format)).counts


def test_nothing_of_the_users_changes_before_the_commit(nora, heat):
    user_import = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4], ["2020-05-02", "Nothing", 1995, URI, 4]))

    assert user_import.state == UserImport.State.READY
    assert (user_import.n_read, user_import.counts["matched"], user_import.counts["unmatched"]) == (2, 1, 1)
    assert user_import.counts["ratings_new"] == 1
    assert bytes(user_import.content) == b""
    assert not Rating.objects.exists()
    [row] = user_import.rows.filter(movie=None)
    assert (row.file, row.line, row.reasons) == ("ratings.csv", 3, [["match.not_found", {}]])


def test_commit_writes_ratings_and_sends_the_signal(nora, heat, django_capture_on_commit_callbacks):
    heard = []

    def listen(**event):
        heard.append((event["user_id"], event["movie_id"], event["rating"]))

    rating_recorded.connect(listen)
    user_import = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4.5]))
    with django_capture_on_commit_callbacks(execute=True):
        commit_import(user_import)
    rating_recorded.disconnect(listen)

    row = Rating.objects.get()
    heat.refresh_from_db()
    assert (row.user, row.rating, row.source) == (nora, 4.5, Source.IMPORTED)
    assert row.rated_at == datetime(2020, 5, 2, tzinfo=UTC)
    assert (heat.rating_count, heat.rating_sum) == (1, 4.5)
    assert heard == [(nora.pk, heat.pk, 4.5)]
    assert (user_import.state, user_import.rows.count()) == (UserImport.State.DONE, 0)


def test_overlapping_tables_of_a_zip_are_merged(nora, heat, ran):
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


def test_what_was_seen_since_leaves_the_watchlist(nora, heat, ran):
    up = MovieFactory(title="Up", year=2009)
    for movie in (heat, ran, up):
        WatchlistItem.objects.create(user=nora, movie=movie, added_at=datetime(2020, 1, 1, tzinfo=UTC))
    rows = [
        ["2020-05-02", "Heat", 1995, URI, 4],
        ["2019-05-02", "Ran", 1985, URI, 5],
        ["2020-05-02", "Up", 2009, URI, 3],
    ]
    content = zipped(
        {"ratings.csv": ratings(*rows), "watchlist.csv": table(WATCHLIST, ["2018-01-01", "Up", 2009, URI])}
    )
    counts = taken_over(nora, content, "x.zip")
    assert set(nora.watchlist.values_list("movie", flat=True)) == {ran.pk, up.pk}  # rated before; wanted by the file
    assert counts["watchlist_left"] == 1


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
    user_import = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    commit_import(user_import)
    remove_rating(user=nora, movie=heat)
    again = commit_import(UserImport.objects.get())

    assert again.counts["ratings_new"] == 1
    assert not Rating.objects.exists()


def test_commit_keeps_later_ratings_and_replaces_earlier_ones(nora, heat, ran):
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
    user_import = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    with pytest.raises(InvalidImport):
        create_import(
            user=nora, format="imdb", name="ratings.csv", content=ratings(["2020-05-02", "Heat", 1995, URI, 4])
        )

    assert UserImport.objects.get() == user_import


@pytest.mark.wording
def test_upload_replaces_an_uncommitted_import(nora, bob, heat):
    first = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    others = ready(bob, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    second = create_import(
        user=nora,
        format="letterboxd",
        name="x.csv",
        content=ratings(["2020-05-02", "A", 1, URI, 4], ["2020-05-02", "A", 1999, URI, 4]),
    )

    assert set(UserImport.objects.values_list("pk", flat=True)) == {others.pk, second.pk}
    with pytest.raises(ImportNotReady, match="is discarded"):
        commit_import(first)
    with pytest.raises(ImportNotReady, match="is waiting to be read"):
        commit_import(second)
    assert not Rating.objects.filter(user=nora).exists()


def test_a_movie_that_went_meanwhile_is_left_out(nora, heat, ran):
    user_import = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4], ["2020-05-02", "Ran", 1985, URI, 4]))
    heat.delete()
    commit_import(user_import)

    assert Rating.objects.get().movie == ran


def test_the_file_is_read_in_the_background_once(nora, heat, django_capture_on_commit_callbacks):
    content = ratings(["2020-05-02", "Heat", 1995, URI, 4])
    with django_capture_on_commit_callbacks() as callbacks:
        user_import = receive_upload(
            trigger="page", user=nora, format="letterboxd", file=SimpleUploadedFile("ratings.csv", content)
        )

    assert len(callbacks) == 1
    assert read_task(import_id=user_import.pk) == {"read": True}
    assert read_task(import_id=user_import.pk) == {"read": False}
    assert read_task(import_id=0) == {"read": False}
    assert ImportRow.objects.count() == 1


def test_a_superseded_reading_keeps_the_file(nora, heat):
    content = ratings(["2020-05-01", "Heat", 1995, URI, 4])
    user_import = create_import(user=nora, format="letterboxd", name="ratings.csv", content=content)

    def lose(n: int) -> None:
        Job.objects.filter(pk=user_import.job_id).update(attempt=2)

    assert not read_import(import_id=user_import.pk, on_progress=lose)
    user_import.refresh_from_db()
    assert (user_import.status, bytes(user_import.content), user_import.counts) == ("running", content, {})


def test_killed_reading_is_retried_and_finally_fails(nora, heat, settings):
    user_import = create_import(
        user=nora, format="letterboxd", name="ratings.csv", content=ratings(["2020-05-02", "Heat", 1995, URI, 4])
    )
    ImportRow.objects.create(user_import=user_import, file="ratings.csv", line=2, kind="rated")
    row = UserImport.objects.filter(pk=user_import.pk)
    limit = settings.POLICY.imports.attempts
    row.update(status="running", trigger="page", **GONE)

    assert requeue_stale() == {"ended": 1, "retried": 1, "enqueued": 0}
    assert (row.get().state, row.get().attempt) == (UserImport.State.WAITING, 2)
    assert read_import(import_id=user_import.pk)
    assert ImportRow.objects.get().movie == heat

    row.update(status="running", content=b"x", attempt=limit, **GONE)
    assert requeue_stale()["ended"] == 1
    assert (row.get().state, bytes(row.get().content)) == (UserImport.State.FAILED, b"")


def test_a_bug_ends_the_reading_and_changes_nothing(nora, heat, monkeypatch):
    user_import = create_import(
        user=nora, format="letterboxd", name="ratings.csv", content=ratings(["2020-05-02", "Heat", 1995, URI, 4])
    )
    UserImport.objects.filter(pk=user_import.pk).update(content=b"damaged meanwhile")

    assert not read_import(import_id=user_import.pk)
    user_import.refresh_from_db()
    assert (user_import.state, bytes(user_import.content)) == (UserImport.State.FAILED, b"")


def test_what_is_old_enough_goes(nora, heat, settings):
    user_import = ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    UserImport.objects.update(created_at=timezone.now() - timedelta(days=settings.POLICY.imports.keep_days + 1))

    assert remove_old_imports_task() == {"removed": 1, "sign_ups": 0}
    assert not UserImport.objects.filter(pk=user_import.pk).exists()
    assert not ImportRow.objects.exists()
    assert not Job.objects.exists()


def test_it_goes_with_the_account(nora, heat):
    taken_over(nora, table(WATCHED, ["2019-01-01", "Heat", 1995, URI]), "watched.csv")
    ready(nora, ratings(["2020-05-02", "Heat", 1995, URI, 4]))
    nora.delete()

    assert not any(model.objects.exists() for model in (UserImport, ImportRow, Viewing))
