"""Users request their own lists. Services with the permission and scope request any user's."""

import pytest
from rest_framework.throttling import UserRateThrottle

from catalog.models import User
from recommender.serving.model_server import server
from tests.factories import MovieFactory, key_of

pytestmark = pytest.mark.django_db

ADDRESSES = ["/api/v1/recommend", "/api/v1/recommend_new_movies"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_a_service_with_the_permission_may_ask_for_others(api, fan, nora, address):
    assert api.post(address, {"user_id": fan.pk}, format="json").status_code == 401
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(fan)}")
    answers = [api.post(address, {"user_id": user}, format="json") for user in (nora.pk, 10**9)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["error"]["code"] == "permission_denied"
    assert answers[0].content == answers[1].content  # so that nobody learns who exists
    api.credentials(HTTP_AUTHORIZATION="Token 0123456789012345678901234567890123456789")
    assert api.post(address, {"user_id": fan.pk}, format="json").status_code == 401


def ask(api, address: str, user, *scopes: str):
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(user, *scopes)}")
    return api.post(address, {"user_id": user.pk}, format="json")


@pytest.mark.parametrize("address", ADDRESSES)
def test_everybody_may_ask_for_themselves(api, client, train, camps, fan, address):
    train(version=4)
    MovieFactory()
    server.refresh()
    assert ask(api, address, fan, "rate").json()["error"]["code"] == "missing_scope"
    answer = ask(api, address, fan, "read")
    client.force_login(fan)
    on_a_page = client.post(address, {"user_id": fan.pk}, content_type="application/json")

    assert (answer.status_code, on_a_page.status_code) == (200, 200)
    assert answer.json()["results"] == on_a_page.json()["results"] != []
    first = answer.json()["results"][0]["movie"]["id"]
    given = {"kind": "click", "movie": first, "request_id": answer.json()["request_id"]}
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(fan)}")
    assert api.post("/api/v1/feedback/", given, format="json").status_code == 201


def test_the_permission_takes_the_scope_too(service, api, fan, nora):
    shop = User.objects.get(username="shop")
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(shop, 'read')}")
    answer = api.post("/api/v1/recommend", {"user_id": nora.pk}, format="json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "missing_scope")
    assert "service" in answer.json()["error"]["message"]


def test_without_the_permission_the_limit_is_that_of_users(api, fan, monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "rate", "2/min", raising=False)
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(fan)}")
    codes = [api.post("/api/v1/recommend", {"user_id": fan.pk}, format="json").status_code for _ in range(3)]

    assert codes == [200, 200, 429]
