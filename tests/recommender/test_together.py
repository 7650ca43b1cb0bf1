import pytest

from catalog.models import Movie, Rating, User
from recommender.errors import InvalidRequest
from recommender.models import Dismissal, Impression, TasteConsent
from recommender.services import recommend
from recommender.serving.lists import impressions
from recommender.serving.together import companions_of, predicted_stars
from tests.factories import RatingFactory, UserFactory, api_client_of
from tests.recommender.conftest import count_ratings
from tests.recommender.test_recommend import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def romantic(camps) -> User:
    """Likes romances and can be asked along."""
    user = UserFactory(username="romantic")
    for movie in camps["Romance"][:3]:
        RatingFactory(user=user, movie=movie, rating=5.0)
    TasteConsent.objects.create(user=user)
    return user


def kinds(movies: list[int]) -> set[str]:
    return {movie.genres.get().name for movie in Movie.objects.filter(pk__in=movies)}


def test_a_list_together_has_something_of_both_tastes(train, fan, romantic):
    train()
    alone = shown(recommend(user=fan, k=8, surface="test"))
    both = shown(recommend(user=fan, k=8, companions=companions_of(fan, ["romantic"]), surface="test"))
    mirrored = shown(recommend(user=romantic, k=8, companions=[*map_profiles(fan)], surface="test"))
    assert kinds(alone) == {"Science Fiction"}
    assert kinds(both) == {"Science Fiction", "Romance"}
    assert both == mirrored


def map_profiles(user: User):
    TasteConsent.objects.get_or_create(user=user)
    return companions_of(UserFactory(), [user.username])


def test_what_any_of_them_has_seen_or_dismissed_is_out(train, camps, fan, romantic):
    train()
    dismissed = camps["Science Fiction"][7]
    Dismissal.objects.create(user=romantic, movie=dismissed)
    seen = set(Rating.objects.filter(user__in=[fan, romantic]).values_list("movie_id", flat=True))
    company = companions_of(fan, ["romantic"])
    assert not (seen | {dismissed.pk}) & set(shown(recommend(user=fan, k=24, companions=company, surface="test")))
    again = shown(recommend(user=fan, k=24, companions=company, include_seen=True, surface="test"))
    assert seen & set(again)
    assert dismissed.pk not in again


def test_filters_and_the_fallback_work_together_too(train, camps, nora, fan, romantic):
    train()
    count_ratings()
    company = companions_of(fan, ["romantic"])
    assert kinds(shown(recommend(user=fan, k=5, companions=company, genre="romance", surface="test"))) == {"Romance"}
    nobody = recommend(user=nora, k=5, companions=map_profiles(UserFactory()), surface="test")
    assert nobody.fallback == "popular"


def test_nobody_is_named_without_having_agreed(fan, romantic):
    private, gone = UserFactory(username="private"), UserFactory(username="gone", is_active=False)
    TasteConsent.objects.create(user=gone)
    said = set()
    for name in ("private", "unknown", "gone", "fan"):
        with pytest.raises(InvalidRequest) as error:
            companions_of(fan, ["romantic", name])
        said.add(str(error.value).replace(name, "NAME"))
    assert len(said) == 1
    TasteConsent.objects.create(user=private)
    assert [person.user_id for person in companions_of(fan, ["private", "romantic"])] == [private.pk, romantic.pk]


def test_the_api_makes_lists_together(train, fan, romantic):
    train()
    api = api_client_of(fan)
    listed = api.get("/api/v1/recommendations/?with=romantic&k=6")
    expected = recommend(user=fan, k=6, companions=companions_of(fan, ["romantic"]), surface=None)
    assert [result["movie"]["id"] for result in listed.json()["results"]] == shown(expected)
    impressions.flush()
    assert Impression.objects.get().surface == "api:together"
    refused = api.get("/api/v1/recommendations/?with=romantic,unknown")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["with"])
    no_text = api.get("/api/v1/recommendations/?with=romantic%00")
    assert (no_text.status_code, list(no_text.json()["error"]["fields"])) == (400, ["with"])
    twice = api.get("/api/v1/recommendations/?with=romantic&with=fan")
    assert (twice.status_code, list(twice.json()["error"]["fields"])) == (400, ["with"])
    many = api.get("/api/v1/recommendations/?with=a,b,c,d,e,f")
    assert (many.status_code, list(many.json()["error"]["fields"])) == (400, ["with"])


@pytest.mark.wording
def test_the_page_lists_and_says_what_each_would_give(client, train, fan, romantic):
    train()
    client.force_login(fan)
    assert "recommendations" not in client.get("/together/").context
    page = client.get("/together/?with=romantic")
    cards = page.context["cards"]
    stars = predicted_stars([*map_profiles(fan), *companions_of(fan, ["romantic"])], [cards[0][0].movie.pk])
    own, other = stars[cards[0][0].movie.pk]
    assert cards[0][1] == f"fan {own:.1f} ★ · romantic {other:.1f} ★"
    refused = client.get("/together/?with=unknown")
    assert refused.status_code == 422
    assert "Together with: cannot make a list with unknown" in refused.content.decode()


def test_agreeing_is_a_choice_that_can_be_taken_back(client, nora, fan):
    client.force_login(nora)
    assert client.get("/together/consent/").status_code == 405
    for _ in range(2):
        client.post("/together/consent/", {"open": "1"})
    assert companions_of(fan, ["nora"])
    client.post("/together/consent/", {"open": "0"})
    with pytest.raises(InvalidRequest):
        companions_of(fan, ["nora"])


def test_the_page_needs_an_account(client, db):
    assert client.get("/together/")["Location"].startswith("/accounts/sign-in/")
    assert client.post("/together/consent/", {"open": "1"})["Location"].startswith("/accounts/sign-in/")
