"""The watchlist at its owner's secret URL, as read by other programs' parsers, and denied access."""

from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from django.utils import timezone

from catalog.keys import create_feeds_key, create_key, feeds_keys, revoke_keys
from catalog.models import APIKey, Movie, Scope, WatchlistItem
from catalog.throttling import AddressThrottle
from movierec.api_keys import uses
from tests.factories import MovieFactory, UserFactory, key_of
from tests.feeds import RADARR, calendar_of, json_of, rss_of

pytestmark = pytest.mark.django_db

TITLE = 'Fish & <Chips>; "Tôm", 2nd \x0b part'
ADDED = datetime(2026, 5, 30, 19, 10, tzinfo=UTC)


def wanted(user, **values: object) -> Movie:
    movie = MovieFactory(**values)
    WatchlistItem.objects.create(user=user, movie=movie, added_at=ADDED)
    return movie


@pytest.fixture
def key(nora) -> str:
    return create_feeds_key(user=nora).key


@pytest.fixture
def read(client, key):
    return lambda name, **headers: client.get(f"/api/v1/feeds/{key}/watchlist.{name}", headers=headers)


def test_radarr_reads_the_list_as_it_is(read, nora):
    alien = wanted(nora, title="Alien", year=1979, imdb_id="tt0078748", tmdb_id=348)
    wanted(nora, title="Of no provider", year=None)
    found = json_of(read("json"), "feeds_watchlist_json")

    jsonschema.validate(found, RADARR)
    assert [(row["title"], row["imdb_id"], row["tmdb_id"]) for row in found] == [
        ("Of no provider", None, None),
        ("Alien", "tt0078748", 348),
    ]
    assert found[1]["url"] == f"http://testserver{alien.get_absolute_url()}"


def test_an_empty_watchlist_is_valid_in_every_format(read):
    assert json_of(read("json"), "feeds_watchlist_json") == []
    assert rss_of(read("rss")).entries == []
    assert calendar_of(read("ics")).events == []


def test_news_readers_get_each_movie_once_and_escaped(read, nora):
    movie = wanted(nora, title=TITLE, year=1999)
    [entry] = rss_of(read("rss")).entries

    assert entry.title == f"{TITLE} (1999)".replace("\x0b", "")
    assert entry.link == f"http://testserver{movie.get_absolute_url()}"
    assert datetime(*entry.published_parsed[:6], tzinfo=UTC) == ADDED
    Movie.objects.filter(pk=movie.pk).update(title="Renamed")
    assert [found.id for found in rss_of(read("rss")).entries] == [entry.id]
    assert entry.id == f"http://testserver/movies/{movie.pk}/"


def test_a_calendar_holds_what_comes_and_what_came_lately(read, nora):
    today = timezone.localdate()
    days = {"Long ago": -31, "Lately": -30, TITLE: 0, "Soon": 400}
    for title, days_ahead in days.items():
        wanted(nora, title=title, release_date=today + timedelta(days=days_ahead))
    wanted(nora, title="Some day", release_date=None)
    events = calendar_of(read("ics")).events

    assert [(str(event["summary"]), event.decoded("dtstart")) for event in events] == [
        (title.replace("\x0b", ""), today + timedelta(days=ahead)) for title, ahead in list(days.items())[1:]
    ]
    assert len({str(event["uid"]) for event in events}) == 3
    assert all(event.decoded("dtstamp").tzinfo for event in events)
    movie = Movie.objects.get(title="Soon")
    assert str(events[2]["uid"]) == f"movie-{movie.pk}@testserver"
    assert str(events[2]["url"]) == f"http://testserver{movie.get_absolute_url()}"


def test_only_the_owners_movies_are_in_it(read, nora, bob):
    wanted(bob, title="Of Bob")

    assert read("json").json() == []


@pytest.mark.parametrize("name", ["json", "rss", "ics"])
def test_what_a_reader_has_is_not_sent_again(read, nora, name):
    wanted(nora, title="Alien", release_date=timezone.localdate())
    first = read(name, accept="text/x-what-no-site-has")
    again = read(name, if_none_match=first["ETag"])

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert first["Cache-Control"] == "private, no-cache"
    wanted(nora, title="Aliens", release_date=timezone.localdate())
    assert read(name, if_none_match=first["ETag"]).status_code == 200


