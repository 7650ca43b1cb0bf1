import json
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission
from rest_framework.throttling import ScopedRateThrottle, UserRateThrottle

from catalog.models import Movie
from recommender.models import Dismissal, Feedback, Impression
from recommender.serving.lists import impressions
from recommender.serving.model_server import server
from tests.factories import MovieFactory, RatingFactory, UserFactory, key_of
from tests.recommender.conftest import count_ratings

pytestmark = pytest.mark.django_db

RESPONSES = Path(__file__).parent.parent / "responses"
REQUEST_ID = "0b5e9bd5-3f2e-4d3c-9d5f-1d8b6f1b1a11"


def as_user(api, user):
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(user)}")
    return api


def golden(name: str, answer: dict, movies: list[Movie]) -> None:
    """The whole answer as it is kept in tests/responses, with what differs by run replaced by names."""
    text = json.dumps(answer)
    for number, movie in enumerate(movies):
        text = text.replace(f'id": {movie.pk},', f'id": "movie {number}",')
        text = text.replace(f"/movies/{movie.pk}-", f"/movies/{{movie {number}}}-")
    found = json.loads(text)
    found["request_id"] = "{request id}"
    for result in found["results"]:
        assert isinstance(result["score"], float)
        result["score"] = round(result["score"], 4)
        for reason in [*result["reasons"], *filter(None, [result["reason"]])]:
            reason["contribution"] = round(reason["contribution"], 4)
        if result["reason"]:
            assert result["reason"]["name"] in result["reason"].pop("sentence")
    assert found == json.loads((RESPONSES / f"{name}.json").read_text())


def test_recommendations_are_as_documented(api, train, camps, fan):
    train(version=4, regularization=10.0)
    count_ratings()
    response = as_user(api, fan).get("/api/v1/recommendations/?k=1&explain=true")
    assert response.status_code == 200
    assert response["X-Model-Version"] == "4"
    golden("recommendations", response.json(), [*camps["Science Fiction"], *camps["Romance"]])


def test_a_user_without_ratings_gets_popular_movies(api, train, camps, nora):
    train(version=4)
    count_ratings()
    response = as_user(api, nora).get("/api/v1/recommendations/?k=2")
    assert response["X-Model-Version"] == "none"
    golden("recommendations_popular", response.json(), [*camps["Science Fiction"], *camps["Romance"]])


def test_parameters_narrow_the_list(api, train, camps, fan, settings):
    # Else which movies come next depends on those that they are less alike to.
    by_score = settings.POLICY.serving.model_copy(update={"diversity": 0.0})
    settings.POLICY = settings.POLICY.model_copy(update={"serving": by_score})
    train()
    fresh = MovieFactory()
    server.refresh()
    as_user(api, fan)
    first = api.get("/api/v1/recommendations/").json()["results"]
    assert len(first) == 10
    shown = [result["movie"]["id"] for result in first]
    excluded = ",".join(map(str, shown[:4]))
    fewer = api.get(f"/api/v1/recommendations/?exclude={excluded}&k=3").json()["results"]
    assert [result["movie"]["id"] for result in fewer] == shown[4:7]
    old = api.get("/api/v1/recommendations/?year_max=1984&k=4&adventure=0.5").json()["results"]
    assert {result["movie"]["year"] <= 1984 for result in old} == {True}
    romances = api.get("/api/v1/recommendations/?genre=romance&k=5").json()["results"]
    assert {result["movie"]["genres"][0] for result in romances} == {"Romance"}
    blended = api.get("/api/v1/recommendations/?include_new=true").json()["results"]
    assert fresh.pk in [result["movie"]["id"] for result in blended]


def test_new_movies_have_a_list_of_their_own(api, train, camps, fan, nora):
    train()
    fresh = MovieFactory(year=2027)
    server.refresh()
    for user in (fan, nora):
        answer = as_user(api, user).get("/api/v1/recommendations/new/?k=3").json()
        assert [result["movie"]["id"] for result in answer["results"]] == [fresh.pk]
        assert answer["results"][0]["source"] in ("new", "newest")


