"""If addresses must be confirmed, only the link in a mail creates the account."""

import smtplib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from catalog.errors import InvalidSignUp, SignUpNotFound
from catalog.invitations import invite
from catalog.models import Invitation, PendingSignUp, User
from catalog.pending_sign_ups import confirm
from catalog.tasks import remove_old_imports
from catalog.throttling import AddressThrottle
from tests.catalog.account_mail import link, only_our_templates
from tests.factories import UserFactory

__all__ = ["only_our_templates"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_our_templates", "mandatory")]

PAGE, API = "/accounts/sign-up/", "/api/v1/accounts/"
PASSWORD = "correct horse battery"
ADA = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}


def sign_up(client, **changes: str):
    form = ADA | changes
    return client.post(PAGE, form | {"password_again": form["password"]})


def key() -> str:
    return link().rstrip("/").rpartition("/")[2]


def form_errors(answer) -> list[str]:
    return list(answer.context["form"].errors)


@pytest.mark.parametrize("place", ["page", "api"])
def test_the_link_makes_the_account_on_any_device(client, api, place):
    asked = sign_up(client) if place == "page" else api.post(API, ADA, format="json")
    if place == "page":
        assert asked["Location"] == "/accounts/sign-up/sent/"
        assert client.get(asked["Location"]).status_code == 200
    else:
        assert (asked.status_code, asked.json()) == (201, {"id": None, "username": "ada", "email": "ada@example.org"})
    assert not User.objects.exists()

    other = Client()
    assert other.get(link()).status_code == 200
    assert not User.objects.exists()
    assert other.post(link())["Location"] == "/accounts/sign-in/"
    user = User.objects.get()
    assert (user.username, user.check_password(PASSWORD)) == ("ada", True)
    assert EmailAddress.objects.get(user=user, email="ada@example.org").verified
    assert not PendingSignUp.objects.exists()
    assert other.post("/accounts/sign-in/", ADA)["Location"] == "/"
    assert api.post("/api/v1/token/", {"username": "ada", "password": PASSWORD}, format="json").status_code == 200


def test_a_link_works_once_and_for_three_days(client):
    sign_up(client)
    client.post(link())
    assert [client.get(link()).status_code, client.post(link()).status_code] == [404, 404]
    with pytest.raises(SignUpNotFound):
        confirm(key=key(), username="other")

    sign_up(client, username="bea", email="bea@example.org")
    PendingSignUp.objects.update(expires_at=timezone.now())
    assert [client.get(link()).status_code, client.post(link()).status_code] == [404, 404]
    assert User.objects.count() == 1


@pytest.mark.wording
def test_the_mail_and_the_pages_say_what_happens(client):
    sent = client.get(sign_up(client)["Location"]).content.decode()
    assert "Open it within 3 days to create your account." in sent
    assert "To create your account ada on Movierec, open this link" in mail.outbox[0].body
    assert "can be used once and expires in 3 days" in mail.outbox[0].body

    refused = client.post("/accounts/sign-in/", ADA).content.decode()
    assert "Incorrect username or password." in refused
    assert "Did you just sign up?" in refused
    assert "Did you just sign up?" not in client.get("/accounts/sign-in/").content.decode()
    assert "Confirm ada@example.org as the address of ada?" in client.get(link()).content.decode()
    assert "Sign in as ada." in client.post(link(), follow=True).content.decode()


@pytest.mark.parametrize("taken", ["ada", "ADA", "\u0430da"])
def test_a_taken_name_asks_for_another_one(client, taken):
    UserFactory(username=taken, email="first@example.org")
    sign_up(client)

    for answer in (client.get(link()), client.post(link()), client.post(link(), {"username": taken})):
        assert form_errors(answer) == ["username"]
    for bad in ("", "a b", "movielens-7", "ada@example.org", "x" * 151):
        assert form_errors(client.post(link(), {"username": bad})) == ["username"]
    assert User.objects.count() == 1
    assert client.post(link(), {"username": "lovelace"}).status_code == 302
    user = User.objects.get(username="lovelace")
    assert (user.email, user.check_password(PASSWORD)) == ("ada@example.org", True)


def test_of_two_sign_ups_for_one_name_the_first_wins(client):
    sign_up(client, email="first@example.org")
    sign_up(client, email="second@example.org")
    second, first = link(), link(0)

    client.post(second)
    assert form_errors(client.get(first)) == ["username"]
    assert User.objects.get().email == "second@example.org"


def test_each_link_makes_the_account_of_its_own_sign_up(client):
    """A stranger who signs up with the same address changes nothing of a sign-up that waits."""
    sign_up(client)
    sign_up(Client(), username="ada2", password="the stranger's own")
    stranger, own = link(), link(0)

    client.post(own)
    user = User.objects.get()
    assert (user.username, user.check_password(PASSWORD)) == ("ada", True)
    assert client.get(stranger).status_code == 404
    assert User.objects.count() == 1