@pytest.mark.parametrize("name", ["json", "rss", "ics"])
def test_long_feeds_are_compressed(read, nora, name):
    for number in range(10):
        wanted(nora, title=f"Part {number}", release_date=timezone.localdate())

    assert read(name, accept_encoding="gzip")["Content-Encoding"] == "gzip"


def test_a_head_says_what_a_get_would_send(client, key):
    answer = client.head(f"/api/v1/feeds/{key}/watchlist.rss")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Content-Type"].startswith("application/rss+xml")
    assert client.post(f"/api/v1/feeds/{key}/watchlist.rss").status_code == 405


def bad_keys(nora) -> dict[str, str]:
    expired = key_of(nora, Scope.FEEDS, expires_at=timezone.now())
    inactive = create_feeds_key(user=UserFactory(is_active=False)).key
    others = [scope for scope in Scope.values if scope != Scope.FEEDS]
    return {
        "unknown": "mrk_" + "x" * 43,
        "no key": "x",
        "expired": expired,
        "of nobody": inactive,
        "of another kind": key_of(nora, *others),
    }


def test_every_key_that_opens_nothing_gets_the_same_answer(client, nora):
    answers = {
        name: client.get(f"/api/v1/feeds/{key}/watchlist.json", headers={"Authorization": f"Token {key}"})
        for name, key in bad_keys(nora).items()
    }

    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({answer.content for answer in answers.values()}) == 1
    assert answers["unknown"].json()["error"]["code"] == "feed_not_found"


def test_the_key_of_feeds_does_nothing_else(api, key):
    for scheme in ("Token", "Bearer"):
        answer = api.get("/api/v1/watchlist/", headers={"Authorization": f"{scheme} {key}"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "missing_scope")


def test_no_other_key_may_be_made_for_feeds(api, nora):
    with pytest.raises(Exception, match="feeds"):
        create_key(user=nora, name="x", scopes=["read", "feeds"])
    UserFactory(username="ada", password="correct horse battery")
    body = {"username": "ada", "password": "correct horse battery", "scopes": ["feeds"]}
    answer = api.post("/api/v1/token/", body, format="json")

    assert answer.status_code == 400
    assert "scopes" in " ".join(answer.json()["error"]["fields"])


def test_a_new_key_ends_the_former(client, nora, key):
    other = create_feeds_key(user=nora).key

    assert client.get(f"/api/v1/feeds/{key}/watchlist.json").status_code == 404
    assert client.get(f"/api/v1/feeds/{other}/watchlist.json").status_code == 200
    assert feeds_keys(nora).count() == 1


def test_it_ends_with_the_other_keys(read, nora):
    assert read("json").status_code == 200
    revoke_keys(nora)

    assert read("json").status_code == 404


def test_a_new_password_ends_it(read, nora):
    nora.set_password("another horse battery")
    nora.save()

    assert read("json").status_code == 404


def test_the_last_use_is_recorded(read, nora):
    read("json")
    uses.flush()

    assert APIKey.objects.get().last_used_at is not None


def test_requests_are_limited_by_sender_and_by_key(client, nora, key, monkeypatch):
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", {"feeds": "3/min"})
    address = "/api/v1/feeds/{}/watchlist.json"
    guesses = [client.get(address.format(f"mrk_{n}")).status_code for n in range(4)]
    elsewhere = [
        client.get(address.format(key), REMOTE_ADDR=f"198.51.100.{n}", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}")
        for n in range(4)
    ]

    assert guesses == [404, 404, 404, 429]
    assert [answer.status_code for answer in elsewhere] == [200, 200, 200, 429]
    assert int(elsewhere[-1]["Retry-After"]) > 0


def test_a_site_for_members_answers_by_the_key(read, nora, settings):
    accounts = settings.POLICY.accounts.model_copy(update={"members_only": True})
    settings.POLICY = settings.POLICY.model_copy(update={"accounts": accounts})
    wanted(nora, title="Alien")

    assert [row["title"] for row in read("json").json()] == ["Alien"]