def test_similar_movies_need_no_account(api, train, camps, fan):
    train(version=4, regularization=10.0)
    count_ratings()
    movie = camps["Science Fiction"][5]
    response = api.get(f"/api/v1/movies/{movie.pk}/similar/?k=2")
    assert response["X-Model-Version"] == "4"
    golden("movie_similar", response.json(), [*camps["Science Fiction"], *camps["Romance"]])
    mine = as_user(api, fan).get(f"/api/v1/movies/{movie.pk}/similar/?k=100").json()["results"]
    seen = set(fan.ratings.values_list("movie_id", flat=True))
    assert not seen & {result["movie"]["id"] for result in mine}


@pytest.mark.parametrize("movie_id", [10**6, 2**63])
def test_similar_movies_of_an_unknown_movie_are_not_found(api, db, movie_id):
    response = api.get(f"/api/v1/movies/{movie_id}/similar/")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_service_asks_for_a_user(service, train, camps, fan, slash):
    train(version=4)
    wanted = {"user_id": fan.pk, "num_recommendations": 4, "include_new_movies": False}
    response = service.post(f"/api/v1/recommend{slash}", wanted, format="json")
    assert response.status_code == 200
    assert response["X-Model-Version"] == "4"
    results = response.json()["results"]
    assert [result["rank"] for result in results] == [1, 2, 3, 4]
    assert {result["source"] for result in results} == {"personal"}
    fresh = MovieFactory()
    server.refresh()
    response = service.post(f"/api/v1/recommend_new_movies{slash}", {"user_id": fan.pk}, format="json")
    assert [result["movie"]["id"] for result in response.json()["results"]] == [fresh.pk]
    blended = service.post(
        "/api/v1/recommend", wanted | {"include_new_movies": True, "num_recommendations": 10}, format="json"
    )
    assert fresh.pk in [result["movie"]["id"] for result in blended.json()["results"]]


def test_a_permission_may_come_from_a_group_and_ends_at_once(api, fan):
    shop, boss = UserFactory(username="shop"), UserFactory(username="boss", is_superuser=True)
    group = Group.objects.create(name="services")
    group.permissions.add(Permission.objects.get(codename="recommend_for_others"))
    for user, change, status in (
        (shop, lambda: None, 403),
        (shop, lambda: shop.groups.add(group), 200),
        (shop, group.permissions.clear, 403),
        (boss, lambda: None, 200),
    ):
        change()
        assert as_user(api, user).post("/api/v1/recommend", {"user_id": fan.pk}, format="json").status_code == status


@pytest.mark.parametrize("address", ["/api/v1/recommend", "/api/v1/recommend_new_movies"])
@pytest.mark.parametrize(
    ("wanted", "status", "code", "fields"),
    [
        ({}, 400, "invalid", ["user_id"]),
        ({"user_id": "abc"}, 400, "invalid", ["user_id"]),
        ({"user_id": 2**63}, 400, "invalid", ["user_id"]),
        ({"user_id": 1, "num_recommendations": 0}, 400, "invalid", ["num_recommendations"]),
        ({"user_id": 1, "num_recommendations": 101}, 400, "invalid", ["num_recommendations"]),
        ({"user_id": 10**9}, 404, "user_not_found", []),
        ([], 400, "invalid", ["non_field_errors"]),
    ],
)
def test_an_invalid_request_of_a_service_is_explained(service, address, wanted, status, code, fields):
    response = service.post(address, wanted, format="json")
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == code
    assert list(error["fields"]) == fields


def test_services_have_a_limit_of_their_own(service, fan, monkeypatch):
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "service", "3/min")
    monkeypatch.setattr(UserRateThrottle, "rate", "1/min", raising=False)
    codes = [service.post("/api/v1/recommend", {"user_id": fan.pk}, format="json").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]


def test_recommendations_require_signing_in(api, db):
    for address in ("/api/v1/recommendations/", "/api/v1/recommendations/new/"):
        response = api.get(address)
        assert response.status_code == 401
        assert set(response.json()["error"]) == {"code", "message", "fields"}
    assert api.post("/api/v1/feedback/", {}).status_code == 401


