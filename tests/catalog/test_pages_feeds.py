"""The page of secret feed URLs: create, read, renew and remove them."""

import re

import pytest

from catalog.keys import create_feeds_key, feeds_keys
from catalog.models import APIKey
from catalog.throttling import AccountThrottle
from movierec.api_keys import uses
from tests.factories import key_of

pytestmark = pytest.mark.django_db

ADDRESS = "/accounts/feeds/"
SECRET = re.compile(r"mrk_[\w-]{43}")


@pytest.fixture
def page(client, nora):
    client.force_login(nora)
    return client


def addresses(answer) -> list[str]:
    return re.findall(r"http://testserver(/api/v1/feeds/[^<]+)<", answer.content.decode())


def test_every_shown_address_answers(page):
    made = page.post(ADDRESS)
    [_secret] = set(SECRET.findall(made.content.decode()))
    found = addresses(made)

    assert "no-store" in made["Cache-Control"]
    assert len(found) == 8
    assert [page.get(address).status_code for address in found] == [200] * 8


def test_the_secret_is_shown_once(page, nora):
    assert addresses(page.get(ADDRESS)) == []
    page.post(ADDRESS)
    later = page.get(ADDRESS).content.decode()

    assert not SECRET.search(later)
    assert feeds_keys(nora).get().prefix in later


def test_a_new_address_takes_the_place_of_the_former(page, nora):
    key_of(nora, "read", name="Phone")
    [former, *_] = addresses(page.post(ADDRESS))
    [latter, *_] = addresses(page.post(ADDRESS))

    assert [page.get(address).status_code for address in (former, latter)] == [404, 200]
    assert nora.api_keys.count() == 2


def test_they_are_switched_off(page, nora, bob):
    create_feeds_key(user=bob)
    key_of(nora, "read", name="Phone")
    [address, *_] = addresses(page.post(ADDRESS))

    assert page.post(f"{ADDRESS}off/", follow=True).redirect_chain == [(ADDRESS, 302)]
    assert page.get(address).status_code == 404
    assert {key.user for key in APIKey.objects.all()} == {nora, bob}


def test_the_page_of_keys_revokes_them_too(page, nora):
    [address, *_] = addresses(page.post(ADDRESS))
    row = feeds_keys(nora).get()
    assert row.prefix in page.get("/accounts/keys/").content.decode()
    page.post(f"/accounts/keys/{row.pk}/revoke/")

    assert page.get(address).status_code == 404


def test_the_last_use_is_shown(page, nora):
    [address, *_] = addresses(page.post(ADDRESS))
    unused = page.get(ADDRESS).content
    page.get(address)
    uses.flush()

    assert feeds_keys(nora).get().last_used_at
    assert page.get(ADDRESS).content != unused


@pytest.mark.wording
def test_the_page_says_what_reads_them(page):
    assert "You do not have any addresses yet." in page.get(ADDRESS).content.decode()
    text = page.post(ADDRESS).content.decode()

    assert "StevenLu Custom" in text and "For calendars" in text and "Copy the addresses you need now" in text
    assert "The feeds have not been read yet." in page.get(ADDRESS).content.decode()


def test_making_addresses_is_limited(page, monkeypatch):
    monkeypatch.setattr(AccountThrottle, "THROTTLE_RATES", {"keys": "2/hour"})

    assert [page.post(ADDRESS).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("path", ["", "off/"])
def test_the_pages_need_an_account(client, path):
    assert client.post(f"{ADDRESS}{path}")["Location"].startswith("/accounts/sign-in/")


def test_the_account_page_leads_there(page):
    assert f'href="{ADDRESS}"' in page.get("/accounts/").content.decode()
    assert f'href="{ADDRESS}"' in page.get("/accounts/keys/").content.decode()
