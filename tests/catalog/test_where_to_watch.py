"""Where to watch: on a movie's page, in the API, and a user's own services."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Movie, User, WatchService
from catalog.where_to_watch import save_services
from tests.factories import MovieFactory, OfferFactory

pytestmark = pytest.mark.django_db

LINK = "https://www.themoviedb.org/movie/348/watch?locale=VN"


@pytest.fixture(autouse=True)
def viet_nam(settings):
    settings.SITE_REGION = "VN"
    for number, name in ((8, "Netflix"), (2, "Apple TV"), (73, "Tubi"), (9, "Videoload")):
        WatchService.objects.create(pk=number, name=name, position=number)


@pytest.fixture
def alien() -> Movie:
    movie = MovieFactory(title="Alien", tmdb_id=348)
    for name, kind in (("Tubi", "stream"), ("Netflix", "stream"), ("Apple TV", "buy")):
        OfferFactory(movie=movie, name=name, kind=kind)
    OfferFactory(movie=movie, name="Videoload", region="DE")
    return movie


def page_of(client, movie: Movie) -> str:
    return client.get(movie.get_absolute_url()).content.decode()


@pytest.mark.wording
def test_a_movies_page_says_where_to_watch_it(client, alien):
    text = page_of(client, alien)

    assert "Where to watch in Viet" in text
    assert "<dt>Stream</dt><dd>Netflix, Tubi</dd>" in text
    assert "<dt>Buy</dt><dd>Apple TV</dd>" in text
    assert "<dt>Rent</dt>" not in text
    assert f'href="{LINK}"' in text
    assert ">JustWatch</a>" in text
    assert "Videoload" not in text


@pytest.mark.parametrize("region", ["", "FR"])
def test_nothing_is_shown_where_nothing_is_known(client, api, settings, alien, region):
    settings.SITE_REGION = region

    assert "JustWatch" not in page_of(client, alien)
    assert api.get(f"/api/v1/movies/{alien.pk}/").json()["where_to_watch"] is None
    assert api.get("/api/v1/services/").json()["results"] == []


def test_the_api_says_where_to_watch_a_movie(api, alien):
    assert api.get(f"/api/v1/movies/{alien.pk}/").json()["where_to_watch"] == {
        "region": "VN",
        "link": LINK,
        "credit": "JustWatch",
        "stream": [{"id": 8, "name": "Netflix"}, {"id": 73, "name": "Tubi"}],
        "rent": [],
        "buy": [{"id": 2, "name": "Apple TV"}],
    }


def test_the_api_lists_the_services_that_stream_here(api, alien):
    assert api.get("/api/v1/services/").json()["results"] == [
        {"id": 8, "name": "Netflix"},
        {"id": 73, "name": "Tubi"},
    ]


def test_a_movie_with_many_services_takes_one_query_more(client, alien, settings, django_assert_num_queries):
    settings.SITE_REGION = ""
    page_of(client, alien)
    with django_assert_num_queries(queries_of(client, alien) + 1):
        settings.SITE_REGION = "VN"
        page_of(client, alien)


def queries_of(client, movie: Movie) -> int:
    with CaptureQueriesContext(connection) as queries:
        page_of(client, movie)
    return len(queries)


def test_services_are_chosen_on_a_page_of_the_account(client, nora, alien):
    client.force_login(nora)
    assert 'href="/accounts/services/"' in client.get("/accounts/").content.decode()
    text = client.get("/accounts/services/").content.decode()
    assert [name in text for name in ("Netflix", "Tubi", "Apple TV", "Videoload")] == [True, True, False, False]
    assert ">JustWatch</a>" in text

    assert client.post("/accounts/services/", {"services": ["73", "8"], "only": "on"}).status_code == 302
    user = User.objects.get(pk=nora.pk)
    assert (user.service_ids, user.only_my_services) == ([8, 73], True)
    assert client.get("/accounts/services/").content.decode().count(" checked") == 3
    assert client.post("/accounts/services/", {}).status_code == 302
    user.refresh_from_db()
    assert (user.service_ids, user.only_my_services) == ([], False)


@pytest.mark.parametrize("given", [{"services": ["9"]}, {"services": ["x"]}, {"only": "on"}, {"services": ["2"]}])
def test_what_does_not_stream_here_cannot_be_chosen(client, nora, alien, given):
    client.force_login(nora)

    assert client.post("/accounts/services/", given).status_code == 422
    nora.refresh_from_db()
    assert (nora.service_ids, nora.only_my_services) == ([], False)


def test_only_its_owner_changes_a_choice(client, nora, bob, alien):
    save_services(user=bob, services=[8], only=True)
    client.force_login(nora)
    client.post("/accounts/services/", {"services": ["73"]})

    bob.refresh_from_db()
    assert bob.service_ids == [8]
    assert client.get("/accounts/export/everything/").json()["account"]["watch_services"] == "73"
    client.logout()
    assert client.get("/accounts/services/")["Location"].startswith("/accounts/sign-in/")


def test_a_site_without_a_region_offers_no_choice(client, nora, alien, settings):
    settings.SITE_REGION = ""
    client.force_login(nora)

    assert "/accounts/services/" not in client.get("/accounts/").content.decode()
    assert "key-scopes" not in client.get("/accounts/services/").content.decode()
    assert client.post("/accounts/services/", {"services": ["8"]}).status_code == 422
