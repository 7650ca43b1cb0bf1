"""Sign-in with OpenID Connect requires a valid ID token of the connected identity."""

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.sessions.models import Session
from django.test import Client

from catalog.models import User
from tests.catalog.account_mail import only_our_templates
from tests.oidc_stand_in import CALLBACK, SIGN_UP, START, OIDCStandIn, go, leave, provider

__all__ = ["only_our_templates", "provider"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_our_templates")]

PASSWORD = "correct horse battery"


@pytest.fixture
def linked(nora, provider) -> User:
    SocialAccount.objects.create(user=nora, provider=provider.issuer, uid="sub-1")
    return nora


def is_in(client) -> str | None:
    return client.session.get("_auth_user_id")


def test_an_identity_signs_in_to_its_account(client, provider, linked):
    answer = go(client, provider, next="/ratings/")

    assert (answer.status_code, answer["Location"]) == (302, "/ratings/")
    assert is_in(client) == str(linked.pk)
    assert provider.asked["scope"].split() and set(provider.asked["scope"].split()) == {"openid", "profile", "email"}
    assert provider.asked["code_challenge_method"] == "S256"


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    "lies",
    [
        pytest.param({"iss": "https://other.example.org"}, id="issuer"),
        pytest.param({"aud": "another client"}, id="audience"),
        pytest.param({"aud": ["movierec", "another client"]}, id="several audiences"),
        pytest.param({"azp": "another client"}, id="authorized party"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"iat": 33333333333}, id="of the future"),
        pytest.param({"nonce": "of another sign-in"}, id="nonce"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"nonce": ["x"]}, id="odd nonce"),
        pytest.param({"sub": None}, id="no sub"),
        pytest.param({"sub": ""}, id="empty sub"),
        pytest.param({"sub": "s" * 192}, id="long sub"),
        pytest.param({"sub": 1}, id="number as sub"),
        pytest.param({"sub": "a\x00b"}, id="NUL in sub"),
        pytest.param({"sub": "\ud800"}, id="half a character as sub"),
    ],
)
def test_a_wrong_id_token_is_refused(client, provider, linked, lies, caplog):
    provider.lies = lies
    answer = go(client, provider)

    assert answer.status_code == 502
    assert is_in(client) is None
    assert "Single sign-on failed: the ID token" in caplog.text
    assert not {"the-code", "an-access-token", "stand-in-secret", provider.asked["nonce"]} & set(caplog.text.split())


@pytest.mark.parametrize(
    ("what", "value"),
    [("key", OTHER_KEY), ("kid", "second"), ("algorithm", "HS256"), ("algorithm", "none")],
)
def test_a_forged_signature_is_refused(client, provider, linked, what, value, monkeypatch):
    published = provider.public_key()
    monkeypatch.setattr(provider, "public_key", lambda: published)
    setattr(provider, what, value)
    if value == "none":
        provider.key = None

    assert go(client, provider).status_code == 502
    assert is_in(client) is None


def test_a_key_without_id_will_do(client, provider, linked):
    provider.kid = ""

    assert go(client, provider).status_code == 302


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("token", (400, {"error": "invalid_client"})),
        ("token", (200, {"access_token": "an-access-token"})),
        ("token", (200, {"access_token": "an-access-token", "id_token": None})),
        ("token", (200, ["access_token"])),
        ("token", (200, b"<html>")),
        ("jwks", (200, {"keys": []})),
        ("jwks", (200, {})),
        ("jwks", (500, b"")),
        ("userinfo", (200, {"sub": "of somebody else"})),
        ("userinfo", (200, [])),
        ("userinfo", (403, {})),
    ],
)
def test_odd_answers_lead_to_a_page(client, provider, linked, name, answer, caplog):
    provider.answers = {name: answer}

    assert go(client, provider).status_code == 502
    assert is_in(client) is None
    assert "Single sign-on failed: " in caplog.text and "an-access-token" not in caplog.text


@pytest.mark.parametrize(
    "answer",
    [(500, b""), (200, b"<html>"), (200, []), (200, {"issuer": "https://other.example.org"})],
)
def test_a_provider_in_trouble_leads_to_a_page(client, provider, linked, answer, caplog):
    back = leave(client, provider)
    provider.answers = {"openid-configuration": answer}

    assert client.post(START).status_code == 502
    assert client.get(back).status_code == 502
    assert "Single sign-on failed: the provider's configuration" in caplog.text


def test_a_provider_that_is_down_leads_to_a_page(client, provider, linked, settings):
    settings.OIDC = provider.client(issuer="http://127.0.0.1:9")

    assert client.post(START).status_code == 502


def test_endpoints_are_https(client, provider, settings):
    config = provider.answer("/openid-configuration", {})[1]
    provider.answers = {"openid-configuration": (200, config | {"token_endpoint": "http://id.example.org/token"})}

    assert client.post(START).status_code == 502


