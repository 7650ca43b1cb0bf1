"""Failures during a sync with Wikidata, its entry points, and the purge."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from catalog.jobs.reaper import requeue_stale
from catalog.models import AlternativeTitle, Credit, Keyword, Movie, MovieGenre, MovieKeyword, Person, Source
from catalog.models.wikidata import WikidataItem, WikidataRecord, WikidataRun
from catalog.signals import provider_purged
from catalog.sync import wikidata_batch
from catalog.sync.wikidata import sync
from catalog.sync.wikidata_job import open_run
from catalog.tasks import sync_wikidata
from recommender.export import movie_frame, training_sources
from tests.factories import GenreFactory, MovieFactory, RatingFactory
from tests.wikidata_documents import amount, document, film, item, statement
from tests.wikidata_stand_in import API, QUERY, Answer

pytestmark = pytest.mark.django_db

COMMAND = WikidataRun.Trigger.COMMAND


def serve(wikidata, n: int) -> list[Movie]:
    """Movies with a director and a genre each, best known first."""
    ids = [f"tt{number:07}" for number in range(1, n + 1)]
    facts = (statement("P57", item(1)), statement("P136", item(2)), statement("P2047", amount("+90")))
    wikidata.serve(
        *(film(1000 + number, f"Film {number}", *facts, imdb_id=imdb_id) for number, imdb_id in enumerate(ids)),
        document(1, {"en": "Ada Director"}),
        document(2, {"en": "drama film"}),
    )
    return [MovieFactory(imdb_id=imdb_id, popularity=-number) for number, imdb_id in enumerate(ids)]


@pytest.mark.wording
def test_without_a_network_it_says_one_sentence(wikidata, settings, caplog, capfd):
    serve(wikidata, 1)
    settings.WIKIDATA_API_URL = "http://127.0.0.1:9/w/api.php"

    with caplog.at_level("INFO"):
        assert "cannot be reached" in str(sync_wikidata()["skipped"])

    assert [record.getMessage() for record in caplog.records if record.name.startswith("catalog")] == [
        "Wikidata sync skipped: Wikidata cannot be reached. Nothing was changed."
    ]
    assert not WikidataRun.objects.exists() and not WikidataRecord.objects.exists()
    with pytest.raises(CommandError, match="Wikidata cannot be reached"):
        call_command("sync_wikidata")


@pytest.mark.wording
def test_the_command_says_what_it_did(wikidata, capsys):
    serve(wikidata, 3)

    call_command("sync_wikidata", "--limit", "2")
    call_command("sync_wikidata")

    assert capsys.readouterr().out == "2 updated.\n1 updated.\n"
    with pytest.raises(CommandError, match="expected a number of movies such as 500, got 'all'"):
        call_command("sync_wikidata", "--limit", "all")


@pytest.mark.wording
def test_an_outage_ends_the_run_and_keeps_what_was_written(
    wikidata, mailoutbox, settings, django_capture_on_commit_callbacks
):
    settings.ALERT_EMAILS = ["ops@example.org"]
    serve(wikidata, 60)
    wikidata.answer_next(API, *[Answer()] * 3, *[Answer.html(503)] * 6)

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(CommandError, match="503"):
        call_command("sync_wikidata")
    assert WikidataRecord.objects.filter(state="read").count() == 50
    assert [mail.subject for mail in mailoutbox] == ["[Movierec] Alert: Sync with Wikidata"]

    with django_capture_on_commit_callbacks(execute=True):
        call_command("sync_wikidata")
    assert WikidataRecord.objects.filter(state="read").count() == 60
    assert WikidataRun.objects.first().counts["updated"] == 10
    assert mailoutbox[1].subject == "[Movierec] Resolved: Sync with Wikidata"


@pytest.mark.wording
def test_a_ban_stops_it_at_once(wikidata):
    serve(wikidata, 1)
    wikidata.answer_next(QUERY, Answer(403, b"Please respect our robot policy"))

    run = sync()

    assert (run.status, "robot policy" in run.message) == ("failed", True)
    assert len(wikidata.asked) == 2


def test_a_bug_at_one_movie_leaves_the_others(wikidata, monkeypatch, caplog):
    movies = serve(wikidata, 3)
    real = wikidata_batch._values_of

    def fail(content, items):
        if content.qid == 1001:
            raise ValueError("a bug")
        return real(content, items)

    monkeypatch.setattr(wikidata_batch, "_values_of", fail)

    run = sync()

    assert run.counts == {"absent": 0, "updated": 2, "unchanged": 0, "failed": 1}
    assert WikidataRecord.objects.get(movie=movies[1]).reason == "ValueError"
    assert Movie.objects.filter(runtime_minutes=90).count() == 2
    assert "a bug" in caplog.text


@pytest.mark.wording
def test_a_database_that_fails_ends_an_attempt_not_the_sync(wikidata, monkeypatch):
    def fail(*args):
        raise OperationalError("disk full")

    serve(wikidata, 1)
    monkeypatch.setattr("catalog.sync.wikidata.write_films", fail)

    run = sync()

    assert (run.status, run.message) == ("errored", "Database error: disk full")
    assert run.retry_at is not None


def test_one_process_syncs_at_a_time(wikidata):
    serve(wikidata, 1)
    run = open_run(trigger=COMMAND, limit=None)

    assert run is not None and open_run(trigger=COMMAND, limit=None) is None
    assert sync() is None
    assert "another process" in str(sync_wikidata()["skipped"])
    with pytest.raises(CommandError, match="one at a time"):
        call_command("sync_wikidata")


def test_a_sync_whose_process_was_killed_goes_on(wikidata):
    serve(wikidata, 2)
    run = open_run(trigger=COMMAND, limit=None)
    assert run is not None
    WikidataRun.objects.update(worker_pid=2**22 + 1, worker_start=1)

    assert requeue_stale() == {"ended": 1, "retried": 0, "enqueued": 0}
    WikidataRun.objects.update(retry_at=timezone.now())
    assert requeue_stale() == {"ended": 0, "retried": 1, "enqueued": 0}
    assert sync_wikidata(goes_on=True)["status"] == "succeeded"

    run.refresh_from_db()
    assert (run.attempt, run.counts["updated"]) == (2, 2)
    assert sync_wikidata(goes_on=True)["skipped"] == "the run has ended"


def test_the_next_command_takes_up_what_a_killed_one_left(wikidata):
    serve(wikidata, 2)
    run = open_run(trigger=COMMAND, limit=None)
    assert run is not None
    WikidataRun.objects.update(worker_pid=2**22 + 1, worker_start=1)

    assert sync().pk == run.pk
    assert WikidataRecord.objects.filter(state="read").count() == 2


def test_a_limit_counts_for_a_run_that_was_left_too(wikidata):
    serve(wikidata, 5)
    open_run(trigger=COMMAND, limit=None)
    WikidataRun.objects.update(worker_pid=2**22 + 1, worker_start=1, counts={"updated": 7})

    assert sync(limit=2).limit == 9
    assert WikidataRecord.objects.filter(state="read").count() == 2


def test_a_worker_that_lost_its_run_writes_nothing(wikidata, monkeypatch):
    serve(wikidata, 2)
    real = wikidata_batch._links_of

    def lose(films, items):
        WikidataRun.objects.update(attempt=7)
        return real(films, items)

    monkeypatch.setattr(wikidata_batch, "_links_of", lose)

    sync()

    assert not Movie.objects.exclude(runtime_minutes=None).exists()
    assert not WikidataRecord.objects.filter(state="read").exists()


def test_a_long_sync_gives_other_work_its_turn(wikidata, monkeypatch):
    serve(wikidata, 1)
    sent = []
    monkeypatch.setattr("catalog.jobs.messages.current_app.send_task", lambda *args, **options: sent.append(options))
    monkeypatch.setattr("catalog.tasks.TASK_SECONDS", -1)

    assert sync_wikidata()["status"] == "queued"
    assert [options["kwargs"] for options in sent] == [{"goes_on": True}]
    monkeypatch.setattr("catalog.tasks.TASK_SECONDS", 60)
    assert sync_wikidata(**sent[0]["kwargs"])["status"] == "succeeded"


def test_its_facts_train_and_say_where_they_are_from(wikidata):
    [movie] = serve(wikidata, 1)
    RatingFactory(movie=movie)
    sync()

    [row] = movie_frame().to_dict("records")

    assert (row["directors"], row["genres"]) == (["Ada Director"], ["Drama"])
    assert "wikidata" in training_sources()


def test_a_purge_takes_all_of_it_and_leaves_the_rest(wikidata, capsys):
    [movie] = serve(wikidata, 1)
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name="Comedy"), source=Source.MOVIELENS)
    rating = RatingFactory(movie=movie)
    content = wikidata.items[1000]
    content["claims"]["P921"] = [statement("P921", item(1))]
    sync()
    heard = []
    provider_purged.connect(lambda source, **kwargs: heard.append(source), weak=False, dispatch_uid="heard")

    call_command("purge_provider", "wikidata")

    provider_purged.disconnect(dispatch_uid="heard")
    assert heard == ["wikidata"]
    movie.refresh_from_db()
    assert (movie.runtime_minutes, movie.field_sources) == (None, {})
    assert list(movie.genres.values_list("name", flat=True)) == ["Comedy"]
    assert rating.movie_id == movie.pk
    for model in (Credit, MovieKeyword, AlternativeTitle, Person, WikidataRun, WikidataRecord, WikidataItem, Keyword):
        assert not model.objects.exists()
    said = capsys.readouterr()
    assert "took its content out of 1 others" in said.out
    assert "sync-wikidata brings it all back" in said.err


def test_a_movie_is_not_kept_for_its_record_alone(wikidata):
    """A record says where facts came from; nobody refers to the movie."""
    movie = MovieFactory(imdb_id="tt0000001", source=Source.TMDB)
    WikidataRecord.objects.create(movie=movie, state="absent", checked_at=timezone.now() - timedelta(days=1))

    call_command("purge_provider", "tmdb")

    assert not Movie.objects.exists()
