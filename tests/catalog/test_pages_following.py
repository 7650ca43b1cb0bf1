"""The page of followed sources, what the account page says about them, and their endpoints."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import FollowedRow, FollowedSource, SourceSync
from catalog.models.followed import SyncOutcome
from catalog.throttling import AccountThrottle

pytestmark = pytest.mark.django_db

PAGE, API = "/accounts/following/", "/api/v1/following/"
SECRET = "https://files.example.org/list.csv?key=very-secret"


@pytest.fixture
def page(client, nora):
    client.force_login(nora)
    return client


@pytest.fixture
def mine(api, nora):
    api.force_authenticate(nora)
    return api


def add(page, kind: str = "letterboxd", address: str = "nora", **values: str):
    return page.post(PAGE, {"kind": kind, "address": address, "with_existing": "on", **values})


def ended(source: FollowedSource, **values: object) -> None:
    SourceSync.objects.filter(source=source).delete()
    SourceSync.objects.create(
        source=source, trigger="scheduled", ended_at=timezone.now(), **{"status": "succeeded", **values}
    )


def test_a_profile_is_followed(page, nora):
    assert add(page, address="https://letterboxd.com/Nora/").status_code == 302
    source = FollowedSource.objects.get()

    assert (source.user, source.kind, source.name, source.with_existing) == (nora, "letterboxd", "nora", True)
    assert source.latest_sync.status == "queued"
    assert f"{PAGE}{source.pk}/remove/" in page.get(PAGE).content.decode()


def test_an_address_is_shown_without_its_secret(page):
    add(page, "address", SECRET, rows="wanted", format="csv")
    source = FollowedSource.objects.get()
    shown = page.get(PAGE).content.decode() + page.get("/accounts/export/everything/").content.decode()

    assert source.options == {"format": "csv", "rows": "wanted"}
    assert "files.example.org/list.csv?…" in shown
    assert "very-secret" not in shown and source.encrypted not in shown


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("letterboxd", "no name"),
        ("letterboxd", "https://example.org/nora"),
        ("address", "http://files.example.org/list.csv"),
        ("address", "https://name:password@files.example.org/list.csv"),
        ("address", "https://127.0.0.1/list.csv"),
        ("address", "https://[::1]/list.csv"),
        ("address", "https://router.local/list.csv"),
        ("address", "https://files.example.org:99999/"),
        ("address", "https://files.example.org/\u2028list.csv"),
        ("address", f"https://files.example.org/{'x' * 2000}"),
        ("trakt", "nora"),
        ("other", "nora"),
    ],
)
def test_what_cannot_be_followed_is_refused(page, kind, address):
    answer = add(page, kind, address)

    assert answer.status_code == 422
    assert 'class="errorlist"' in answer.content.decode()
    assert not FollowedSource.objects.exists()


def test_a_source_is_followed_once_and_few_are(page, change_policy):
    change_policy("following", max_sources=2)

    assert [add(page, address=name).status_code for name in ("nora", "Nora", "ada", "eve")] == [302, 422, 302, 422]
    assert set(FollowedSource.objects.values_list("name", flat=True)) == {"nora", "ada"}


def test_trakt_takes_the_operators_client_id(page, settings):
    offered = re.compile(r'name="kind" value="trakt"')
    assert not offered.search(page.get(PAGE).content.decode())
    settings.TRAKT_CLIENT_ID = "client-id"

    assert offered.search(page.get(PAGE).content.decode())


@pytest.mark.wording
def test_staff_read_why_trakt_is_not_offered(page, settings, sam):
    assert "TRAKT_CLIENT_ID" not in page.get(PAGE).content.decode()
    page.force_login(sam)
    assert "TRAKT_CLIENT_ID" in page.get(PAGE).content.decode()
    settings.TRAKT_CLIENT_ID = "client-id"

    assert "TRAKT_CLIENT_ID" not in page.get(PAGE).content.decode()


def test_a_source_is_paused_resumed_and_removed(page):
    add(page)
    source = FollowedSource.objects.get()
    page.post(f"{PAGE}{source.pk}/pause/", {"paused": "1"})
    source.refresh_from_db()
    assert source.paused_at
    page.post(f"{PAGE}{source.pk}/pause/", {"paused": "0"})
    source.refresh_from_db()
    assert source.paused_at is None and source.next_sync_at <= timezone.now()
    page.post(f"{PAGE}{source.pk}/remove/")

    assert not FollowedSource.objects.exists() and not SourceSync.objects.exists()


def test_a_sync_on_request_is_limited(page, monkeypatch):
    add(page)
    source = FollowedSource.objects.get()
    page.post(f"{PAGE}{source.pk}/sync/")
    assert source.syncs.count() == 1
    ended(source)
    page.post(f"{PAGE}{source.pk}/sync/")
    assert source.syncs.count() == 1
    SourceSync.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    page.post(f"{PAGE}{source.pk}/sync/")
    assert source.syncs.count() == 2

    monkeypatch.setattr(AccountThrottle, "THROTTLE_RATES", {"following": "1/hour"})
    assert page.post(f"{PAGE}{source.pk}/sync/").status_code == 429


@pytest.mark.parametrize("action", ["sync", "pause", "remove"])
def test_sources_of_others_do_not_exist(page, client, bob, action):
    source = FollowedSource.objects.create(user=bob, kind="letterboxd", name="bob", fingerprint="1")

    assert page.post(f"{PAGE}{source.pk}/{action}/").status_code == 404
    assert FollowedSource.objects.get().paused_at is None


@pytest.mark.wording
def test_the_account_page_tells_the_third_failure(page):
    add(page)
    source = FollowedSource.objects.get()
    ended(source, status="failed", outcome=SyncOutcome.NOT_FOUND)
    for n, is_told in ((2, False), (3, True)):
        FollowedSource.objects.update(n_failures=n)
        text = page.get("/accounts/").content.decode()
        assert (f"nora could not be read {n} times in a row." in text) is is_told
    assert "There is nothing at this address" in text
    page.post(f"{PAGE}{source.pk}/pause/", {"paused": "1"})

    assert "could not be read" not in page.get("/accounts/").content.decode()


@pytest.mark.wording
def test_the_page_says_what_came(page):
    add(page)
    source = FollowedSource.objects.get()
    ended(source, outcome=SyncOutcome.FOLLOWED, counts={"rows": 3, "ratings_new": 2, "viewings_new": 1})
    row = {"source": source, "title": "Solaris", "year": 1972, "outcome": "unmatched"}
    FollowedRow.objects.create(key="1", reasons=[["match.not_found", {}]], **row)
    FollowedRow.objects.create(key="2", **row | {"outcome": "imported"})
    text = page.get(PAGE).content.decode()

    assert "Everything new was imported. 2 new ratings, 1 new viewing." in text
    assert "1 row imported" in text and "1 without a movie" in text
    assert "Solaris (1972)" in text and "Not in the catalogue." in text


def test_many_sources_take_no_more_queries(page, nora, django_assert_max_num_queries):
    for n in range(10):
        source = FollowedSource.objects.create(user=nora, kind="letterboxd", name=f"n{n}", fingerprint=n)
        ended(source)
        FollowedRow.objects.create(source=source, key="1", outcome="unmatched", title="Solaris")

    with django_assert_max_num_queries(14):
        assert page.get(PAGE).status_code == 200


def test_the_api_follows_and_unfollows(mine):
    made = mine.post(API, {"kind": "address", "address": SECRET, "rows": "watched"}, format="json")
    assert made.status_code == 201 and "very-secret" not in made.content.decode()
    source = made.json()
    assert (source["name"], source["is_paused"]) == ("files.example.org/list.csv?…", False)
    assert source["latest_sync"]["status"] == "queued"
    assert mine.get(API).json()["results"] == [source]
    address = f"{API}{source['id']}/"
    assert mine.patch(address, {"is_paused": True}, format="json").json()["is_paused"] is True
    ended(FollowedSource.objects.get())
    refused = mine.post(f"{address}sync/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "sync_too_soon")
    mine.patch(address, {"is_paused": False}, format="json")
    SourceSync.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert mine.post(f"{address}sync/").status_code == 202
    FollowedRow.objects.create(source_id=source["id"], key="1", outcome="unmatched", title="Solaris")
    assert [row["title"] for row in mine.get(f"{address}unmatched/").json()["results"]] == ["Solaris"]

    assert mine.delete(address).status_code == 204 and not FollowedSource.objects.exists()


def test_the_api_says_what_it_expects(mine, bob):
    source = FollowedSource.objects.create(user=bob, kind="letterboxd", name="bob", fingerprint="1")
    refused = mine.post(API, {"kind": "address", "address": "https://10.0.0.1/"}, format="json")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_source")
    assert list(refused.json()["error"]["fields"]) == ["address"]
    assert mine.post(API, {"kind": "other", "address": "x"}, format="json").status_code == 400
    assert [mine.get(f"{API}{source.pk}/").status_code, mine.delete(f"{API}{source.pk}/").status_code] == [404, 404]