def test_an_answer_counts_once_and_in_its_browser(client, provider, linked):
    back = leave(client, provider)
    assert Client().get(back).status_code == 400
    assert client.get(back).status_code == 302
    client.post("/accounts/sign-out/")

    assert client.get(back).status_code == 400
    for query in ("code=the-code", "error=access_denied", "error=server_error", "state=unknown&error=server_error"):
        assert client.get(f"{CALLBACK}?{query}").status_code == 400
    assert is_in(client) is None


@pytest.mark.parametrize(("error", "status"), [("access_denied", 403), ("server_error", 502), ("<script>", 502)])
def test_what_the_provider_refuses_is_said(client, provider, error, status, caplog):
    back = leave(client, provider)
    answer = client.get(CALLBACK, {"state": back.rpartition("=")[2], "error": error})

    assert answer.status_code == status
    assert "<script>" not in caplog.text


def test_attempts_are_limited(client, provider, settings):
    answers = {client.post(START).status_code for _ in range(30)}

    assert answers == {200, 429}


def test_a_closed_account_stays_closed(client, provider, linked):
    User.objects.filter(pk=linked.pk).update(is_active=False)

    assert go(client, provider)["Location"] == "/accounts/sign-in/"
    assert is_in(client) is None


@pytest.mark.parametrize("verified", [True, False])
def test_an_address_alone_links_nothing(client, provider, nora, verified):
    EmailAddress.objects.create(user=nora, email=nora.email, verified=True, primary=True)
    provider.claims |= {"email": nora.email, "email_verified": verified, "preferred_username": "nora"}
    asked = go(client, provider)

    assert (asked["Location"], is_in(client)) == (SIGN_UP, None)
    page = client.get(SIGN_UP)
    assert page.context["is_known"] is verified  # nobody else learns who has an account
    taken = client.post(SIGN_UP, {"username": "nora"})
    assert list(taken.context["form"].errors) == ["username"]
    client.post(SIGN_UP, {"username": "nora2"})
    made = User.objects.get(username="nora2")
    assert (is_in(client), made.email) == (str(made.pk), "")
    assert not SocialAccount.objects.filter(user=nora).exists()


def test_another_issuer_is_another_person(client, provider, linked, settings):
    with OIDCStandIn() as other:
        settings.OIDC = other.client()

        assert go(client, other)["Location"] == SIGN_UP
        assert is_in(client) is None


def test_a_sign_up_takes_what_is_verified(client, provider, settings):
    provider.at_userinfo = {"preferred_username": "ada", "email": "ada@Example.org", "email_verified": True}
    go(client, provider)
    assert 'value="ada"' in client.get(SIGN_UP).content.decode()
    assert client.post(SIGN_UP, {"username": "ada", "email": "other@example.org"})["Location"] == "/welcome/"

    ada = User.objects.get()
    assert (ada.username, ada.email, ada.has_usable_password()) == ("ada", "ada@example.org", False)
    assert EmailAddress.objects.get().verified
    identity = SocialAccount.objects.get()
    assert (identity.provider, identity.uid) == (provider.issuer, "sub-1")
    assert identity.extra_data == {"preferred_username": "ada"}
    again = Client()
    assert go(again, provider)["Location"] == "/"
    assert is_in(again) == str(ada.pk)


def test_an_unverified_address_is_not_taken(client, provider):
    provider.claims |= {"preferred_username": "ada", "email": "ada@example.org", "email_verified": "false"}
    go(client, provider)
    client.post(SIGN_UP, {"username": "ada", "email": ""})

    assert User.objects.get().email == ""


@pytest.mark.parametrize("name", ["no spaces", "movielens-1", "a@example.org", "NORA", "n\u043era", "", ["list"], None])
def test_an_unfit_name_is_asked_for(client, provider, nora, name):
    provider.claims |= {"preferred_username": name, "email": ""}
    go(client, provider)
    suggested = client.get(SIGN_UP).context["form"].initial["username"]

    assert client.post(SIGN_UP, {"username": suggested}).context["form"].errors.keys() == {"username"}
    assert User.objects.get() == nora


@pytest.mark.parametrize("name", ["ada\x00", "\ud800ada", "\u202eada"])
def test_a_name_that_no_database_takes_is_cleaned(client, provider, name):
    provider.claims |= {"preferred_username": name}
    go(client, provider)
    suggested = client.get(SIGN_UP).context["form"].initial["username"]
    client.post(SIGN_UP, {"username": suggested})

    assert SocialAccount.objects.get(user__username="ada").extra_data == {"preferred_username": "ada"}
    client.logout()
    assert go(client, provider).status_code == 302


def test_no_token_is_kept(client, provider):
    go(client, provider)
    client.get(SIGN_UP)
    kept = "".join(str(row.get_decoded()) for row in Session.objects.all())

    assert "sub-1" in kept and "an-access-token" not in kept
    assert not SocialToken.objects.exists()


def test_a_page_without_provider_is_not_there(client, nora, settings):
    settings.OIDC = None
    assert client.post(START).status_code == client.get(CALLBACK).status_code == 404
    client.force_login(nora)

    assert client.get("/accounts/identities/").status_code == 404
