"""The page of the secret webhook URL: create, renew and remove it, set names, show events."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.hooks.formats import SERVERS
from catalog.hooks.services import create_hook, hook_of
from catalog.models import Hook, HookEvent
from catalog.throttling import AccountThrottle
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

ADDRESS = "/accounts/media-servers/"
SECRET = re.compile(r"mrh_[\w-]{43}")


@pytest.fixture
def page(client, nora):
    client.force_login(nora)
    return client


def event_of(hook: Hook, **values: object) -> HookEvent:
    standard = {"service": "plex", "kind": "watched", "outcome": "added", "happened_at": timezone.now()}
    return HookEvent.objects.create(hook=hook, **standard | values)


def test_an_address_is_shown_once_for_each_server(page, nora):
    assert not SECRET.search(page.get(ADDRESS).content.decode())
    made = page.post(ADDRESS)
    [secret] = set(SECRET.findall(made.content.decode()))

    assert "no-store" in made["Cache-Control"]
    for service in SERVERS:
        assert f"http://testserver/api/v1/hooks/{service}/{secret}/" in made.content.decode()
    assert hook_of(secret).user == nora
    assert hook_of(secret).names == "nora"
    later = page.get(ADDRESS).content.decode()
    assert not SECRET.search(later) and hook_of(secret).prefix in later


def test_the_shown_address_takes_events(page, nora):
    MovieFactory(title="Alien", year=1979)
    found = re.search(r"http://testserver(/api/v1/hooks/json/mrh_[\w-]+/)", page.post(ADDRESS).content.decode())
    answer = page.post(found[1], {"event": "watched", "title": "Alien", "year": 1979}, content_type="application/json")

    assert answer.json() == {"outcome": "added"}
    assert "Alien (1979)" in page.get(ADDRESS).content.decode()


def test_a_new_address_keeps_names_and_events(page, nora):
    former = create_hook(user=nora)
    event_of(former.row, title="Solaris")
    page.post(f"{ADDRESS}names/", {"names": "Living room, nora"})
    answer = page.post(ADDRESS)

    hook = Hook.objects.get()
    assert hook.hash != former.row.hash
    assert hook.names == "Living room, nora"
    assert "Solaris" in answer.content.decode()


def test_it_is_switched_off_with_its_events(page, nora):
    event_of(create_hook(user=nora).row)

    assert page.post(f"{ADDRESS}off/", follow=True).redirect_chain == [(ADDRESS, 302)]
    assert not Hook.objects.exists() and not HookEvent.objects.exists()


@pytest.mark.parametrize("names", ["", " , ", "\u2800", "x" * 201])
def test_names_that_nobody_has_are_refused(page, nora, names):
    create_hook(user=nora)
    answer = page.post(f"{ADDRESS}names/", {"names": names})

    assert answer.status_code == 422
    assert 'class="errorlist"' in answer.content.decode()
    assert Hook.objects.get().names == "nora"


def test_saved_names_answer_a_refused_event(page, nora):
    create_hook(user=nora)
    Hook.objects.update(foreign_at=timezone.now() - timedelta(hours=1))
    shown = page.get(ADDRESS).content.decode()
    page.post(f"{ADDRESS}names/", {"names": "Nora TV"})

    assert len(shown) > len(page.get(ADDRESS).content.decode())
    assert (Hook.objects.get().foreign_at, Hook.objects.get().names) == (None, "Nora TV")


@pytest.mark.wording
def test_the_page_says_what_became_of_events(page, nora):
    hook = create_hook(user=nora).row
    event_of(hook, title="Solaris", year=1972, outcome="unmatched", reasons=[["match.not_found", {}]], times=3)
    event_of(hook, title="Stalker", kind="rated", rating=4.5, outcome="rated", movie=MovieFactory(title="Stalker"))
    text = page.get(ADDRESS).content.decode()

    assert "Solaris (1972)" in text and "Not in the catalogue." in text and "3 times" in text
    assert "Your rating is recorded." in text and "4.5 ★" in text and "Plex · rated" in text


def test_each_sees_their_own_events(page, nora, bob):
    event_of(create_hook(user=bob).row, title="Of Bob")
    create_hook(user=nora)

    assert "Of Bob" not in page.get(ADDRESS).content.decode()
    page.post(f"{ADDRESS}off/")
    assert Hook.objects.get().user == bob


def test_making_addresses_is_limited(page, nora, monkeypatch):
    monkeypatch.setattr(AccountThrottle, "THROTTLE_RATES", {"keys": "2/hour"})

    assert [page.post(ADDRESS).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("path", ["", "names/", "off/"])
def test_the_pages_need_an_account(client, path):
    assert client.post(f"{ADDRESS}{path}")["Location"].startswith("/accounts/sign-in/")


def test_without_an_address_there_is_nothing_to_name(page):
    assert page.post(f"{ADDRESS}names/", {"names": "nora"})["Location"] == ADDRESS
    assert page.get(f"{ADDRESS}names/")["Location"] == ADDRESS
    assert page.get(f"{ADDRESS}off/").status_code == 405
