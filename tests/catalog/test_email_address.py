"""An account's e-mail address: entered, changed, confirmed, and required if the policy says so."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from catalog.models import User
from tests.catalog.account_mail import link, only_our_templates
from tests.factories import UserFactory

__all__ = ["only_our_templates"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_our_templates")]

PASSWORD = "correct horse battery"
EMAIL = "/accounts/email/"
ADA = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "password_again": PASSWORD}


def change(client, email: str):
    """Gives the address, and the password that is asked for."""
    asked = client.post(EMAIL, {"email": email, "action_add": "1"})
    if not asked["Location"].startswith("/accounts/confirm/"):
        return client.get(asked["Location"])
    return client.post(asked["Location"], {"password": PASSWORD}, follow=True)


def confirm(client):
    client.get(link())
    return client.post(link(), follow=True)


@pytest.mark.wording
def test_an_address_changes_once_it_is_confirmed(client, nora):
    client.force_login(nora)
    page = change(client, "new@example.org")

    assert "new@example.org has not been confirmed yet. Open the link in the email we sent." in page.content.decode()
    nora.refresh_from_db()
    assert nora.email == "nora@example.org"
    confirm(client)
    nora.refresh_from_db()
    assert nora.email == "new@example.org"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("new@example.org", True)]


@pytest.mark.wording
def test_a_stolen_session_changes_no_address(client, nora):
    client.force_login(nora)
    asked = client.post(EMAIL, {"email": "thief@example.org", "action_add": "1"})
    answer = client.post(asked["Location"], {"password": "wrong"})

    assert "Incorrect password." in answer.content.decode()
    assert mail.outbox == []


@pytest.mark.wording
def test_the_address_of_another_gets_a_mail_and_no_more(client, nora, bob):
    EmailAddress.objects.create(user=bob, email="bob@example.org", verified=True, primary=True)
    client.force_login(nora)
    page = change(client, "bob@example.org")

    assert "bob@example.org has not been confirmed yet. Open the link in the email we sent." in page.content.decode()
    assert "/accounts/email/confirm/" not in mail.outbox[0].body


def test_a_waiting_mail_is_sent_again(client, nora):
    client.force_login(nora)
    change(client, "new@example.org")
    client.post(EMAIL, {"email": "new@example.org", "action_send": "1"})

    assert [sent.to for sent in mail.outbox] == [["new@example.org"]] * 2


@pytest.mark.parametrize("key", ["x", "x:y:z"])
@pytest.mark.wording
def test_a_wrong_link_says_so(client, key):
    assert "This link is no longer valid" in client.get(f"{EMAIL}confirm/{key}/").content.decode()
    assert client.post(f"{EMAIL}confirm/{key}/").status_code == 404


def test_an_address_that_staff_changed_is_unconfirmed(client, nora, sam):
    EmailAddress.objects.create(user=nora, email=nora.email, verified=True, primary=True)
    client.force_login(sam)
    page = client.get(f"/admin/catalog/user/{nora.pk}/change/")
    form = {name: value or "" for name, value in page.context["adminform"].form.initial.items() if name != "groups"}
    form |= {"email": "other@example.org", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    del form["user_permissions"]
    client.post(f"/admin/catalog/user/{nora.pk}/change/", form)

    nora.refresh_from_db()
    assert nora.email == "other@example.org"
    assert not EmailAddress.objects.exists()


@pytest.mark.usefixtures("mandatory")
def test_where_policy_says_so_an_account_confirms_first(client, api, nora):
    """One from before the policy, or whose address staff changed."""
    credentials = {"username": "nora", "password": PASSWORD}
    refused = api.post("/api/v1/token/", credentials, format="json")

    assert client.post("/accounts/sign-in/", credentials)["Location"] == "/accounts/email/sent/"
    assert "_auth_user_id" not in client.session
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "email_not_confirmed")
    assert api.post("/api/v1/token/", credentials | {"password": "wrong"}, format="json").status_code == 401

    confirm(client)
    assert client.post("/accounts/sign-in/", credentials)["Location"] == "/"
    assert api.post("/api/v1/token/", credentials, format="json").status_code == 200


@pytest.mark.usefixtures("mandatory")
def test_where_policy_says_so_an_address_is_needed(client):
    page = client.post("/accounts/sign-up/", ADA | {"email": ""})

    assert page.context["form"].errors.keys() == {"email"}
    assert not User.objects.exists()


@pytest.mark.usefixtures("mandatory")
def test_accounts_without_an_address_go_on(client):
    UserFactory(username="old", email="")

    assert client.post("/accounts/sign-in/", {"username": "old", "password": PASSWORD})["Location"] == "/"
