"""The filter by streaming services applies before the cut, and to every source of the fallback chain."""

import pytest

from catalog.models import Movie, WatchService
from catalog.where_to_watch import save_services
from recommender.services import recommend
from tests.factories import OfferFactory, api_client_of
from tests.recommender.test_for_you import listed
from tests.recommender.test_recommend import shown

pytestmark = pytest.mark.django_db

NETFLIX, TUBI, SHOP = 8, 73, 2


@pytest.fixture
def streamed(train, camps, settings) -> dict[int, set[int]]:
    """Ids of movies by service: two romances, of which the fan knows nothing, and a space opera; all are for sale."""
    settings.SITE_REGION = "VN"
    for number, name in ((NETFLIX, "Netflix"), (TUBI, "Tubi"), (SHOP, "Shop")):
        WatchService.objects.create(pk=number, name=name)
    found = {NETFLIX: camps["Romance"][7:9], TUBI: camps["Science Fiction"][11:]}
    for number, movies in found.items():
        for movie in movies:
            OfferFactory(movie=movie, service=WatchService.objects.get(pk=number))
    for movie in Movie.objects.all():
        OfferFactory(movie=movie, name="Shop", kind="buy")
        OfferFactory(movie=movie, name="Netflix", kind="rent")
    OfferFactory(movie=camps["Romance"][0], name="Tubi", region="DE")
    train()
    return {number: {movie.pk for movie in movies} for number, movies in found.items()}


def asked(user, query: str) -> set[int]:
    answer = api_client_of(user).get(f"/api/v1/recommendations/?{query}")
    assert answer.status_code == 200, answer.json()
    return {row["movie"]["id"] for row in answer.json()["results"]}


def test_services_apply_before_the_cut(streamed, fan):
    found = recommend(user=fan, k=2, surface="test", services=[NETFLIX])

    assert set(shown(found)) == streamed[NETFLIX]
    assert {result.source for result in found.results} == {"personal"}


def test_a_movie_at_one_of_the_services_is_enough(streamed, fan, nora):
    for user in (fan, nora):  # personal, and popular movies for who has no ratings
        assert asked(user, f"services={NETFLIX},{TUBI}") == streamed[NETFLIX] | streamed[TUBI]
        assert asked(user, f"services={TUBI}&genre=science-fiction") == streamed[TUBI]
        assert asked(user, f"services={TUBI}&genre=romance") == set()
        assert asked(user, f"services={SHOP}") == set()


def test_ones_own_services_need_no_ids(streamed, fan):
    save_services(user=fan, services=[NETFLIX], only=False)

    assert asked(fan, "services=mine") == streamed[NETFLIX]
    assert asked(fan, "k=24") > streamed[NETFLIX]


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("services=netflix", 400, "comma-separated service ids or \"mine\", got 'netflix'"),
        ("services=" + ",".join("9" * 31), 400, "at most 30"),
        ("services=mine", 400, "/accounts/services/"),
        ("services=999", 404, "unknown services 999; expected ids"),
    ],
)
@pytest.mark.wording
def test_wrong_services_are_named(streamed, fan, query, status, said):
    answer = api_client_of(fan).get(f"/api/v1/recommendations/?{query}")

    assert answer.status_code == status
    assert said in answer.json()["error"]["fields"]["services"][0]


@pytest.mark.wording
def test_a_site_without_a_region_says_so(streamed, fan, settings):
    settings.SITE_REGION = ""
    answer = api_client_of(fan).get(f"/api/v1/recommendations/?services={NETFLIX}")

    assert answer.status_code == 400
    assert "no region is configured for this site" in answer.json()["error"]["message"]


def test_the_page_offers_the_services(client, streamed, fan):
    client.force_login(fan)
    text = client.get("/for-you/").content.decode()
    assert [f'<option value="{value}"' in text for value in (NETFLIX, TUBI, SHOP, "mine")] == [True, True, False, False]

    answer = client.get("/for-you/", {"on": NETFLIX})
    assert {movie.pk for movie in listed(answer)} == streamed[NETFLIX]
    assert f'<option value="{NETFLIX}" selected>' in answer.content.decode()
    both = client.get(f"/for-you/?on={NETFLIX}&on={TUBI}")
    assert {movie.pk for movie in listed(both)} == streamed[NETFLIX] | streamed[TUBI]
    assert client.get("/for-you/?on=netflix").status_code == 422


def test_who_wants_only_their_services_gets_them_first(client, streamed, fan):
    save_services(user=fan, services=[NETFLIX], only=True)
    client.force_login(fan)

    answer = client.get("/for-you/")
    assert {movie.pk for movie in listed(answer)} == streamed[NETFLIX]
    assert '<option value="mine" selected>' in answer.content.decode()
    assert {movie.pk for movie in listed(client.get("/for-you/?on=any"))} > streamed[NETFLIX]
    assert {movie.pk for movie in listed(client.get("/for-you/?on=73"))} == streamed[TUBI]


def test_services_that_are_gone_hide_nothing(client, streamed, fan, settings):
    save_services(user=fan, services=[NETFLIX], only=True)
    client.force_login(fan)
    settings.SITE_REGION = "DE"

    assert len(listed(client.get("/for-you/"))) > 2
    settings.SITE_REGION = ""
    assert len(listed(client.get("/for-you/"))) > 2


def test_the_filter_takes_as_many_queries_as_a_genre(streamed, fan, django_assert_num_queries):
    client = api_client_of(fan)
    for query in ("k=2&genre=romance", f"k=2&services={NETFLIX}"):
        client.get(f"/api/v1/recommendations/?{query}")  # keeps its movies in memory
    with django_assert_num_queries(3):  # the key, the profile, the movies that match
        client.get("/api/v1/recommendations/?k=2&genre=romance")
    with django_assert_num_queries(3):
        client.get(f"/api/v1/recommendations/?k=2&services={NETFLIX}")
