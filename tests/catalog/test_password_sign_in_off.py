"""A site without passwords. People sign in with the identity provider, a passkey or a link from the operator."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from catalog.invitations import invite
from catalog.keys import create_key
from catalog.models import User
from catalog.models.source import Source
from catalog.sign_in.settings import IdentityProvider
from tests.catalog.account_mail import only_our_templates
from tests.factories import UserFactory

__all__ = ["only_our_templates"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_our_templates")]

PASSWORD, NEW = "correct horse battery", "another long one"
ADA = {"username": "ada", "email": "", "password": PASSWORD, "password_again": PASSWORD}
PROVIDER = IdentityProvider("https://id.example.org", "movierec", "a secret", "Club ID")


@pytest.fixture(autouse=True)
def no_passwords(settings):
    settings.OIDC, settings.PASSWORD_SIGN_IN = PROVIDER, False


def reset_address(user: User) -> str:
    return f"/accounts/password/reset/{user.pk}-{default_token_generator.make_token(user)}/"


def test_pages_offer_and_take_no_password(client, nora):
    forms = {
        "/accounts/sign-in/": {"username": "nora", "password": PASSWORD},
        "/accounts/sign-up/": ADA,
        "/accounts/password/reset/": {"email": nora.email},
        reset_address(nora): {"password1": NEW, "password2": NEW},
    }
    for address, form in forms.items():
        assert b'type="password"' not in client.get(address).content
        assert client.post(address, form).status_code == 403, address
    assert "_auth_user_id" not in client.session and mail.outbox == []

    client.force_login(nora)
    for address in ("/accounts/password/", "/accounts/confirm/"):
        assert client.get(address).status_code == client.post(address, {"password": PASSWORD}).status_code == 403
    assert b"/accounts/password/" not in client.get("/accounts/").content
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD) and User.objects.get() == nora


def test_an_invitation_goes_along_to_the_provider(client, sam, change_policy):
    change_policy("accounts", sign_up="invitation")
    code = invite(by=sam)[1]
    page = client.get(f"/accounts/sign-up/?invitation={code}").content.decode()

    assert f'name="invitation" value="{code}"' in page and 'action="/accounts/identities/start/"' in page


def test_the_api_takes_keys_alone(api, nora):
    key = create_key(user=nora, name="mine", scopes=["read"]).key
    for address, form in (("token", {"username": "nora", "password": PASSWORD}), ("accounts", ADA)):
        form = {name: form[name] for name in form if name != "password_again"}
        answer = api.post(f"/api/v1/{address}/", form, format="json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "password_sign_in_off")
    assert User.objects.get() == nora

    assert api.get("/api/v1/ratings/", HTTP_AUTHORIZATION=f"Token {key}").status_code == 200


def test_the_admin_has_the_same_door(client, sam):
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain[-1][0].startswith("/accounts/sign-in/")
    assert b'type="password"' not in page.content
    client.post("/admin/login/", {"username": "sam", "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_staff_make_a_link_that_signs_in(client, sam, nora):
    client.force_login(sam)
    page = client.post("/admin/catalog/user/", {"action": "make_password_link", "_selected_action": nora.pk})
    address = page.context["link"].removeprefix("http://testserver")
    other = Client()

    assert other.post(address)["Location"] == "/accounts/"
    assert other.session["_auth_user_id"] == str(nora.pk)


def test_the_last_way_in_stays(client, nora):
    first, second = (SocialAccount.objects.create(user=nora, provider=PROVIDER.issuer, uid=uid) for uid in "12")
    SocialAccount.objects.create(user=nora, provider="https://former.example.org", uid="1")
    by_link(client, nora)

    client.post(f"/accounts/identities/{first.pk}/disconnect/")
    client.post(f"/accounts/identities/{second.pk}/disconnect/")
    assert SocialAccount.objects.filter(provider=PROVIDER.issuer).get() == second
    passkey = Authenticator.objects.create(user=nora, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone"})
    client.post(f"/accounts/identities/{second.pk}/disconnect/")
    assert not SocialAccount.objects.filter(provider=PROVIDER.issuer).exists()
    client.post(f"/accounts/passkeys/{passkey.pk}/remove/")
    assert Authenticator.objects.get() == passkey


def test_identities_of_others_are_not_there(client, nora):
    identity = SocialAccount.objects.create(user=UserFactory(), provider=PROVIDER.issuer, uid="1")
    by_link(client, nora)

    assert client.post(f"/accounts/identities/{identity.pk}/disconnect/").status_code == 404
    assert SocialAccount.objects.exists()


def link_for(user: User) -> str:
    out = StringIO()
    call_command("sign_in_link", "--user", user.username, "--base", "https://movies.example.org", stdout=out)
    return out.getvalue().strip().removeprefix("https://movies.example.org")


def by_link(client, user: User) -> str:
    address = link_for(user)
    assert client.get(address).status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.post(address)["Location"] == "/accounts/"
    assert client.session["_auth_user_id"] == str(user.pk)
    return address


def test_a_link_of_the_operator_signs_in_once(client, sam):
    address = by_link(client, sam)
    assert client.get("/accounts/passkeys/add/").status_code == 200  # without being asked again
    assert client.get("/accounts/identities/connect/").status_code == 200

    for again in (client, Client()):
        assert again.get(address).status_code == again.post(address).status_code == 404


def test_a_link_ends_with_the_access_of_the_account(client, nora):
    address = link_for(nora)
    nora.end_access()

    assert client.post(address).status_code == 404
    assert client.post(address[:-5] + "/").status_code == client.post("/accounts/sign-in/zz/x/").status_code == 404


@pytest.mark.parametrize("changes", [{"is_active": False}, {"source": Source.MOVIELENS}])
def test_there_is_no_link_for_who_cannot_sign_in(client, nora, changes):
    address = link_for(nora)
    User.objects.filter(pk=nora.pk).update(**changes)

    assert client.post(address).status_code == 404
    for name in ("nora", "nobody"):
        with pytest.raises(CommandError):
            call_command("sign_in_link", "--user", name)


def test_an_account_is_deleted_after_a_confirmation(client, nora):
    client.force_login(nora)
    assert client.post("/accounts/delete/").status_code == 403  # nora has no way to confirm who it is
    client.post("/accounts/sign-out/")
    by_link(client, nora)

    assert client.post("/accounts/delete/")["Location"] == "/"
    assert not User.objects.exists()
