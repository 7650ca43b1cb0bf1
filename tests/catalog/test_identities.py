"""Identities of a provider: who may sign up with one, connect one, and reauthenticate with one."""

import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.test import Client

from catalog.invitations import invite
from catalog.models import Invitation, User
from tests.catalog.account_mail import only_our_templates
from tests.factories import UserFactory
from tests.oidc_stand_in import SIGN_UP, START, OIDCStandIn, go, leave, provider
from tests.totp import code_of

__all__ = ["only_our_templates", "provider"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_our_templates")]

PASSWORD = "correct horse battery"
CONNECT = "/accounts/identities/connect/"


def link(user: User, provider: OIDCStandIn, uid: str = "sub-1") -> SocialAccount:
    return SocialAccount.objects.create(user=user, provider=provider.issuer, uid=uid)


def give_password(client: Client, user: User, page: str) -> None:
    client.force_login(user)
    confirm = client.get(page)["Location"]
    assert client.post(confirm, {"password": PASSWORD})["Location"] == page


def test_a_closed_site_takes_connected_people_alone(client, provider, nora, change_policy):
    change_policy("accounts", sign_up="closed", members_only=True)
    assert go(client, provider).status_code == 403
    assert client.get(SIGN_UP)["Location"] == "/accounts/sign-in/"
    link(nora, provider)

    assert go(client, provider)["Location"] == "/"


def test_an_invitation_travels_along_and_counts_once(client, provider, sam, change_policy):
    change_policy("accounts", sign_up="invitation", members_only=True)
    code = invite(by=sam)[1]
    assert go(client, provider).status_code == go(client, provider, invitation="another").status_code == 403
    assert go(client, provider, invitation=code)["Location"] == SIGN_UP
    other = Client()
    provider.claims["sub"] = "sub-2"
    assert go(other, provider, invitation=code)["Location"] == SIGN_UP
    assert client.post(SIGN_UP, {"username": "ada"})["Location"] == "/welcome/"

    assert Invitation.objects.get().used_by.username == "ada"
    assert other.post(SIGN_UP, {"username": "bea"}).status_code == 200
    assert not User.objects.filter(username="bea").exists()
    assert SocialAccount.objects.get().uid == "sub-1"


def test_sign_up_that_is_closed_meanwhile_stays_closed(client, provider, change_policy):
    go(client, provider)
    change_policy("accounts", sign_up="closed")

    assert client.post(SIGN_UP, {"username": "ada"}).status_code == 200
    assert not User.objects.exists()


def test_a_site_that_needs_addresses_asks_for_one(client, provider, change_policy):
    change_policy("accounts", confirm_email="mandatory")
    provider.claims |= {"email": "ada@example.org", "email_verified": False}
    go(client, provider)
    assert list(client.post(SIGN_UP, {"username": "ada"}).context["form"].errors) == ["email"]
    client.post(SIGN_UP, {"username": "ada", "email": "ada@example.org"})
    assert "_auth_user_id" not in client.session  # until the link in the mail is opened
    assert not EmailAddress.objects.get().verified

    provider.claims |= {"sub": "sub-2", "email": "bea@example.org", "email_verified": True}
    other = Client()
    go(other, provider)
    assert other.post(SIGN_UP, {"username": "bea"})["Location"] == "/welcome/"


def test_another_account_takes_the_name_meanwhile(client, provider):
    go(client, provider)
    UserFactory(username="ada")

    assert list(client.post(SIGN_UP, {"username": "Ada"}).context["form"].errors) == ["username"]


def test_a_sign_up_that_another_browser_ended_signs_in(client, provider):
    other = Client()
    for browser in (client, other):
        go(browser, provider)
    other.post(SIGN_UP, {"username": "ada"})

    assert client.get(SIGN_UP)["Location"] == "/accounts/sign-in/"
    assert client.post(SIGN_UP, {"username": "ada2"})["Location"] == "/accounts/sign-in/"
    assert go(client, provider)["Location"] == "/"
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)


