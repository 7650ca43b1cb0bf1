"""Failures during a sync, and its entry points: command and task."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from structlog.contextvars import get_contextvars

from catalog.jobs.progress import Pace
from catalog.jobs.reaper import requeue_stale
from catalog.models import Movie, Source, SyncItem, SyncRun, TMDBRecord
from catalog.providers.tmdb import TMDBClient
from catalog.sync import batch
from catalog.sync.job import finish, heartbeat, open_run
from catalog.sync.work import sync
from catalog.sync.work_items import SyncRequest
from catalog.tasks import sync_tmdb
from tests.catalog.sync.runs import sync_ids
from tests.factories import MovieFactory
from tests.tmdb_stand_in import Answer, document

pytestmark = pytest.mark.django_db

Scope = SyncRun.Scope
State = TMDBRecord.State


def test_lines_of_its_threads_name_the_sync(tmdb, monkeypatch):
    tmdb.serve(document(1))
    MovieFactory(tmdb_id=1, source=Source.MOVIELENS)
    seen: list[dict[str, object]] = []
    movie = TMDBClient.movie
    monkeypatch.setattr(
        TMDBClient, "movie", lambda client, number: seen.append(get_contextvars()) or movie(client, number)
    )

    run = sync_ids(1)

    assert [(ids["run"], ids["run_id"]) for ids in seen] == [(run.kind, run.pk)]


@pytest.mark.wording
def test_refused_token_stops_the_run_until_the_next_sync(
    tmdb, settings, mailoutbox, django_capture_on_commit_callbacks
):
    settings.ALERT_EMAILS = ["ops@example.org"]
    tmdb.serve(*(document(n) for n in range(1, 101)))
    for number in range(1, 101):
        MovieFactory(tmdb_id=number, source=Source.MOVIELENS)
    tmdb.tokens = set()

    with (
        pytest.raises(CommandError, match="TMDB refused TMDB_READ_TOKEN"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        call_command("sync_tmdb", "--changes")

    run = SyncRun.objects.get()
    assert (run.status, run.counts) == ("failed", {"pending": 100})
    assert len(tmdb.asked) < 30  # not one for each
    [mail] = mailoutbox
    assert (mail.to, mail.subject, "TMDB_READ_TOKEN" in mail.body) == (
        ["ops@example.org"],
        "[Movierec] Alert: Sync with TMDB",
        True,
    )
    assert "stand-in-token" not in mail.body + run.message
    tmdb.tokens = {"stand-in-token"}
    with django_capture_on_commit_callbacks(execute=True):
        call_command("sync_tmdb", "--changes")
    run.refresh_from_db()
    assert (run.status, run.counts) == ("succeeded", {"updated": 100})
    assert SyncRun.objects.count() == 1
    assert mailoutbox[1].subject == "[Movierec] Resolved: Sync with TMDB"


def test_unanswered_movie_waits_for_the_next_sync(tmdb):
    tmdb.serve(document(1), document(2))
    tmdb.answer_next("movie/1", *[Answer(500)] * 6)

    assert sync_ids(1, 2).message == "1 added, 1 failed."
    assert TMDBRecord.objects.get(tmdb_id=1).state == "failed"
    sync(SyncRequest(Scope.CHANGES))
    assert Movie.objects.count() == 2


@pytest.mark.wording
def test_outage_stops_the_run_and_keeps_its_items(tmdb):
    ids = range(1, 61)
    for number in ids:
        tmdb.answer_next(f"movie/{number}", *[Answer(503)] * 6)

    run = sync_ids(*ids)

    assert run.status == "failed"
    assert "10 consecutive movies failed" in run.message
    assert run.counts["pending"] >= 40


def test_a_page_of_a_list_that_does_not_come_fails_the_run(tmdb):
    tmdb.answer_next("discover/movie", Answer.html(200))

    with pytest.raises(CommandError, match="not JSON"):
        call_command("sync_tmdb", "--new-releases")
    call_command("sync_tmdb", "--new-releases")
    assert SyncRun.objects.get().status == "succeeded"


def test_a_bug_at_one_movie_leaves_the_others(tmdb, monkeypatch, caplog):
    tmdb.serve(document(1), document(2))
    real = batch.values_from

    def fail(document, source):
        if document.id == 1:
            raise ValueError("a bug")
        return real(document, source)

    monkeypatch.setattr(batch, "values_from", fail)

    assert sync_ids(1, 2).message == "1 added, 1 failed."
    assert TMDBRecord.objects.get(tmdb_id=1).reasons == [["tmdb.bug", {"error": "ValueError"}]]
    assert "a bug" in caplog.text


def test_a_run_of_another_is_finished_first(tmdb):
    tmdb.serve(document(1), document(2))
    cut_off, _ = open_run(SyncRequest(Scope.IDS, ids=(1,)))

    run = sync_ids(2)

    cut_off.refresh_from_db()
    assert (cut_off.status, run.status) == ("succeeded", "succeeded")
    assert run.pk != cut_off.pk
    assert Movie.objects.count() == 2


def test_only_one_runs_at_a_time():
    first, is_mine = open_run(SyncRequest(Scope.CHANGES))
    second, is_the_same = open_run(SyncRequest(Scope.CHANGES))
    third, is_another = open_run(SyncRequest(Scope.NEW_RELEASES))

    assert first == second == third
    assert (is_mine, is_the_same, is_another) == (True, True, False)


def test_the_commands_options_are_checked(tmdb):
    for wrong in (["--ids", "abc"], ["--since", "yesterday"], ["--changes", "--new-releases"]):
        with pytest.raises(CommandError):
            call_command("sync_tmdb", *wrong)
    with pytest.raises(CommandError, match="--since is about new releases"):
        call_command("sync_tmdb", "--changes", "--since", "2020-01-01")
    assert tmdb.asked == []


def test_the_command_says_what_it_did(tmdb, capsys):
    tmdb.serve(document(1))
    call_command("sync_tmdb", "--ids", "1", "2")
    assert capsys.readouterr().out == "1 added, 1 gone from TMDB.\n"


def test_the_task_syncs_what_is_due(tmdb):
    MovieFactory(tmdb_id=1, source=Source.MOVIELENS, year=2000)
    tmdb.serve(document(1, release_date="1999-01-01"))

    outcome = sync_tmdb()

    assert (outcome["status"], SyncRun.objects.get().scope) == ("succeeded", "everything")
    assert Movie.objects.get().overview == "What happens in 1."


def test_the_task_leaves_a_sync_alone_that_is_under_way(tmdb):
    open_run(SyncRequest(Scope.IDS, ids=(1,)))

    assert "is under way" in sync_tmdb()["skipped"]


def test_a_sync_whose_workers_were_killed_goes_on(tmdb):
    """One of a command too: what it was asked for stands in its items alone."""
    run, _ = open_run(SyncRequest(Scope.IDS, ids=(1,)))
    tmdb.serve(document(1))
    long_ago = timezone.now() - timedelta(hours=1)
    SyncRun.objects.update(status="running", heartbeat_at=long_ago, suspected_at=long_ago + timedelta(minutes=10))

    assert requeue_stale() == {"ended": 1, "retried": 0, "enqueued": 0}
    SyncRun.objects.update(retry_at=timezone.now())
    assert requeue_stale() == {"ended": 0, "retried": 1, "enqueued": 0}
    assert sync_tmdb(goes_on=True)["status"] == "succeeded"
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("succeeded", 2)
    assert Movie.objects.get().tmdb_id == 1
    assert sync_tmdb(goes_on=True)["skipped"] == "the run has ended"


def test_a_sync_that_waits_for_its_retry_comes_before_others(tmdb):
    tmdb.serve(document(1))
    run, _ = open_run(SyncRequest(Scope.IDS, ids=(1,)))
    SyncRun.objects.update(status="errored", outcome="database", details={"error": "away"}, retry_at=timezone.now())

    sync_ids(2)
    run.refresh_from_db()
    assert run.status == "succeeded"


@pytest.mark.wording
def test_a_database_that_fails_ends_an_attempt_not_the_sync(tmdb, monkeypatch):
    def fail(*args):
        raise OperationalError("disk full")

    monkeypatch.setattr("catalog.sync.work.write_movies", fail)
    tmdb.serve(document(1))

    run = sync_ids(1)

    assert (run.status, run.message) == ("errored", "Database error: disk full")
    assert run.retry_at is not None


def test_a_long_sync_gives_other_work_its_turn(tmdb, monkeypatch):
    monkeypatch.setattr("catalog.tasks.TASK_SECONDS", 0)
    sent = []
    monkeypatch.setattr("catalog.jobs.messages.current_app.send_task", lambda *args, **options: sent.append(options))

    assert sync_tmdb()["status"] == "queued"
    assert [options["kwargs"] for options in sent] == [{"goes_on": True}]
    monkeypatch.setattr("catalog.tasks.TASK_SECONDS", 60)
    assert sync_tmdb(**sent[0]["kwargs"])["status"] == "succeeded"


def test_a_late_heartbeat_keeps_the_final_counts(db):
    """Another worker has ended the run in the meantime, and its items are gone."""
    run, _ = open_run(SyncRequest(SyncRun.Scope.IDS, ids=(1, 2)))
    late = SyncRun.objects.get(pk=run.pk)
    for worker in (run, late):
        assert heartbeat(worker, Pace(0.0))
    run.items.update(outcome=SyncItem.Outcome.ADDED)
    assert finish(run)

    assert not heartbeat(late, Pace(0.0))
    late.refresh_from_db()
    assert (late.status, late.counts) == ("succeeded", {"added": 2})
