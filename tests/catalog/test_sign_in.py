"""Sign-in by name or address, for pages, admin and API. It never reveals whether an account exists."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail

from catalog.models import User
from catalog.throttling import AddressThrottle
from tests.catalog.account_mail import only_our_templates
from tests.factories import UserFactory

__all__ = ["only_our_templates"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_our_templates")]

PASSWORD = "correct horse battery"
ADA = {"username": "ada", "email": "nora@example.org", "password": PASSWORD, "password_again": PASSWORD}


def sign_in(client, username: str, password: str = PASSWORD, **more: str):
    return client.post("/accounts/sign-in/", {"username": username, "password": password, **more})


@pytest.mark.parametrize("given", ["nora", " nora ", "nora@example.org", "Nora@Example.org"])
def test_the_name_or_the_address_signs_in(client, api, nora, given):
    assert sign_in(client, given)["Location"] == "/"
    assert client.session["_auth_user_id"] == str(nora.pk)
    token = api.post("/api/v1/token/", {"username": given, "password": PASSWORD}, format="json")
    assert token.status_code == 200


def test_a_session_of_before_goes_on(client, nora):
    client.force_login(nora, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/accounts/").status_code == 200


def test_an_address_leads_to_who_confirmed_it(client, nora):
    other = UserFactory(username="other", email=nora.email, password="another long one")
    assert sign_in(client, nora.email, "another long one").status_code == 200
    EmailAddress.objects.create(user=other, email=nora.email, verified=True, primary=True)

    assert sign_in(client, nora.email, "another long one").status_code == 302
    assert client.session["_auth_user_id"] == str(other.pk)


@pytest.mark.parametrize("given", ["nora", "nobody", "gone", "nora@example.org", "nobody@example.org", "gone@x.org"])
@pytest.mark.parametrize("place", ["/accounts/sign-in/", "/api/v1/token/"])
def test_each_attempt_checks_one_password(client, nora, monkeypatch, given, place):
    UserFactory(username="gone", email="gone@x.org", is_active=False)
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: (hashed.append(args), encode(*args))[1])
    form = {"username": given, "password": "wrong"}
    client.post(place, form, "application/json") if "api" in place else client.post(place, form)

    assert len(hashed) == 1


@pytest.mark.wording
def test_a_right_password_of_a_closed_account_says_nothing(client):
    UserFactory(username="gone", email="gone@x.org", is_active=False)
    for given in ("gone", "gone@x.org"):
        assert "Incorrect username or password." in sign_in(client, given).content.decode()


def test_a_limit_tells_not_whose_address_it_is(client, nora, monkeypatch):
    """In whatever case it is written, an address is one; but it is not counted with its account's name."""
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", {"token": "2/min"})
    given = ("NORA@example.org", "nora@example.org", "Nora@Example.org", "nora", "NORA", "nora")
    answers = []
    for number, name in enumerate(given):
        client.defaults["REMOTE_ADDR"] = f"203.0.113.{number}"
        answers.append(sign_in(client, name, "wrong").status_code)

    assert answers == [200, 200, 429, 200, 200, 429]


def test_the_admin_is_entered_by_the_same_door(client, sam, nora):
    asked = client.get("/admin/", follow=True)
    assert asked.redirect_chain[-1][0] == "/accounts/sign-in/?next=%2Fadmin%2F"
    client.post("/admin/login/", {"username": "sam", "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    assert sign_in(client, "sam", next="/admin/")["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/password_change/")["Location"] == "/accounts/password/"

    client.force_login(nora)
    assert client.get("/admin/login/").status_code == 403


@pytest.mark.wording
def test_all_errors_of_a_sign_up_are_shown_at_once(client, nora):
    form = {"username": "NORA", "email": "nowhere", "password": "12345", "password_again": "54321"}
    page = client.post("/accounts/sign-up/", form).content.decode()

    for told in ("already taken", "valid email address", "too short", "The two passwords do not match."):
        assert told in page


@pytest.mark.wording
def test_an_address_is_not_a_name(client, api):
    page = client.post("/accounts/sign-up/", ADA | {"username": "nora@example.org"}).content.decode()
    answer = api.post("/api/v1/accounts/", {"username": "nora@example.org", "password": PASSWORD}, format="json")

    assert "The username cannot be an email address." in page
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (409, ["username"])
    assert not User.objects.exists()


def test_a_taken_address_gets_the_answer_of_a_free_one(client, nora):
    EmailAddress.objects.create(user=nora, email=nora.email, verified=True, primary=True)
    answers = []
    for name, email in (("ada", nora.email), ("bea", "bea@example.org")):
        answer = client.post("/accounts/sign-up/", ADA | {"username": name, "email": email}, follow=True)
        answers.append((answer.redirect_chain, answer.content.decode().count(email)))
        client.logout()

    assert answers[0] == answers[1]
    assert [sent.to for sent in mail.outbox] == [[nora.email], ["bea@example.org"]]
    assert "account of" not in mail.outbox[0].body and "/accounts/password/reset/" in mail.outbox[0].body
    assert "/accounts/email/confirm/" in mail.outbox[1].body


def test_the_api_sends_the_same_mail(api):
    api.post("/api/v1/accounts/", {key: ADA[key] for key in ("username", "email", "password")}, format="json")

    assert "/accounts/email/confirm/" in mail.outbox[0].body


def test_a_site_without_mail_writes_none(client, settings, capsys):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    assert client.post("/accounts/sign-up/", ADA)["Location"] == "/welcome/"
    assert "confirm" not in capsys.readouterr().out