def test_feedback_dismisses_the_movie_until_undone(api, train, camps, fan):
    train()
    as_user(api, fan)
    before = api.get("/api/v1/recommendations/?k=5").json()
    movie = before["results"][0]["movie"]["id"]
    given = {"kind": "not_interested", "movie": movie, "request_id": before["request_id"]}
    for _ in range(2):
        response = api.post("/api/v1/feedback/", given, format="json")
        assert (response.status_code, response.json()) == (201, given)
    after = api.get("/api/v1/recommendations/?k=5").json()["results"]
    assert movie not in [result["movie"]["id"] for result in after]
    assert Dismissal.objects.count() == 1

    assert api.post("/api/v1/feedback/", given | {"kind": "undo"}, format="json").status_code == 201
    again = api.get("/api/v1/recommendations/?k=5").json()
    assert again["results"] == before["results"]
    assert list(Feedback.objects.order_by("pk").values_list("kind", flat=True)) == [
        "not_interested",
        "not_interested",
        "undo",
    ]


@pytest.mark.parametrize(
    ("given", "status", "field"),
    [
        ({"kind": "click"}, 400, "movie"),
        ({"kind": "click", "movie": 10**9}, 404, "movie"),
        ({"kind": "love", "movie": 1}, 400, "kind"),
        ({"kind": "click", "movie": 1, "request_id": "17"}, 400, "request_id"),
    ],
)
def test_wrong_feedback_is_explained(api, nora, given, status, field):
    response = as_user(api, nora).post("/api/v1/feedback/", given, format="json")
    assert response.status_code == status
    assert field in response.json()["error"]["fields"]


def test_each_list_is_recorded_as_shown(api, train, camps, fan):
    train(version=4)
    answer = as_user(api, fan).get("/api/v1/recommendations/?k=3").json()
    impressions.flush()
    kept = Impression.objects.get()
    assert str(kept.request_id) == answer["request_id"]
    assert (kept.user, kept.surface, kept.model_version, kept.fallback) == (fan, "api:recommendations", 4, "")
    assert kept.items == [[r["movie"]["id"], r["rank"], r["source"]] for r in answer["results"]]


@pytest.mark.parametrize("narrowed", ["year_min=1900", "exclude=1", "include_seen=true", "adventure=1"])
def test_a_narrowed_list_does_not_speak_for_the_model(api, train, fan, narrowed):
    train()
    as_user(api, fan).get(f"/api/v1/recommendations/?k=3&{narrowed}")
    impressions.flush()
    assert Impression.objects.get().surface == "api:narrowed"


def test_a_request_takes_few_queries_whatever_its_length(api, train, camps, fan, django_assert_max_num_queries):
    train()
    as_user(api, fan)
    for k in (2, 20):
        with django_assert_max_num_queries(5):  # token and user, ratings, dismissals, movies, their genres
            assert api.get(f"/api/v1/recommendations/?k={k}").status_code == 200
        with django_assert_max_num_queries(6):
            assert api.get(f"/api/v1/recommendations/?k={min(k, 9)}&genre=romance").status_code == 200
        with django_assert_max_num_queries(7):
            assert api.get(f"/api/v1/recommendations/?k={k}&explain=1").status_code == 200


def test_the_rating_given_over_the_api_counts_in_the_next_list(api, train, camps, fan):
    train()
    as_user(api, fan)
    before = api.get("/api/v1/recommendations/?k=5").json()["results"]
    movie = before[0]["movie"]["id"]
    assert api.put(f"/api/v1/ratings/{movie}/", {"rating": 5}, format="json").status_code in (200, 201)
    after = api.get("/api/v1/recommendations/?k=5").json()["results"]
    assert movie not in [result["movie"]["id"] for result in after]
    assert [r["score"] for r in after] != [r["score"] for r in before]
    assert api.delete(f"/api/v1/ratings/{movie}/").status_code == 204
    assert api.get("/api/v1/recommendations/?k=5").json()["results"] == before


def test_ratings_of_movies_the_model_does_not_know_do_no_harm(api, train, camps, fan):
    train()
    RatingFactory(user=fan, movie=MovieFactory(), rating=1.0)
    results = as_user(api, fan).get("/api/v1/recommendations/?k=5").json()["results"]
    assert {result["source"] for result in results} == {"personal"}
