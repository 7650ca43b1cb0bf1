"""A members-only site: requests every URL as a visitor and as a member."""

import re
from uuid import UUID

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.urls import Resolver404, URLPattern, get_resolver, resolve

from movierec.members import WAYS_IN
from tests.factories import MovieFactory, UserFactory
from tests.totp import code_of

pytestmark = pytest.mark.django_db

TITLE = "The Hidden Garden of Ada"
OPEN = {"healthz", "readyz", "metrics"}  # for operators: they show no movie, and /metrics takes a token of its own


@pytest.fixture
def movie(settings):
    accounts = settings.POLICY.accounts.model_copy(update={"members_only": True})
    settings.POLICY = settings.POLICY.model_copy(update={"accounts": accounts})
    return MovieFactory(title=TITLE)


def addresses(movie) -> dict[str, str]:
    """An address of each pattern of the site by its name, with an id that exists."""
    found = {}

    def walk(patterns, prefix: str, namespace: str) -> None:
        for entry in patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLPattern):
                found[f"{namespace}{entry.name or route}"] = filled(route, movie)
            else:
                walk(entry.url_patterns, route, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)

    walk(get_resolver().url_patterns, "", "")
    return found


def filled(route: str, movie) -> str:
    route = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route)  # a named group of a regular expression
    route = re.sub(r"<uuid:\w+>", str(UUID(int=1)), re.sub(r"<slug:slug>", movie.slug, route))
    route = re.sub(r"<(\w+:)?(\w*_?id|pk|version)>|<int:\w+>", str(movie.pk), route)
    return "/" + re.sub(r"[\^$\\]|\\Z", "", re.sub(r"<[^>]+>", "x", route))


def view_at(address: str) -> str:
    """Its name; two names may have one address."""
    try:
        return resolve(address).view_name
    except Resolver404:
        return ""


def test_nothing_is_seen_from_outside(client, movie):
    everywhere = {name: (address, view_at(address)) for name, address in addresses(movie).items()}
    closed = {name: address for name, (address, view) in everywhere.items() if not {name, view} & (WAYS_IN | OPEN)}
    reached = {name for name in closed if everywhere[name][1] == name}
    assert len(reached) > 200

    for name, address in closed.items():
        answer = client.get(address)
        body = b"" if answer.streaming else answer.content
        assert TITLE.encode() not in body, name
        refused = {302, 401} if name in reached else {302, 401, 404}
        assert answer.status_code in refused, (name, address, answer.status_code)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/accounts/sign-in/"), name


def test_the_ways_in_work(client, movie):
    UserFactory(username="nora", password="correct horse battery")
    for page in ("/accounts/sign-in/", "/accounts/sign-up/", "/accounts/password/reset/", "/manifest.webmanifest"):
        assert client.get(page).status_code == 200

    answer = client.post(
        f"/accounts/sign-in/?next=/movies/{movie.pk}/", {"username": "nora", "password": "correct horse battery"}
    )

    assert answer["Location"] == f"/movies/{movie.pk}/"
    assert TITLE in client.get(f"/movies/{movie.pk}/", follow=True).content.decode()
    assert TITLE in client.get("/api/v1/movies/").content.decode()  # by session


def test_a_second_factor_is_a_way_in(client, movie):
    secret = generate_totp_secret()
    TOTP.activate(UserFactory(username="nora", password="correct horse battery"), secret)
    sign_in = {"username": "nora", "password": "correct horse battery"}

    asked = client.post("/accounts/sign-in/?next=/movies/", sign_in)
    assert client.get("/movies/").status_code == 302
    answer = client.post(asked["Location"], {"code": code_of(secret)})

    assert answer["Location"] == "/movies/"
    assert TITLE in client.get("/movies/").content.decode()
    assert Client().get("/accounts/passkeys/sign-in/").headers["Content-Type"] == "application/json"


def test_programs_need_a_token(api, movie):
    UserFactory(username="nora", password="correct horse battery")
    answer = api.get("/api/v1/movies/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")
    wrong = api.get("/api/v1/movies/", HTTP_AUTHORIZATION="Token wrong")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "authentication_failed")

    sign_in = {"username": "nora", "password": "correct horse battery"}
    token = api.post("/api/v1/token/", sign_in, format="json").json()["token"]

    assert TITLE in api.get("/api/v1/movies/", HTTP_AUTHORIZATION=f"Token {token}").content.decode()


def test_every_way_in_is_an_address(movie):
    assert not WAYS_IN - addresses(movie).keys()


def test_search_engines_are_asked_to_stay_away(client, movie):
    assert "Disallow: /\n" in client.get("/robots.txt").content.decode()
