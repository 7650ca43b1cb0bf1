"""A second factor: required everywhere, limited in guesses, single-use, and removed only with the password."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.test import override_settings

from catalog.throttling import AddressThrottle
from tests.catalog.account_mail import only_our_templates
from tests.totp import code_of

__all__ = ["only_our_templates"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_our_templates")]

PASSWORD = "correct horse battery"
CODE = "/accounts/second-factor/code/"
NORA = {"username": "nora", "password": PASSWORD}


@pytest.fixture
def secret(nora) -> str:
    """Of nora's app."""
    secret = generate_totp_secret()
    TOTP.activate(nora, secret)
    return secret


def confirmed(client, address: str, **form: str):
    """The page, after the password that is asked for before it."""
    asked = client.get(address)
    return client.post(asked["Location"], {"password": PASSWORD}, follow=True)


@pytest.mark.wording
def test_an_app_is_set_up_and_asked_for(client, nora):
    client.force_login(nora)
    page = confirmed(client, "/accounts/second-factor/app/")
    secret = page.context["form"].secret
    assert secret in page.content.decode() and "no-store" in page["Cache-Control"]
    wrong = client.post("/accounts/second-factor/app/", {"code": "000000"})
    assert "Incorrect code." in wrong.content.decode()
    done = client.post("/accounts/second-factor/app/", {"code": code_of(secret)}, follow=True)
    assert done.redirect_chain == [("/accounts/second-factor/codes/", 302)]
    codes = done.context["unused_codes"]
    assert len(codes) == 10 and secret not in str(Authenticator.objects.values_list("data"))

    client.logout()
    cache.clear()
    assert client.post("/accounts/sign-in/", NORA)["Location"] == CODE
    assert "_auth_user_id" not in client.session
    assert "Incorrect code." in client.post(CODE, {"code": "000000"}).content.decode()
    assert client.post(CODE, {"code": codes[0]})["Location"] == "/"
    assert client.session["_auth_user_id"] == str(nora.pk)


def test_a_password_alone_gets_no_token(api, secret):
    answer = api.post("/api/v1/token/", NORA, format="json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "second_factor_needed")
    assert api.post("/api/v1/token/", NORA | {"password": "wrong"}, format="json").status_code == 401


def test_the_admin_asks_for_it_too(client, sam):
    TOTP.activate(sam, generate_totp_secret())
    client.post("/accounts/sign-in/?next=/admin/", {"username": "sam", "password": PASSWORD})

    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("again", ["{}", "{:.3} {:.3}", "-{}."])
def test_a_code_counts_once_in_all_processes(client, nora, secret, again):
    code = code_of(secret)  # of the app, where the next one may begin meanwhile
    second = {"{}": code, "{:.3} {:.3}": f"{code[:3]} {code[3:]}", "-{}.": f"-{code}."}[again]
    for given, expected in ((code, "/"), (second, None)):
        client.logout()
        cache.clear()  # another process has one of its own
        client.post("/accounts/sign-in/", NORA)
        assert client.post(CODE, {"code": given}).get("Location") == expected


@pytest.mark.wording
def test_codes_are_guessed_seldom(client, nora, secret, monkeypatch):
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", {"token": "99/min", "second_factor": "2/min"})
    client.post("/accounts/sign-in/", NORA)
    for _ in range(2):
        client.post(CODE, {"code": "000000"})

    assert "Too many attempts." in client.post(CODE, {"code": code_of(secret)}).content.decode()
    assert "_auth_user_id" not in client.session


def test_a_stolen_session_takes_nothing_off(client, nora, secret):
    client.force_login(nora)
    for address in ("app/off/", "codes/", "codes/new/", "codes/file/"):
        RecoveryCodes.activate(nora)
        assert client.post(f"/accounts/second-factor/{address}").status_code in (302, 405)
    assert client.post("/accounts/passkeys/add/")["Location"].startswith("/accounts/confirm/")

    assert Authenticator.objects.filter(type="totp").exists()


@pytest.mark.wording
def test_codes_can_be_kept_and_renewed(client, nora, secret):
    RecoveryCodes.activate(nora)
    client.force_login(nora)
    old = confirmed(client, "/accounts/second-factor/codes/").context["unused_codes"]
    file = client.get("/accounts/second-factor/codes/file/")
    assert file.content.decode().split() == old
    page = client.post("/accounts/second-factor/codes/new/", follow=True)

    assert set(page.context["unused_codes"]).isdisjoint(old)
    assert client.get("/accounts/").status_code == 200
    assert "Turn off" in client.get("/accounts/second-factor/").content.decode()


def test_keys_of_others_are_not_found(client, nora, bob):
    key = Authenticator.objects.create(user=bob, type=Authenticator.Type.WEBAUTHN, data={"name": "key"})
    client.force_login(nora)

    assert confirmed(client, f"/accounts/passkeys/{key.pk}/remove/").status_code == 404
    assert Authenticator.objects.exists()


@pytest.mark.parametrize("credential", ["", "{}", "null", "[1]", "{", '{"id": "x", "response": 7}'])
def test_an_odd_passkey_is_refused(client, nora, credential):
    assert client.get("/accounts/passkeys/sign-in/").json()["request_options"]["publicKey"]["challenge"]
    assert client.post("/accounts/passkeys/sign-in/", {"credential": credential}).status_code == 302
    assert "_auth_user_id" not in client.session
    client.force_login(nora)
    assert confirmed(client, "/accounts/passkeys/add/").status_code == 200
    refused = client.post("/accounts/passkeys/add/", {"credential": credential, "passwordless": "True"})
    assert refused.status_code == 200
    assert not Authenticator.objects.exists()


def test_secrets_outlive_a_new_key_of_the_site(nora, secret, settings):
    earlier = settings.SECRET_KEY
    with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=[earlier]):
        assert TOTP(Authenticator.objects.get()).validate_code(code_of(secret))


def test_secrets_of_a_lost_key_are_taken_off(client, nora, secret):
    RecoveryCodes.activate(nora)
    [code, *_more] = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    with override_settings(SECRET_KEY="a new one"):
        client.post("/accounts/sign-in/", NORA)
        for given in (code_of(secret), code):
            assert client.post(CODE, {"code": given}).context["form"].errors.keys() == {"code"}
        assert "_auth_user_id" not in client.session
        client.force_login(nora)
        assert confirmed(client, "/accounts/second-factor/codes/").redirect_chain[-1] == (
            "/accounts/second-factor/",
            302,
        )
        for page in ("codes/new/", "codes/file/"):
            assert client.get(f"/accounts/second-factor/{page}")["Location"] == "/accounts/second-factor/"
        client.post("/accounts/second-factor/app/off/")

    assert not Authenticator.objects.exists()
