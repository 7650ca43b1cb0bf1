"""Forms return to pages, and never to URLs that only accept forms."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, get_resolver, reverse

from catalog.return_addresses import is_readable

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
APPS = ("catalog", "recommender", "mlops")
VALUES = {
    "movie_id": 1, "row_id": 1, "choice_id": 1, "event_id": 1, "source_id": 1, "person_id": 1,
    "viewing_id": 1, "import_id": 1, "key_id": 1, "slug": "a", "name": "ada", "key": "k",
    "section": "movies", "format": "csv", "request_id": "00000000-0000-0000-0000-000000000000",
}  # fmt: skip


def addresses() -> Iterator[str]:
    """One of each route of the pages."""
    for app in APPS:
        _prefix, resolver = get_resolver().namespace_dict[app]
        for pattern in resolver.url_patterns:
            assert isinstance(pattern, URLPattern)
            names = pattern.pattern.regex.groupindex
            yield reverse(f"{app}:{pattern.name}", kwargs={name: VALUES[name] for name in names})


def test_an_address_is_readable_exactly_if_get_is_taken(client, sam):
    client.force_login(sam)
    found = {address: client.get(address).status_code != 405 for address in addresses()}

    assert {address: is_readable(address) for address in found} == found
    assert 15 < sum(not is_taken for is_taken in found.values()) < len(found) / 2


@pytest.mark.parametrize("address", ["", "?page=2", "/nothing/", "/movies/1/rating/?a=b", "/%6dovies/1/rating/"])
def test_what_no_page_answers_is_not_readable(address):
    assert not is_readable(address)


@pytest.mark.parametrize(
    "address", ["/", "/movies/?genre=drama", "/%6dovies/", "http://testserver/movies/", "/api/docs/"]
)
def test_pages_are_readable(address):
    assert is_readable(address)


def test_the_theme_leads_back_from_a_refused_form_to_its_page(client, movie, nora):
    client.force_login(nora)
    page = movie.get_absolute_url()
    refused = client.post(f"/movies/{movie.pk}/watched/", {"watched_on": "never", "next": page})
    assert refused.status_code == 422

    assert set(re.findall('name="next" value="([^"]*)"', refused.content.decode())) == {page}
    chosen = client.post("/theme/", {"theme": "dark", "next": f"/movies/{movie.pk}/watched/"})
    assert chosen["Location"] == "/"


def test_signing_in_after_a_form_leads_to_a_page(client, movie, nora):
    asked = client.post("/lists/k/movies/1/", {"remove": "1"})["Location"]
    assert asked == "/accounts/sign-in/?next=/lists/k/movies/1/"
    answer = client.post(asked, {"username": "nora", "password": PASSWORD})

    assert answer["Location"] == "/"
    client.logout()
    answer = client.post("/accounts/sign-in/?next=/diary/", {"username": "nora", "password": PASSWORD})
    assert answer["Location"] == "/diary/"


def test_too_many_stars_lead_back_to_the_movie(client, movie, monkeypatch):
    monkeypatch.setattr("catalog.throttling.AnonThrottle.THROTTLE_RATES", {"anon": "0/min"})
    answer = client.post(f"/movies/{movie.pk}/rating/", {"rating": 4, "next": movie.get_absolute_url()})

    assert answer.status_code == 429
    assert f'class="button" href="{movie.get_absolute_url()}"' in answer.content.decode()
