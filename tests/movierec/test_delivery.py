"""Responses are compressed, conditional, and cached only by the user's browser."""

import gzip
import re

import pytest
from django.contrib.auth import get_user
from django.test import Client

from catalog.lists import add_to_list, create_list
from catalog.models import MovieList
from catalog.services import record_rating
from tests.factories import MovieFactory, api_client_of

pytestmark = pytest.mark.django_db

GZIP = {"Accept-Encoding": "br, gzip"}
PASSWORD = "correct horse battery"


@pytest.fixture
def public_list(nora) -> MovieList:
    made = create_list(user=nora, name="Best", is_public=True)
    add_to_list(made, MovieFactory(title="Heat, too long for one packet " * 9, year=1995))
    return made


@pytest.fixture
def addresses(public_list) -> list[str]:
    movie = public_list.items.get().movie
    public = ["/movies/", movie.get_absolute_url(), f"/posters/{movie.pk}.svg", public_list.get_absolute_url()]
    return [*public, "/api/v1/movies/", f"/api/v1/movies/{movie.pk}/", "/api/schema/", "/manifest.webmanifest"]


def test_texts_are_compressed_for_those_who_can_read_that(client, addresses):
    for address in addresses:
        plain = client.get(address)
        packed = client.get(address, headers=GZIP)
        assert not plain.has_header("Content-Encoding")
        assert packed["Content-Encoding"] == "gzip", address
        assert len(packed.content) < len(plain.content)
        assert "Accept-Encoding" in packed["Vary"]
        assert len(gzip.decompress(packed.content)) == len(plain.content)


def test_pictures_and_archives_are_not_compressed_again(client, nora):
    client.force_login(nora)
    archive = client.get("/accounts/export/letterboxd/", headers=GZIP)

    assert archive["Content-Type"] == "application/zip"
    assert not archive.has_header("Content-Encoding")


def test_sizes_say_nothing_about_a_page(client, public_list):
    """What is compressed beside a secret would tell it letter by letter, were sizes not random."""
    sizes = {len(client.get(public_list.get_absolute_url(), headers=GZIP).content) for _ in range(20)}
    assert len(sizes) > 5


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "compressed"])
def test_an_answer_that_is_the_same_is_not_sent_again(client, addresses, headers):
    for address in addresses:
        client.get(address)  # sets the cookie of forms
        first = client.get(address, headers=headers)
        again = client.get(address, headers=headers | {"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b""), address
        assert again["ETag"].removeprefix("W/") == first["ETag"].removeprefix("W/")


def test_a_changed_list_is_sent_again(client, public_list):
    address = public_list.get_absolute_url()
    client.get(address)
    before = client.get(address)["ETag"]
    add_to_list(public_list, MovieFactory())

    assert client.get(address, headers={"If-None-Match": before}).status_code == 200


def test_a_page_holds_for_one_account_and_one_set_of_forms(client, public_list, nora, bob):
    """Another account's page differs, and so does one whose forms another browser's cookie would refuse."""
    address, tags = public_list.get_absolute_url(), []
    for user in (None, nora, bob):
        for browser in (Client(), Client()):
            browser.cookies["scripts"] = "1"
            if user:
                browser.force_login(user)
            browser.get(address)
            tags.append(browser.get(address)["ETag"])

    assert len(set(tags)) == len(tags)


def test_forms_of_a_kept_page_are_accepted(public_list):
    client = Client(enforce_csrf_checks=True)
    address = public_list.get_absolute_url()
    client.get(address)
    kept = client.get(address)
    assert client.get(address, headers={"If-None-Match": kept["ETag"]}).status_code == 304
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', kept.content.decode())[1]
    movie = public_list.items.get().movie

    assert client.post(f"/movies/{movie.pk}/rating/", {"rating": 4, "csrfmiddlewaretoken": token}).status_code == 302


def test_a_message_is_shown_though_the_page_is_kept(client, movie_page):
    kept = client.get(movie_page)["ETag"]
    client.post(movie_page.rpartition("-")[0] + "/rating/", {"rating": 4})
    with_message = client.get(movie_page, headers={"If-None-Match": kept})

    assert with_message.status_code == 200
    assert 'class="messages"' in with_message.content.decode()


@pytest.fixture
def movie_page(client) -> str:
    address = MovieFactory(title="Heat", year=1995).get_absolute_url()
    client.get(address)
    return address


def test_browsers_keep_pages_for_their_reader_alone(client, nora, public_list):
    client.cookies["scripts"] = "1"
    for user in (None, nora):
        if user:
            client.force_login(user)
        for address in ("/", "/movies/", "/for-you/", public_list.get_absolute_url()):
            answer = client.get(address)
            assert answer["Cache-Control"] == "private, no-cache", address
            assert {"Cookie", "HX-Request"} <= set(answer["Vary"].split(", ")), address
    assert api_client_of(nora).get("/api/v1/ratings/")["Cache-Control"] == "private, no-cache"


def test_without_scripts_browsers_keep_no_page_of_an_account(client, nora, public_list):
    address = public_list.get_absolute_url()
    assert client.get(address)["Cache-Control"] == "private, no-cache"
    client.force_login(nora)
    for page in (address, "/", "/diary/"):
        assert client.get(page)["Cache-Control"] == "private, no-store"


def test_what_holds_a_secret_is_kept_by_no_browser(client, nora):
    client.force_login(nora)
    assert "no-store" in client.post("/accounts/keys/", {"name": "mine", "scopes": "read"})["Cache-Control"]
    assert "no-store" in client.get("/accounts/export/everything/")["Cache-Control"]
    for address in ("/accounts/delete/", "/accounts/password/"):
        assert "no-store" in client.get(address)["Cache-Control"], address


@pytest.mark.parametrize("address", ["/accounts/sign-out/", "/admin/logout/", "/accounts/delete/"])
def test_signing_out_drops_what_the_browser_kept(client, sam, address):
    client.force_login(sam)
    assert not client.get("/").has_header("Clear-Site-Data")
    answer = client.post(address, {"password": PASSWORD})

    assert answer["Clear-Site-Data"] == '"cache"'
    assert not get_user(client).is_authenticated


def test_errors_of_the_api_keep_their_shape(client, db):
    answer = client.get("/api/v1/movies/999999/x/" + "a" * 300, headers=GZIP)

    assert answer.status_code == 404
    assert b'"error"' in gzip.decompress(answer.content)


def test_a_rating_changes_what_the_api_answers(nora, public_list):
    api = api_client_of(nora)
    before = api.get("/api/v1/ratings/")["ETag"]
    record_rating(user=nora, movie=public_list.items.get().movie, rating=3)

    assert api.get("/api/v1/ratings/", headers={"If-None-Match": before}).status_code == 200
