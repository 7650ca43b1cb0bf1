"""Tests the client against an HTTP server that responds like TMDB, including failures."""

import time
from datetime import date

import pytest

from catalog.errors import AnswerRejected, ProviderError, ProviderUnavailable, RecordGone, TokenRefused
from catalog.providers.http import ATTEMPTS
from catalog.providers.tmdb import connect
from tests.tmdb_stand_in import TOKEN, Answer, document

pytestmark = pytest.mark.cache

BUSY = {"status_code": 25, "status_message": "Your request count (41) is over the allowed limit of (40)."}
BROKEN = {"status_code": 24, "status_message": "Your request to the backend server timed out. Try again."}


@pytest.fixture
def client(tmdb):
    tmdb.movies = {603: document(603, title="The Matrix")}
    with connect() as client:
        yield client


def test_a_movie_comes_with_everything_in_one_request(client, tmdb):
    found = client.movie(603)

    assert (found.document.title, found.document.release_date) == ("The Matrix", date(2020, 5, 17))
    assert [person.name for person in found.document.credits.cast] == ["Ada Player"]
    assert [keyword.name for keyword in found.document.keywords] == ["friendship"]
    assert len(tmdb.asked) == 1


def test_lists_are_asked_for_by_day_and_page(client, tmdb):
    tmdb.changes = {603: date(2026, 1, 2)}

    assert client.changes(start=date(2026, 1, 1), end=date(2026, 1, 14), page=1).ids == [603]
    found = client.discover(start=date(2020, 1, 1), end=date(2020, 12, 31), page=1, adult=False, min_votes=10)
    assert (found.ids, found.total_pages) == ([603], 1)


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(429, BUSY),
        Answer(500, BROKEN),
        Answer(502, b"<html>bad gateway</html>"),
        Answer(504, BROKEN),
        Answer(cut=True),
    ],
)
def test_asks_again_after_what_passes(client, tmdb, trouble):
    tmdb.answer_next("movie/603", trouble, trouble)

    assert client.movie(603).document.title == "The Matrix"
    assert len(tmdb.asked) == 3


def test_asks_again_after_a_time_out(client, tmdb, monkeypatch):
    monkeypatch.setattr(client._api.http, "timeout", 0.2)
    tmdb.answer_next("movie/603", Answer(delay=0.5))

    assert client.movie(603).document.title == "The Matrix"
    assert len(tmdb.asked) == 2


def test_a_retry_is_a_line_of_the_log_and_of_nothing_else(client, tmdb, caplog, capfd):
    tmdb.answer_next("movie/603", Answer(503, BROKEN))

    client.movie(603)

    assert [record.name for record in caplog.records if record.levelname == "WARNING"] == ["catalog.retries"]
    assert "stamina" not in "".join(capfd.readouterr())


def test_gives_up_after_so_many_attempts(client, tmdb):
    tmdb.answer_next("movie/603", *[Answer(503, BROKEN)] * 20)

    with pytest.raises(ProviderUnavailable, match="timed out"):
        client.movie(603)
    assert len(tmdb.asked) == ATTEMPTS


def test_nobody_asks_while_the_other_side_wants_a_pause(client, tmdb):
    tmdb.answer_next("movie/603", Answer(429, BUSY, retry_after="1"))
    started = time.monotonic()

    assert client.movie(603).document.title == "The Matrix"
    assert time.monotonic() - started >= 1
    assert tmdb.arrivals[1] - tmdb.arrivals[0] >= 0.99


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer(404, {"success": False, "status_code": 34, "status_message": "Not found."}), RecordGone, "movie/603"),
        (Answer.html(404), AnswerRejected, "404"),  # something else on the way: the movie may well be there
        (Answer.html(200), AnswerRejected, "not JSON"),
        (Answer(200, b'{"id": 603, "title": "The Mat'), AnswerRejected, "not JSON"),
        (Answer(200, b'{"title": "\\u0000"}'), AnswerRejected, "id: Field required"),
        (Answer(200, b"[" * 100_000), AnswerRejected, "not JSON"),
        (Answer(200, ["a list"]), AnswerRejected, "dictionary"),
        (Answer(422, {"errors": ["page must be less than or equal to 500"]}), AnswerRejected, "less than or equal"),
        (Answer(400, {"status_code": 5, "status_message": "Invalid parameters."}), AnswerRejected, "Invalid param"),
        (Answer(301, b"", location="https://elsewhere.example/steal"), AnswerRejected, "elsewhere"),
    ],
)
def test_what_will_not_pass_is_asked_once(client, tmdb, answer, error, message):
    tmdb.answer_next("movie/603", answer)

    with pytest.raises(error, match=message):
        client.movie(603)
    assert len(tmdb.asked) == 1


def test_an_answer_without_bounds_is_cut_off(client, tmdb, monkeypatch):
    monkeypatch.setattr(client._api, "max_bytes", 1000)
    tmdb.movies[603]["overview"] = "x" * 5000

    with pytest.raises(AnswerRejected, match="larger than"):
        client.movie(603)


def test_an_answer_that_trickles_in_counts_as_timed_out(client, tmdb, monkeypatch):
    monkeypatch.setattr("catalog.providers.http.DEADLINE", -1)

    with pytest.raises(ProviderUnavailable, match="not received within"):
        client.movie(603)


def test_an_id_that_was_merged_leads_to_the_other(client, tmdb):
    tmdb.merged = {604: 603}

    found = client.movie(604)

    assert (found.asked_id, found.document.id) == (604, 603)


def test_a_refused_token_is_no_secret_revealed(client, tmdb, caplog):
    tmdb.tokens = {"another"}

    with caplog.at_level("DEBUG"), pytest.raises(TokenRefused, match=r"TMDB_READ_TOKEN.*Invalid API key") as caught:
        client.movie(603)
    assert len(tmdb.asked) == 1
    assert TOKEN not in caplog.text + str(caught.value) + repr(caught.value)


def test_without_a_token_it_says_what_to_set(settings, tmdb):
    settings.TMDB_READ_TOKEN = ""

    with pytest.raises(ProviderError, match="TMDB_READ_TOKEN is not set"):
        connect()


def test_connections_are_used_again(client, tmdb, monkeypatch):
    opened = []
    process_request = tmdb._server.process_request

    def count(request, address):
        opened.append(address)
        process_request(request, address)

    monkeypatch.setattr(tmdb._server, "process_request", count)
    for _ in range(5):
        client.movie(603)

    assert len(opened) == 1


@pytest.mark.services
def test_a_redis_that_is_away_stops_it_with_a_reason(settings, tmdb):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    with connect() as client, pytest.raises(ProviderUnavailable, match="Redis"):
        client.movie(603)
