"""Receives events of media servers, and rejects invalid ones."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from catalog.hooks.services import create_hook, remove_hook
from catalog.imports.fields import ParsedRow
from catalog.imports.matching import match_rows
from catalog.models import Hook, HookEvent, Rating, Viewing
from catalog.services import add_to_watchlist, record_rating
from tests.catalog.hooks.test_payloads import CASES
from tests.factories import MovieFactory, UserFactory

pytestmark = pytest.mark.django_db

PLAYED = [name for name, (_, case) in CASES.items() if case["expected"] and case["expected"]["kind"] == "watched"]
SERVERS_WITH_ACCOUNTS = ["plex", "jellyfin", "emby"]


def case_of(name: str, **changes: object) -> dict:
    case = CASES[name][1]
    return {**case, "payload": {**case["payload"], **changes}}


def outcome(answer) -> str:
    assert answer.status_code == 200, answer.content
    return answer.json()["outcome"]


@pytest.mark.parametrize("name", [name for name in PLAYED if "quotes" not in name])
def test_a_movie_that_was_played_is_in_the_diary(send, nora, alien, name):
    add_to_watchlist(user=nora, movie=alien)

    assert outcome(send(CASES[name][0], CASES[name][1])) == "added"
    viewing = nora.viewings.get()
    expected = CASES[name][1]["expected"].get("watched_on")
    assert viewing.movie == alien
    assert viewing.watched_on == (date.fromisoformat(expected) if expected else timezone.now().date())
    assert not nora.watchlist.exists()


@pytest.mark.parametrize("name", ["plex: played", "jellyfin: played", "emby: played", "kodi: played", "json: seen"])
def test_an_event_that_comes_fifty_times_is_one_viewing(send, nora, alien, name):
    outcomes = [outcome(send(*CASES[name])) for _ in range(50)]

    assert outcomes == ["added"] + ["known"] * 49
    assert nora.viewings.count() == 1
    assert list(HookEvent.objects.values_list("times", "outcome")) == [(50, "added")]


def test_a_later_showing_is_another_viewing(send, nora, alien):
    first = case_of("json: watched", at="2026-05-30T21:00:00Z")
    for at in ("2026-05-30T21:00:00Z", "2026-05-31T01:00:00Z", "2026-06-02T21:00:00Z"):
        send("json", {**first, "payload": {**first["payload"], "at": at}})

    days = list(nora.viewings.order_by("watched_on").values_list("watched_on", "is_rewatch"))
    assert days == [(date(2026, 5, 30), False), (date(2026, 6, 2), True)]


def test_the_day_is_that_of_the_servers_time_zone(send, nora, alien):
    send("json", case_of("json: watched", at="2026-05-31T01:30:00+09:00"))

    assert nora.viewings.get().watched_on == date(2026, 5, 31)


@pytest.mark.parametrize("at", ["", "yesterday", "2999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1700-01-01T00:00:00"])
def test_a_time_that_cannot_be_means_now(send, nora, alien, at):
    assert outcome(send("json", case_of("json: watched", at=at))) == "added"
    assert nora.viewings.get().watched_on == timezone.now().date()


@pytest.mark.parametrize("service", ["jellyfin", "emby"])
def test_marked_as_played_is_seen_on_an_unknown_day(send, nora, alien, service):
    assert outcome(send(service, CASES[f"{service}: marked_played"][1])) == "added"
    assert nora.viewings.get().watched_on is None
    send(service, CASES[f"{service}: played"][1])
    assert nora.viewings.get().watched_on == date(2026, 5, 30)
    assert outcome(send(service, CASES[f"{service}: marked_played"][1])) == "known"
    assert nora.viewings.count() == 1


@pytest.mark.parametrize(
    ("name", "stars"),
    [("plex: rated", 4.5), ("jellyfin: rated", 4), ("jellyfin: older_plugin_rated", 3.5), ("emby: rated", 5)],
)
def test_a_rating_is_recorded_in_stars(send, nora, alien, name, stars):
    assert [outcome(send(*CASES[name])) for _ in range(2)] == ["rated", "known"]
    assert nora.ratings.get().rating == stars
    alien.refresh_from_db()
    assert (alien.rating_count, alien.rating_sum) == (1, stars)


def test_the_later_rating_counts(send, nora, alien):
    record_rating(user=nora, movie=alien, rating=2, rated_at=datetime(2026, 6, 1, tzinfo=UTC))
    earlier, later = (case_of("json: rated", at=at) for at in ("2026-05-31T00:00:00Z", "2026-06-02T00:00:00Z"))

    assert outcome(send("json", earlier)) == "kept"
    assert nora.ratings.get().rating == 2
    assert outcome(send("json", later)) == "rated"
    assert nora.ratings.get().rating == 4.5


def test_a_rating_that_changes_back_is_recorded(send, nora, alien):
    for stars in (4, 3, 4):
        assert outcome(send("json", case_of("json: rated", rating=stars))) == "rated"

    assert nora.ratings.get().rating == 4
    assert HookEvent.objects.count() == 3


@pytest.mark.parametrize("name", [name for name, (_, case) in CASES.items() if case["expected"] is None])
def test_other_events_change_nothing(send, nora, alien, name):
    assert outcome(send(*CASES[name])) == "ignored"
    assert not HookEvent.objects.exists() and not Viewing.objects.exists() and not Rating.objects.exists()


def test_a_movie_that_is_not_in_the_catalogue_is_said(send, nora, alien):
    answer = send("json", case_of("json: watched", title="Aliens of the Deep", year=2005, imdb_id="", tmdb_id=""))

    assert outcome(answer) == "unmatched"
    event = HookEvent.objects.get()
    assert (event.title, event.year, event.movie, event.reasons[0][0]) == (
        "Aliens of the Deep", 2005, None, "match.not_found",
    )  # fmt: skip
    assert not nora.viewings.exists()


def test_an_id_that_the_title_contradicts_matches_nothing(send, nora, alien):
    MovieFactory(title="Blade Runner", year=1982)

    assert outcome(send("json", case_of("json: watched", title="Blade Runner", year=1982))) == "unmatched"


def test_a_movie_that_comes_later_is_found_by_the_same_event(send, nora):
    assert outcome(send(*CASES["plex: played"])) == "unmatched"
    MovieFactory(title="Alien", year=1979, imdb_id="tt0078748", tmdb_id=348)

    assert outcome(send(*CASES["plex: played"])) == "added"


@pytest.mark.parametrize("service", ["plex", "jellyfin", "emby", "kodi", "json"])
@pytest.mark.parametrize("key", ["mrh_wrong", "x", "mrk_0123456789"])
def test_a_wrong_secret_is_refused_and_keeps_nothing(send, nora, alien, service, key):
    answer = send(service, CASES[f"{service}: {'watched' if service == 'json' else 'played'}"][1], key=key)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "hook_not_found")
    assert not HookEvent.objects.exists() and not Viewing.objects.exists()


@pytest.mark.parametrize("service", SERVERS_WITH_ACCOUNTS)
def test_a_foreign_user_is_refused_and_keeps_nothing(send, nora, alien, service):
    Hook.objects.update(names="somebody, else")
    answer = send(*CASES[f"{service}: played"])

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_event")
    assert not HookEvent.objects.exists() and not Viewing.objects.exists()
    assert timezone.now() - Hook.objects.get().foreign_at < timedelta(minutes=1)


@pytest.mark.parametrize("service", SERVERS_WITH_ACCOUNTS)
def test_an_event_without_an_account_is_refused(send, nora, alien, service):
    parts = {"plex": {"Account": None}, "jellyfin": {"NotificationUsername": ""}, "emby": {"User": {}}}
    answer = send(service, case_of(f"{service}: played", **parts[service]))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_event")
    assert not Viewing.objects.exists()


def test_names_are_compared_without_case_and_spaces(send, nora, alien):
    Hook.objects.update(names="Living room,  NORA ")

    assert outcome(send(*CASES["plex: played"])) == "added"


@pytest.mark.parametrize("service", ["plex", "jellyfin"])
def test_a_huge_body_is_refused_and_keeps_nothing(send, nora, alien, change_policy, service):
    change_policy("hooks", max_body_kb=16)
    answer = send(service, case_of(f"{service}: played", Overview="x" * (17 << 10)))

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert not HookEvent.objects.exists() and not Viewing.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "{" * 2000, "\x00"])
def test_a_body_that_is_no_event_says_what_was_expected(client, secret, body):
    answer = client.post(f"/api/v1/hooks/json/{secret}/", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("invalid_event", "parse_error")


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_the_address_takes_posts_alone(client, secret, method):
    assert getattr(client, method)(f"/api/v1/hooks/plex/{secret}/").status_code == 405


def test_an_unknown_service_is_not_found(send, nora):
    assert send("vcr", CASES["json: watched"][1]).status_code == 404


def test_a_new_secret_ends_the_former(send, nora, alien, secret):
    new = create_hook(user=nora).secret

    assert send(*CASES["plex: played"]).status_code == 404
    assert outcome(send(*CASES["plex: played"], key=new)) == "added"
    assert remove_hook(user=nora)
    assert send(*CASES["plex: played"], key=new).status_code == 404


def test_an_inactive_account_takes_no_events(send, nora, alien):
    nora.is_active = False
    nora.save()

    assert send(*CASES["plex: played"]).status_code == 404


def test_the_secret_says_whose_events_they_are(send, nora, bob, alien):
    other = create_hook(user=bob).secret
    Hook.objects.update(names="nora")
    send(*CASES["plex: played"], key=other)

    assert (bob.viewings.count(), nora.viewings.count()) == (1, 0)


def test_only_the_latest_events_are_kept(send, nora, alien, change_policy):
    change_policy("hooks", keep_events=3)
    for number in range(5):
        send("json", case_of("json: watched", title=f"Unknown {number}", imdb_id="", tmdb_id=""))

    assert set(HookEvent.objects.values_list("title", flat=True)) == {"Unknown 2", "Unknown 3", "Unknown 4"}


def test_events_are_limited_by_sender(send, nora, monkeypatch):
    monkeypatch.setattr("catalog.throttling.HookThrottle.rate", "2/min", raising=False)
    answers = [send(*CASES["plex: started"], key=f"mrh_guess{number}").status_code for number in range(3)]

    assert answers == [404, 404, 429]


def test_events_are_limited_by_secret(send, nora, monkeypatch, settings):
    monkeypatch.setattr("catalog.throttling.HookThrottle.rate", "2/min", raising=False)
    monkeypatch.setattr("catalog.throttling.HookThrottle.get_ident", lambda self, request: str(next(senders)))
    senders = iter(range(9))

    assert [send(*CASES["plex: started"]).status_code for _ in range(3)] == [200, 200, 429]


def test_a_members_only_site_takes_events(send, nora, alien, settings):
    accounts = settings.POLICY.accounts.model_copy(update={"members_only": True})
    settings.POLICY = settings.POLICY.model_copy(update={"accounts": accounts})

    assert outcome(send(*CASES["plex: played"])) == "added"


@pytest.mark.parametrize("year", [1978, 1979, 1980, 1985])
def test_a_match_nearby_is_the_match_of_an_import(alien, year):
    UserFactory()
    MovieFactory(title="Alien", year=1985)
    MovieFactory(title="The Alien", year=1980)
    rows = [
        ParsedRow("", 0, "watched", "Alien", year=year),
        ParsedRow("", 0, "watched", "Alien", year=year, imdb_id="tt0078748"),
        ParsedRow("", 0, "watched", "Alien, The", year=year, tmdb_id=348),
        ParsedRow("", 0, "watched", "Alien", year=None, tmdb_id=348),
    ]
    for row in rows:
        assert match_rows([row], nearby=True)[0].movie_id == match_rows([row])[0].movie_id
