"""No response reveals whether an account exists, neither by its content nor by its work."""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catalog.models import PendingSignUp, User
from catalog.text import skeleton
from catalog.throttling import AddressThrottle, MailThrottle
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mandatory")]

PASSWORD = "correct horse battery"
DRAWN_BY_LOT = re.compile(r"\b[A-Za-z0-9]{64}\b")  # tokens of forms


@dataclass(frozen=True)
class Guess:
    username: str = "eva"
    email: str = "eva@example.org"


FREE, ALSO_FREE = Guess(), Guess("zoe", "zoe@example.org")
GUESSES = {
    "taken": Guess("nora"),
    "another case": Guess("NORA"),
    "look-alike": Guess("n\u043era"),
    "closed": Guess("gone"),
    "address known": Guess(email="nora@example.org"),
    "address in capitals": Guess(email="Nora@Example.org"),
    "address not confirmed": Guess(email="old@example.org"),
    "address of a closed account": Guess(email="gone@example.org"),
    "both waiting": Guess("ada", "ada@example.org"),
}


@pytest.fixture(autouse=True)
def accounts() -> None:
    nora, gone = UserFactory(username="nora"), UserFactory(username="gone", is_active=False)
    UserFactory(username="older", email="old@example.org")
    for user in (nora, gone):
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    soon = timezone.now() + timedelta(days=1)
    PendingSignUp.objects.create(username="ada", email="ada@example.org", password="md5$", expires_at=soon)


def sign_in(client, guess: Guess):
    return client.post("/accounts/sign-in/", {"username": guess.username, "password": "wrong"})


def sign_in_by_address(client, guess: Guess):
    return client.post("/accounts/sign-in/", {"username": guess.email, "password": "wrong"})


def sign_in_to_the_admin(client, guess: Guess):
    return client.post("/admin/login/", {"username": guess.username, "password": "wrong"})


def ask_for_a_token(client, guess: Guess):
    return client.post("/api/v1/token/", {"username": guess.username, "password": "wrong"}, "application/json")


def ask_for_a_token_by_address(client, guess: Guess):
    return client.post("/api/v1/token/", {"username": guess.email, "password": "wrong"}, "application/json")


def sign_up(client, guess: Guess):
    form = {**vars(guess), "password": PASSWORD, "password_again": PASSWORD}
    return client.post("/accounts/sign-up/", form, follow=True)


def sign_up_by_api(client, guess: Guess):
    return client.post("/api/v1/accounts/", {**vars(guess), "password": PASSWORD}, "application/json")


def sign_up_badly(client, guess: Guess):
    return client.post("/accounts/sign-up/", {**vars(guess), "password": "123", "password_again": "1234"})


def sign_up_badly_by_api(client, guess: Guess):
    return client.post("/api/v1/accounts/", {**vars(guess), "password": "12345678"}, "application/json")


def sign_up_then_in(client, guess: Guess):
    """With the password that was just given: no account has it yet."""
    sign_up(client, guess)
    return client.post("/accounts/sign-in/", {"username": guess.username, "password": "another long one"})


def reset(client, guess: Guess):
    return client.post("/accounts/password/reset/", {"email": guess.email}, follow=True)


def change_address(client, guess: Guess):
    client.force_login(User.objects.get_or_create(username="sam", email="sam@example.org")[0])
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": 4e9, "username": "sam"}]
    session.save()
    return client.post("/accounts/email/", {"email": guess.email, "action_add": "1"}, follow=True)


SIGN_UPS = [sign_up, sign_up_by_api, sign_up_badly, sign_up_badly_by_api]
PLACES = [
    *(sign_in, sign_in_by_address, sign_in_to_the_admin, ask_for_a_token, ask_for_a_token_by_address),
    *(*SIGN_UPS, sign_up_then_in, reset, change_address),
]


