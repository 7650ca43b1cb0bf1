"""Tests the client against an HTTP server that responds like Wikidata and checks the etiquette."""

import time

import pytest

from catalog.errors import AnswerRejected, ProviderError, ProviderUnavailable
from catalog.providers.http import ATTEMPTS
from catalog.providers.wikidata import MAX_LAG, Match, connect
from tests.wikidata_documents import document, film, item, statement, text
from tests.wikidata_stand_in import API, QUERY, Answer, lagged, reported

pytestmark = pytest.mark.cache

LANGUAGES = ["en", "vi"]


@pytest.fixture
def client(wikidata):
    wikidata.serve(
        film(83495, "The Matrix", statement("P57", item(1)), imdb_id="tt0133093", tmdb_id=603),
        film(47703, "The Godfather", imdb_id="tt0068646", tmdb_id=238),
        document(1, {"en": "Lana Wachowski", "vi": "Lana", "fr": "Lana W."}),
        document(1860, {"en": "English"}, statement("P218", text("en"))),
    )
    with connect() as client:
        yield client


@pytest.fixture(autouse=True)
def _etiquette(wikidata):
    yield
    assert wikidata.broken_rules == []


def test_items_are_found_by_either_id(client):
    found = client.match(["tt0133093", "tt9999999"], [238])

    assert sorted(found) == [Match(47703, None, 238), Match(83495, "tt0133093", None)]


def test_no_ids_are_no_query(client, wikidata):
    assert client.match(["not an id"], []) == []
    assert wikidata.asked == []


def test_a_movie_comes_with_its_labels_and_statements(client):
    found = client.films([83495, 7], LANGUAGES)

    assert found[83495].titles == {"en": "The Matrix"}
    assert (found[83495].imdb_id, found[83495].directors) == ("tt0133093", [1])
    assert found[7] is None


def test_labels_come_without_statements(client, wikidata):
    [entity] = client.labels([1], LANGUAGES).values()

    assert (entity.labels, entity.claims) == ({"en": "Lana Wachowski", "vi": "Lana"}, {})
    assert "props=labels&" in wikidata.asked[0]


def test_languages_have_their_codes(client):
    assert client.language_codes([1860, 1]) == {1860: "en"}


def test_a_merged_item_names_the_one_that_is_left(client, wikidata):
    wikidata.redirects = {999: 83495}

    assert client.films([999], LANGUAGES)[999].qid == 83495


def test_it_names_itself_and_a_contact(client, wikidata, settings):
    client.labels([1], LANGUAGES)
    assert wikidata.agents == {f"Movierec/{settings.VERSION} (ops@example.org)"}
    settings.WIKIDATA_CONTACT, settings.CSRF_TRUSTED_ORIGINS = (
        "",
        ["https://*.example.org", "https://movies.example.org"],
    )
    wikidata.agents.clear()
    with connect() as other:
        other.labels([1], LANGUAGES)
    assert wikidata.agents == {f"Movierec/{settings.VERSION} (https://movies.example.org)"}


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(429, b"Rate limit exceeded"),
        Answer.html(503),
        Answer(500, b"java.util.concurrent.TimeoutException"),
        Answer(cut=True),
        Answer(body=reported("ratelimited", "You've exceeded your rate limit.")),
        Answer(body=reported("internal_api_error_DBQueryError", "[0a] Caught exception")),
    ],
)
def test_asks_again_after_what_passes(client, wikidata, trouble):
    wikidata.answer_next(API, trouble, trouble)

    assert client.labels([1], LANGUAGES)[1] is not None
    assert len(wikidata.asked) == 3


def test_waits_as_long_as_it_is_told_to(client, wikidata):
    wikidata.answer_next(API, Answer(429, b"", retry_after="1"))
    wikidata.answer_next(QUERY, Answer(429, b"", retry_after="1"))

    client.labels([1], LANGUAGES)
    client.language_codes([1860])

    assert all(wikidata.arrivals[n + 1] - wikidata.arrivals[n] >= 0.99 for n in (0, 2))


def test_a_server_that_lags_gets_its_pause(client, wikidata, monkeypatch):
    pauses = []
    monkeypatch.setattr(client._http._limiter, "pause", pauses.append)
    wikidata.answer_next(API, lagged(retry_after="7"), lagged(retry_after=""), lagged(retry_after="1"))

    assert client.labels([1], LANGUAGES)[1] is not None
    assert pauses == [7, MAX_LAG, MAX_LAG]


def test_one_request_is_under_way_at_a_time(client, wikidata):
    started = time.monotonic()
    for _ in range(5):
        client.labels([1], LANGUAGES)

    assert time.monotonic() - started >= 4 * 0.01
    assert wikidata.broken_rules == []


def test_gives_up_after_so_many_attempts(client, wikidata):
    wikidata.answer_next(API, *[Answer.html(503)] * 20)

    with pytest.raises(ProviderUnavailable, match="503"):
        client.labels([1], LANGUAGES)
    assert len(wikidata.asked) == ATTEMPTS


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer(403, b"Please respect our User-Agent policy"), ProviderError, "refuses.*User-Agent"),
        (Answer.html(404), AnswerRejected, "404"),
        (Answer.html(200), AnswerRejected, "not JSON"),
        (Answer(200, ["a list"]), AnswerRejected, "entities"),
        (Answer(200, reported("param-missing", 'The "ids" parameter must be set.')), AnswerRejected, "param-missing"),
        (Answer(200, {"error": "odd"}), AnswerRejected, "odd"),
        (Answer(301, b"", location="https://elsewhere.example/"), AnswerRejected, "301"),
    ],
)
def test_what_will_not_pass_is_asked_once(client, wikidata, answer, error, message):
    wikidata.answer_next(API, answer)

    with pytest.raises(error, match=message):
        client.labels([1], LANGUAGES)
    assert len(wikidata.asked) == 1


def test_one_refused_item_does_not_cost_the_others(client, wikidata):
    """The whole request fails for it, so it is found by halves."""
    refused = reported("no-such-entity", "Could not find such an entity.", id="Q47703")
    wikidata.answer_next(API, Answer(200, refused))

    assert {number: found is not None for number, found in client.labels([83495, 47703, 1], LANGUAGES).items()} == {
        83495: True,
        47703: True,
        1: True,
    }


def test_items_that_an_answer_left_out_are_asked_for_again(client, wikidata):
    wikidata.answer_next(API, Answer(200, {"entities": {}, "success": 1}), Answer(200, {"entities": {}, "success": 1}))

    found = client.labels([1, 83495], LANGUAGES)

    assert (found[1], found[83495] is not None) == (None, True)  # one alone that is left out does not exist


def test_without_a_network_it_is_out_of_reach(client, settings, wikidata):
    assert client.is_reachable()
    settings.WIKIDATA_API_URL = "http://127.0.0.1:9/w/api.php"
    assert not client.is_reachable()
