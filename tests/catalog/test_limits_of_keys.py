"""Each program has its own rate limit, which other keys and the account's browser do not use up."""

import pytest
from rest_framework.throttling import UserRateThrottle

from tests.factories import api_client_of, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_a_minute(monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "rate", "2/min", raising=False)


def statuses(api, key: str, n: int = 3) -> list[int]:
    headers = {"Authorization": f"Token {key}"}
    return [api.get("/api/v1/ratings/", headers=headers).status_code for _ in range(n)]


def test_each_key_has_a_limit_of_its_own(api, client, nora, bob):
    client.force_login(nora)
    for key in (key_of(nora), key_of(nora), key_of(bob)):
        assert statuses(api, key) == [200, 200, 429]
    assert client.get("/api/v1/ratings/").status_code == 200


def test_signing_in_again_gives_no_new_limit(api, client, nora):
    made = [key_of(nora, is_from_sign_in=True) for _ in range(2)]
    client.force_login(nora)
    answered = [*statuses(api, made[0], 1), client.get("/api/v1/ratings/").status_code, *statuses(api, made[1], 1)]

    assert answered == [200, 200, 429]


def test_uploads_count_by_account_whatever_the_key(nora, monkeypatch):
    monkeypatch.setattr("catalog.throttling.ImportThrottle.rate", "1/hour", raising=False)
    clients = [api_client_of(nora) for _ in range(2)]
    answers = [each.post("/api/v1/import/", {"format": "csv"}).status_code for each in clients]

    assert answers == [400, 429]