def test_the_second_factor_is_asked_for(client, provider, nora):
    link(nora, provider)
    secret = generate_totp_secret()
    TOTP.activate(nora, secret)
    answer = go(client, provider, next="/ratings/")
    assert "_auth_user_id" not in client.session

    assert client.post(answer["Location"], {"code": code_of(secret)})["Location"] == "/ratings/"
    assert client.session["_auth_user_id"] == str(nora.pk)


def test_connecting_takes_the_password_first(client, provider, nora):
    client.force_login(nora)
    assert client.post(START)["Location"] == CONNECT
    assert client.get(CONNECT)["Location"].startswith("/accounts/confirm/")
    assert provider.requests == []
    give_password(client, nora, CONNECT)

    assert go(client, provider)["Location"] == "/accounts/identities/"
    assert SocialAccount.objects.get().user == nora
    assert go(client, provider)["Location"] == "/accounts/identities/"  # again: it stays
    assert SocialAccount.objects.get().user == nora


def test_an_identity_of_another_account_is_not_taken(client, provider, nora, bob):
    link(bob, provider)
    give_password(client, nora, CONNECT)
    go(client, provider)

    assert SocialAccount.objects.get().user == bob
    assert client.session["_auth_user_id"] == str(nora.pk)


def test_people_without_password_confirm_at_the_provider(client, provider, nora):
    nora.set_unusable_password()
    nora.save()
    link(nora, provider)
    provider.lies = {"auth_time": int(time.time())}
    go(client, provider)
    asked = client.get("/accounts/password/")["Location"]
    assert asked == "/accounts/identities/confirm/?next=%2Faccounts%2Fpassword%2F"
    assert client.get(asked).status_code == 200

    answer = go(client, provider, confirm="1", next="/accounts/password/")
    assert (provider.asked["prompt"], provider.asked["max_age"]) == ("login", "0")
    assert answer["Location"] == "/accounts/password/"
    assert client.post("/accounts/password/", {"new_password1": PASSWORD, "new_password2": PASSWORD}).status_code == 302
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("lies", "status"), [({"auth_time": 1}, 502), ({"auth_time": "now"}, 502), ({"sub": "sub-2"}, 409)]
)
def test_an_old_or_another_sign_in_confirms_nothing(client, provider, nora, lies, status):
    nora.set_unusable_password()
    nora.save()
    link(nora, provider)
    link(UserFactory(), provider, "sub-2")
    go(client, provider)
    provider.claims |= lies

    assert go(client, provider, confirm="1").status_code == status
    assert client.get("/accounts/password/").status_code == 302
    assert client.session["_auth_user_id"] == str(nora.pk)


def test_a_confirmation_without_session_signs_nobody_in(client, provider, nora):
    link(nora, provider)
    client.force_login(nora)
    back = leave(client, provider, confirm="1")
    cookies = client.cookies
    client.post("/accounts/sign-out/")
    client.cookies = cookies

    assert client.get(back).status_code == 400
    assert "_auth_user_id" not in client.session


def test_a_provider_of_the_database_is_no_way_in(client, provider, sam, settings):
    SocialApp.objects.create(provider="openid_connect", provider_id="https://bad.example.org", client_id="x", name="x")
    client.force_login(sam)
    assert client.get("/admin/socialaccount/socialapp/").status_code == 404
    settings.OIDC = None

    assert Client().post(START).status_code == 404


def test_staff_see_connections_and_no_more(client, provider, sam, nora):
    identity = link(nora, provider)
    client.force_login(sam)
    assert "sub-1" in client.get("/admin/socialaccount/socialaccount/?q=nora").content.decode()
    page = f"/admin/socialaccount/socialaccount/{identity.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {"uid": "mine"}).status_code == 403
    assert client.get("/admin/socialaccount/socialaccount/add/").status_code == 403
    assert client.get("/admin/socialaccount/socialtoken/").status_code == 404


def test_the_account_page_leads_to_connections(client, provider, nora, settings):
    client.force_login(nora)
    assert b"/accounts/identities/" in client.get("/accounts/").content
    link(nora, provider)
    settings.OIDC = None

    assert b"/accounts/identities/" not in client.get("/accounts/").content
    assert provider.issuer in client.get("/accounts/identities/").content.decode()
