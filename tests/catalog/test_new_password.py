"""A new password ends every session and revokes every API key of the account."""

from functools import partial

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import authenticate
from django.test import Client, override_settings

from catalog.errors import InvalidCredentials
from catalog.keys import create_key, create_sign_in_key
from catalog.models import APIKey
from tests.catalog.account_mail import choose_password, link
from tests.factories import UserFactory
from tests.oidc_stand_in import OIDCStandIn, go

pytestmark = pytest.mark.django_db

OLD, NEW = "correct horse battery", "another long one"


def by_staff(user, usable: bool) -> None:
    staff = Client()
    staff.force_login(UserFactory(username="sam", is_staff=True, is_superuser=True))
    form = {"password1": NEW, "password2": NEW} if usable else {"unset-password": "1"}
    answer = staff.post(f"/admin/catalog/user/{user.pk}/password/", form | {"usable_password": str(usable).lower()})
    assert answer.status_code == 302, answer.content.decode()


def by_the_user(user) -> None:
    other = Client()
    other.force_login(user)
    form = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
    assert other.post("/accounts/password/", form).status_code == 302
    assert other.get("/accounts/").status_code == 200  # the session that changed it goes on


def by_a_mail(user) -> None:
    other = Client()
    other.post("/accounts/password/reset/", {"email": user.email})
    assert choose_password(other, link(), NEW).redirect_chain


def by_a_link(user) -> None:
    staff = Client()
    staff.force_login(UserFactory(username="sam", is_staff=True, is_superuser=True))
    made = staff.post("/admin/catalog/user/", {"action": "make_password_link", "_selected_action": user.pk})
    address = made.context["link"].removeprefix("http://testserver")
    assert choose_password(Client(), address, NEW).redirect_chain


def by_taking_the_app_off(user) -> None:
    """Not the password, but as good as one."""
    TOTP.activate(user, generate_totp_secret())
    other = Client()
    other.force_login(user)
    confirm = other.get("/accounts/second-factor/app/off/")["Location"]
    off = other.post(confirm, {"password": OLD})["Location"]
    assert other.post(off)["Location"] == "/accounts/second-factor/"
    assert other.get("/accounts/").status_code == 200


def by_staff_who_take_the_app_off(user) -> None:
    factor = TOTP.activate(user, generate_totp_secret()).instance
    staff = Client()
    staff.force_login(UserFactory(username="sam", is_staff=True, is_superuser=True))
    assert staff.post(f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"}).status_code == 302


def by_connecting_an_identity(user) -> None:
    other = Client()
    with OIDCStandIn() as provider, override_settings(OIDC=provider.client()):
        other.force_login(user)
        confirm = other.get("/accounts/identities/connect/")["Location"]
        assert other.post(confirm, {"password": OLD})["Location"] == "/accounts/identities/connect/"
        assert go(other, provider)["Location"] == "/accounts/identities/"
    assert other.get("/accounts/").status_code == 200


def by_disconnecting_an_identity(user) -> None:
    identity = SocialAccount.objects.create(user=user, provider="https://id.example.org", uid="1")
    other = Client()
    other.force_login(user)
    confirm = other.get(f"/accounts/identities/{identity.pk}/disconnect/")["Location"]
    disconnect = other.post(confirm, {"password": OLD})["Location"]
    assert other.post(disconnect)["Location"] == "/accounts/identities/"
    assert not SocialAccount.objects.exists()
    assert other.get("/accounts/").status_code == 200


def by_staff_who_disconnect_an_identity(user) -> None:
    identity = SocialAccount.objects.create(user=user, provider="https://id.example.org", uid="1")
    staff = Client()
    staff.force_login(UserFactory(username="sam", is_staff=True, is_superuser=True))
    assert staff.post(f"/admin/socialaccount/socialaccount/{identity.pk}/delete/", {"post": "yes"}).status_code == 302


def by_a_program(user) -> None:
    user.set_password(NEW)
    user.save(update_fields=["password"])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(partial(by_staff, usable=True), id="by staff"),
        pytest.param(partial(by_staff, usable=False), id="by staff, to none"),
        by_the_user,
        by_a_program,
        by_a_mail,
        by_a_link,
        by_taking_the_app_off,
        by_staff_who_take_the_app_off,
        by_connecting_an_identity,
        by_disconnecting_an_identity,
        by_staff_who_disconnect_an_identity,
    ],
)
def test_a_new_password_ends_sessions_and_keys(client, api, nora, change):
    assert client.post("/accounts/sign-in/", {"username": "nora", "password": OLD}).status_code == 302
    key = create_key(user=nora, name="mine", scopes=["read"]).key
    api.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    assert client.get("/accounts/").status_code == api.get("/api/v1/ratings/").status_code == 200

    change(nora)

    assert client.get("/accounts/").status_code == 302
    assert api.get("/api/v1/ratings/").status_code == 401


def test_other_changes_keep_the_key(client, nora, settings):
    key = create_sign_in_key(user=nora).row
    nora.email = "new@example.org"
    nora.save()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher", *settings.PASSWORD_HASHERS]
    assert authenticate(username="nora", password=OLD)

    nora.refresh_from_db()
    assert nora.password.startswith("scrypt")  # hashed anew, but the same password
    assert list(nora.api_keys.all()) == [key]


def test_a_request_with_the_old_password_gets_no_key(nora):
    signed_in = authenticate(username="nora", password=OLD)
    by_a_program(nora)

    for create in (create_sign_in_key, partial(create_key, name="mine", scopes=["read"])):
        with pytest.raises(InvalidCredentials):
            create(user=signed_in)
    assert not APIKey.objects.exists()
