"""The pages of API keys: create, show once, recognise and revoke a key."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.utils import timezone

from catalog.keys import MAX_KEYS, create_key
from catalog.models import APIKey
from catalog.throttling import AccountThrottle
from tests.factories import key_of

pytestmark = pytest.mark.django_db

ADDRESS, KEYS = "/accounts/keys/", "/admin/catalog/apikey/"
KEY = re.compile(r"mrk_[\w-]{43}")


@pytest.fixture
def page(client, nora):
    client.force_login(nora)
    return client


def create(page, **values):
    return page.post(ADDRESS, {"name": "Backup script", "scopes": ["read", "rate"], "expires_in": "30"} | values)


def test_a_new_key_is_shown_once_and_works(page, api, nora):
    made = create(page)
    key = KEY.search(made.content.decode())[0]
    row = nora.api_keys.get()

    assert "no-store" in made["Cache-Control"]
    assert (row.name, row.scopes, row.is_from_sign_in) == ("Backup script", "read rate", False)
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    later = page.get(ADDRESS).content.decode()
    assert not KEY.search(later)
    assert row.prefix in later
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    assert api.get("/api/v1/ratings/").status_code == 200


@pytest.mark.wording
def test_the_page_names_use_and_expiry(page, nora):
    key_of(nora, name="Old", expires_at=timezone.now() - timedelta(days=1), last_used_at=timezone.now())
    key_of(nora, name="Fresh")
    text = page.get(ADDRESS).content.decode()

    assert "expired on" in text
    assert "last used on" in text
    assert "never used" in text


@pytest.mark.parametrize(
    "values",
    [{"name": ""}, {"name": "\u2800"}, {"name": "x" * 61}, {"scopes": []}, {"scopes": ["bulk"]}, {"expires_in": "7"}],
)
def test_a_bad_form_says_so_and_makes_nothing(page, values):
    answer = create(page, **values)

    assert answer.status_code == 422
    assert 'class="errorlist"' in answer.content.decode()
    assert not APIKey.objects.exists()


def test_scopes_are_offered_as_far_as_they_have_an_effect(page, nora):
    def offered() -> list[str]:
        return [value for value, _ in page.get(ADDRESS).context["form"].fields["scopes"].choices]

    assert offered() == ["read", "rate"]
    nora.user_permissions.add(Permission.objects.get(codename="recommend_for_others"))
    assert offered() == ["read", "rate", "service"]
    nora.is_staff = True
    nora.save()
    assert offered() == ["read", "rate", "service", "bulk", "models", "metrics"]


def test_one_key_or_all_are_revoked(page, nora, bob):
    first, others = nora.api_keys, bob.api_keys
    for name in ("one", "two", "three"):
        key_of(nora, name=name)
    key_of(bob)
    answer = page.post(f"{ADDRESS}{first.get(name='one').pk}/revoke/", follow=True)

    assert answer.redirect_chain == [(ADDRESS, 302)]
    assert set(first.values_list("name", flat=True)) == {"two", "three"}
    assert page.post(f"{ADDRESS}{others.get().pk}/revoke/").status_code == 404
    page.post(f"{ADDRESS}revoke/")
    assert (first.count(), others.count()) == (0, 1)


@pytest.mark.wording
def test_an_account_has_a_bounded_number_of_keys(page, nora):
    for number in range(MAX_KEYS):
        create_key(user=nora, name=f"{number}", scopes=["read"])
    answer = create(page)

    assert answer.status_code == 422
    assert f"You have reached the limit of {MAX_KEYS} API keys" in answer.content.decode()


def test_making_keys_is_limited(page, nora, monkeypatch):
    monkeypatch.setattr(AccountThrottle, "THROTTLE_RATES", {"keys": "2/hour"})

    assert [create(page).status_code for _ in range(3)] == [200, 200, 429]
    assert nora.api_keys.count() == 2


def test_the_page_needs_an_account(client, page):
    client.logout()

    assert client.get(ADDRESS)["Location"] == f"/accounts/sign-in/?next={ADDRESS}"
    assert client.get(f"{ADDRESS}revoke/").status_code == 405


@pytest.mark.wording
def test_the_account_page_leads_to_the_keys(page, nora):
    assert f'href="{ADDRESS}"' in page.get("/accounts/").content.decode()
    key_of(nora)
    assert "1 key" in page.get("/accounts/").content.decode()


def test_staff_see_and_revoke_keys_but_never_their_secrets(client, sam, nora, bob):
    client.force_login(sam)
    for user in (nora, nora, bob):
        key_of(user, name=f"of {user.username}")
    first = nora.api_keys.first()
    pages = [client.get(KEYS), client.get(f"{KEYS}{first.pk}/change/")]

    assert all(first.prefix in page.content.decode() and first.hash not in page.content.decode() for page in pages)
    client.post(KEYS, {"action": "revoke", "_selected_action": [first.pk]})
    assert (nora.api_keys.count(), bob.api_keys.count()) == (1, 1)
    client.post("/admin/catalog/user/", {"action": "revoke_keys", "_selected_action": [nora.pk]})
    assert (nora.api_keys.count(), bob.api_keys.count()) == (0, 1)
    assert {entry.object_repr for entry in LogEntry.objects.all()} == {str(first), "nora"}