@dataclass(frozen=True)
class Told:
    """What the one who guesses sees, and what takes time."""

    statuses: list[int]
    headers: dict[str, str]
    body: str
    n_hashed: int
    n_mails: int


@pytest.fixture
def hashed(monkeypatch) -> Iterator[list[object]]:
    made: list[object] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: (made.append(args), encode(*args))[1])
    return made


def told(place: Callable, guess: Guess, hashed: list[object]) -> Told:
    hashed.clear()
    mail.outbox.clear()
    answer = place(Client(REMOTE_ADDR="203.0.113.9"), guess)
    body = DRAWN_BY_LOT.sub("", answer.content.decode())
    for typed in (guess.email, guess.email.lower(), guess.username):
        body = body.replace(typed, "(typed)")
    body = body.replace(answer.headers.get("Retry-After", "never"), "(seconds)")
    headers = {name: value for name, value in answer.headers.items() if name in {"Location", "Vary"}}
    headers["Retry-After"] = str("Retry-After" in answer.headers)  # its seconds are those since the first request
    headers["cookies"] = " ".join(sorted(answer.client.cookies))
    statuses = [*(status for _, status in getattr(answer, "redirect_chain", [])), answer.status_code]
    return Told(statuses, headers, body, len(hashed), len(mail.outbox))


@pytest.mark.parametrize("guess", GUESSES.values(), ids=GUESSES)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_every_place_answers_every_guess_alike(place, guess, hashed):
    assert told(place, guess, hashed) == told(place, FREE, hashed)


@pytest.mark.parametrize("place", SIGN_UPS, ids=lambda place: place.__name__)
def test_a_sign_up_does_the_same_whatever_accounts_there_are(place, hashed):
    def work(guess: Guess) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            told(place, guess, hashed)
        return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries]

    usual = work(FREE)
    assert {name: work(guess) == usual for name, guess in GUESSES.items()} == dict.fromkeys(GUESSES, True)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_limits_come_after_as_many_guesses(monkeypatch, place, hashed):
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", dict.fromkeys(("sign_up", "token", "mail"), "2/day"))
    visitors = itertools.count()

    def series(guess: Guess) -> list[Told]:
        visitor = f"203.0.113.{next(visitors)}"
        monkeypatch.setattr(AddressThrottle, "get_ident", lambda *args: visitor)
        return [told(place, guess, hashed) for _ in range(3)]

    usual = series(ALSO_FREE)
    for name, guess in GUESSES.items():
        monkeypatch.setattr(AddressThrottle, "cache_format", f"{name} %(scope)s %(ident)s")  # counted apart
        assert series(guess) == usual, name


def test_an_address_gets_as_many_mails_by_sign_ups(monkeypatch, hashed):
    monkeypatch.setattr(MailThrottle, "THROTTLE_RATES", {"mail": "2/hour", "sign_up": "99/hour"})

    def mails(email: str) -> list[int]:
        return [told(sign_up, Guess(f"eva{number}", email), hashed).n_mails for number in range(3)]

    assert mails("nora@example.org") == mails("nobody@example.org") == [1, 1, 0]


NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20) | st.from_regex(r"[\w.@+-]{1,20}\Z")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, other=NAMES, is_known=st.booleans())
def test_no_account_changes_the_answer_to_a_sign_up(monkeypatch, hashed, name, other, is_known):
    """The name itself, one that looks like it or none is taken, and its address has an account or none."""
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", dict.fromkeys(("sign_up", "token", "mail"), "9999/min"))
    guess = Guess(name, "somebody@example.org")
    assume(skeleton(name) not in {"nora", "gone", "older"})
    before = told(sign_up, guess, hashed)
    with transaction.atomic():
        user = UserFactory(username=User.normalize_username(other if is_known else name), email=guess.email)
        EmailAddress.objects.create(user=user, email=user.email, verified=is_known, primary=True)
        after = told(sign_up, guess, hashed)
        transaction.set_rollback(True)

    assert after == before