@pytest.mark.wording
def test_an_address_with_an_account_gets_no_second_one(client, nora):
    sign_up(client, email="nora@example.org")
    EmailAddress.objects.create(user=nora, email=nora.email, verified=True, primary=True)
    for answer in (client.get(link()), client.post(link())):
        assert "An account with this email address already exists." in answer.content.decode()
    with pytest.raises(InvalidSignUp):
        confirm(key=key(), username="ada")

    sign_up(client, email="Nora@Example.org")
    assert "/accounts/password/reset/" in mail.outbox[1].body
    assert "/accounts/sign-up/" not in mail.outbox[1].body
    assert User.objects.count() == 1


def test_all_that_depends_on_no_account_is_refused_at_once(client, api):
    page = client.post(PAGE, {"username": "a b", "email": "", "password": "12345", "password_again": "x"})
    assert set(form_errors(page)) == {"username", "email", "password", "password_again"}
    for change, field in [
        ({"username": "movielens-7"}, "username"),
        ({"username": "x@example.org"}, "username"),
        ({"email": ""}, "email"),
        ({"password": "ada-ada-ada"}, "password"),
    ]:
        answer = api.post(API, ADA | {"username": "ada-ada"} | change, format="json")
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (409, [field])
    assert (mail.outbox, PendingSignUp.objects.count()) == ([], 0)


def test_a_sign_up_whose_mail_is_not_sent_is_forgotten(client, api, monkeypatch):
    def refuse(message: object) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
    answers = [sign_up(client), api.post(API, ADA, format="json")]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[1].json()["error"]["code"] == "mail_not_sent"
    assert not PendingSignUp.objects.exists()


def test_an_invitation_is_used_by_who_confirms_first(client, change_policy):
    change_policy("accounts", sign_up="invitation")
    code = invite(by=UserFactory(is_staff=True))[1]
    assert client.post(PAGE, ADA).status_code == 403
    for name in ("ada", "bea"):
        form = ADA | {"username": name, "email": f"{name}@example.org", "password_again": PASSWORD}
        assert client.post(f"{PAGE}?invitation={code}", form).status_code == 302
    assert Invitation.objects.get().used_at is None

    Invitation.objects.update(expires_at=timezone.now())  # it was valid when they signed up
    client.post(link(1))
    assert Invitation.objects.get().used_by.username == "bea"
    assert form_errors(client.post(link(0))) == ["__all__"]
    assert not User.objects.filter(username="ada").exists()


@pytest.mark.parametrize("change", ["closed", "invitation"])
def test_sign_up_that_is_closed_meanwhile_stays_closed(client, change_policy, change):
    sign_up(client)
    change_policy("accounts", sign_up=change)

    assert form_errors(client.post(link())) == ["__all__"]
    assert not User.objects.exists()


def test_links_work_where_passwords_do_alone(client, settings):
    sign_up(client)
    settings.PASSWORD_SIGN_IN = False

    assert client.post(link()).status_code == 403
    assert not User.objects.exists()


def test_tries_of_names_behind_a_link_are_limited(client, monkeypatch):
    UserFactory(username="ada")
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", {"sign_up": "3/min", "mail": "3/min"})
    sign_up(client)

    assert [client.post(link()).status_code for _ in range(3)] == [200, 200, 429]


def test_sign_ups_that_nobody_confirmed_are_deleted(client):
    for name in ("ada", "bea"):
        sign_up(client, username=name, email=f"{name}@example.org")
    PendingSignUp.objects.filter(username="ada").update(expires_at=timezone.now() - timedelta(seconds=1))

    assert remove_old_imports() == {"removed": 0, "sign_ups": 1}
    assert PendingSignUp.objects.get().username == "bea"


def test_neither_password_nor_key_is_kept_as_it_is(client):
    sign_up(client)
    [row] = PendingSignUp.objects.values()

    assert row["password"].startswith("md5$")
    assert not {PASSWORD, key()} & {str(value) for value in row.values()}


def test_a_failure_in_between_leaves_nothing(client, monkeypatch):
    sign_up(client)

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as killed, pytest.raises(RuntimeError):
        killed.setattr(EmailAddress, "save", fail)  # the last step
        client.post(link())
    assert (User.objects.count(), PendingSignUp.objects.count()) == (0, 1)
    assert client.post(link()).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("names", "addresses"),
    [
        (["ada"] * 4, [f"ada{number}@example.org" for number in range(4)]),
        (["ada", "ADA", "\u0430da", "\uff41da"], [f"ada{number}@example.org" for number in range(4)]),
        ([f"ada{number}" for number in range(4)], ["ada@example.org"] * 4),
    ],
    ids=["one name", "names that look alike", "one address"],
)
def test_of_confirmations_at_one_moment_one_wins(client, names, addresses):
    for name, address in zip(names, addresses, strict=True):
        assert sign_up(client, username=name, email=address).status_code == 302
    links = [link(number) for number in range(4)]

    def open_link(address: str) -> int:
        try:
            return Client().post(address).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(open_link, links))
    assert (statuses.count(302), set(statuses) <= {200, 302, 404}) == (1, True)
    assert User.objects.count() == EmailAddress.objects.count() == 1
