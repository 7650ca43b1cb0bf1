"""`movierec.direct` answers like the endpoint, of which it needs one answer to know the headers."""

import logging
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY
from rest_framework.throttling import ScopedRateThrottle

from catalog.models import APIKey, Movie
from catalog.services import record_rating
from recommender.api.views import RecommendView
from recommender.serving.lists import impressions
from tests.factories import key_of

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/recommend"
BY_ENDPOINT = {"HTTP_ACCEPT": "application/json;q=0.9"}  # which `direct` does not expect
ID = re.compile(rb'"request_id":"[^"]*"')


@pytest.fixture
def ask(service, train, camps, fan):
    """Posts a body. The endpoint has answered once."""
    train(version=4)

    def ask(body=None, **headers):
        return service.post(ADDRESS, {"user_id": fan.pk} if body is None else body, format="json", **headers)

    assert ask().status_code == 200
    return ask


@pytest.fixture
def closed(monkeypatch):
    """Closes the endpoint, so that only `direct` can answer."""

    def close():
        monkeypatch.setattr(RecommendView, "dispatch", None)

    return close


def shown(answer):
    headers = {name: value for name, value in answer.items() if name != "X-Request-ID"}
    return answer.status_code, headers, ID.sub(b"", answer.content)


@pytest.mark.parametrize("more", [{}, {"num_recommendations": 3}, {"include_new_movies": True}])
@pytest.mark.parametrize("headers", [{}, {"HTTP_ACCEPT_LANGUAGE": "*"}, {"HTTP_HOST": "localhost"}])
def test_answers_equal_those_of_the_endpoint(ask, fan, closed, more, headers):
    body = {"user_id": fan.pk} | more
    ask(body, **headers)
    by_endpoint = ask(body, **headers, **BY_ENDPOINT)
    closed()

    assert shown(ask(body, **headers)) == shown(by_endpoint)


def test_the_language_of_the_site_and_of_the_reader_count(ask, settings):
    english, vietnamese = ask(), ask(HTTP_ACCEPT_LANGUAGE="vi")
    settings.SITE_LANGUAGE = "vi"
    answers = [ask(), ask()]

    assert [answer["Content-Language"] for answer in (english, vietnamese, *answers)] == ["en", "vi", "vi", "vi"]
    assert shown(answers[1]) == shown(vietnamese)


def test_what_is_not_usual_is_left_to_the_endpoint(ask, fan):
    bodies = [
        {},
        [],
        {"user_id": "1"},
        {"user_id": 0},
        {"user_id": 10**12},
        {"user_id": 2**70},
        {"user_id": fan.pk + 0.5},
    ]
    bodies += [{"user_id": fan.pk, "num_recommendations": k} for k in (0, 101, None, True)]
    bodies += [{"user_id": fan.pk, "include_new_movies": 1}, {"user_id": fan.pk, "other": 1}]
    for body in bodies:
        assert shown(ask(body)) == shown(ask(body, **BY_ENDPOINT)), body


def test_a_revoked_key_and_permission_count_at_once(ask, service, fan, nora):
    service.credentials(HTTP_AUTHORIZATION=f"Token {key_of(nora, 'read')}")
    assert (ask({"user_id": nora.pk}).status_code, ask().status_code) == (200, 403)
    nora.is_active = False
    nora.save()
    assert ask({"user_id": nora.pk}).status_code == 401
    nora.is_active = True
    nora.save()
    APIKey.objects.filter(user=nora).delete()
    assert ask({"user_id": nora.pk}).status_code == 401


def test_each_request_is_counted_once(ask, monkeypatch):
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "service", "5/min")  # one is used up
    unknown = {"user_id": 10**9}
    answers = (ask(), ask(unknown), ask(unknown, **BY_ENDPOINT), ask(), ask(), ask(unknown))

    assert [answer.status_code for answer in answers] == [200, 404, 404, 200, 429, 429]


def test_a_rating_changes_the_next_list(ask, fan, closed):
    closed()
    first = [row["movie"]["id"] for row in ask().json()["results"]]
    record_rating(user=fan, movie=Movie.objects.get(pk=first[0]), rating=4.0)

    assert first[0] not in [row["movie"]["id"] for row in ask().json()["results"]]


def test_it_is_logged_measured_and_kept(ask, closed, caplog):
    labels = {"view": "api:recommend", "method": "POST", "status": "200"}
    counter = ("django_http_responses_total_by_status_view_method_total", labels)
    before, n_kept = REGISTRY.get_sample_value(*counter) or 0.0, len(impressions)
    closed()
    caplog.set_level(logging.INFO, "movierec.access")
    ask(HTTP_X_REQUEST_ID="direct-12345678")

    assert "POST /api/v1/recommend 200" in caplog.text
    assert REGISTRY.get_sample_value(*counter) == before + 1
    assert len(impressions) == n_kept + 1


def test_it_takes_two_queries(ask, closed):  # and one that counts, where there is no Redis
    closed()
    ask()
    with CaptureQueriesContext(connection) as queries:
        ask()
    assert len(queries) <= 3, queries.captured_queries
