"""Lists for many users at once equal those of single requests. They are scored together and report errors per user."""

import json
from typing import Any

import pytest
from rest_framework.throttling import ScopedRateThrottle

from catalog.models import Rating, User, Viewing
from recommender.api.batch import MAX_LINES
from recommender.estimators import ESTIMATORS
from recommender.models import Dismissal, Impression
from recommender.serving import batch
from recommender.serving.lists import impressions
from recommender.serving.model_server import server
from recommender.serving.profile import UserProfile
from recommender.serving.stats import serving_stats
from tests.factories import MovieFactory, key_of
from tests.recommender.conftest import count_ratings

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/recommend/batch"


def send(client, *lines: Any, kind: str = "application/x-ndjson"):
    body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return client.post(ADDRESS, body, content_type=kind)


def without_id(line: bytes) -> bytes:
    request_id = json.loads(line)["request_id"]
    return line.replace(request_id.encode(), b"")


def everyone() -> list[int]:
    return list(User.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("algorithm", ["ease", "hybrid", "popularity"])
def test_a_line_equals_the_single_list(service, train, camps, fan, nora, algorithm):
    train(version=4, algorithm=algorithm)
    count_ratings()
    MovieFactory()
    Dismissal.objects.create(user=fan, movie=camps["Science Fiction"][3])
    server.refresh()
    wanted = [
        {"user_id": user, "num_recommendations": k, "include_new_movies": include_new}
        for user in everyone()
        for k, include_new in ((4, False), (10, True))
    ]

    answer = send(service, *wanted)
    single = [service.post("/api/v1/recommend", one, format="json").content for one in wanted]

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    lines = answer.content.splitlines()
    assert len(lines) == len(wanted) > 80
    assert [without_id(line) for line in lines] == [without_id(one) for one in single]
    assert len({json.loads(line)["request_id"] for line in lines}) == len(lines)
    assert {json.loads(line)["model_version"] for line in lines} == {4, None}


def test_users_are_scored_together(service, train, camps, monkeypatch):
    train(regularization=10.0)
    scored = []
    score = ESTIMATORS["ease"]._score_history

    def counted(self, history, item_idx):
        scored.append(history.shape[0])
        return score(self, history, item_idx)

    monkeypatch.setattr(ESTIMATORS["ease"], "_score_history", counted)
    monkeypatch.setattr(batch, "BLOCK", 16)
    users = list(Rating.objects.order_by("user").values_list("user", flat=True).distinct())

    send(service, *({"user_id": user} for user in users))

    assert scored == [16, 16, len(users) - 32]


def test_an_error_takes_the_place_of_its_list(service, train, camps, fan):
    train(version=4)
    good = {"user_id": fan.pk, "num_recommendations": 3}
    lines = [good, {"user_id": 10**9}, b"{", good | {"num_recommendations": 101}, b" ", [], {"user_id": "1"}, good]

    answers = [json.loads(line) for line in send(service, *lines).content.splitlines()]

    codes = [answer["error"]["code"] if "error" in answer else "" for answer in answers]
    assert codes == ["", "user_not_found", "parse_error", "invalid", "invalid", "invalid", ""]
    assert list(answers[3]["error"]["fields"]) == ["num_recommendations"]
    assert answers[0]["results"] == answers[-1]["results"] != []


@pytest.mark.parametrize("n", [0, MAX_LINES + 1])
def test_the_number_of_lines_is_limited(service, fan, n):
    answer = send(service, *[{"user_id": fan.pk}] * n)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert list(answer.json()["error"]["fields"]) == ["lines"]


def test_without_the_permission_lines_for_oneself_are_answered(api, fan, nora):
    assert send(api, {"user_id": fan.pk}).status_code == 401
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(fan, 'read')}")
    answer = send(api, *({"user_id": pk} for pk in (fan.pk, nora.pk, 10**9)))
    own, others, nobody = map(json.loads, answer.content.splitlines())

    assert own["results"]
    assert others == nobody
    assert others["error"]["code"] == "permission_denied"


def test_a_batch_is_lines_of_json(service, fan):
    assert send(service, {"user_id": fan.pk}, kind="application/json").status_code == 415
    assert service.get(ADDRESS).status_code == 405


def test_clients_that_know_files_alone_get_one(service, fan):
    line = json.dumps({"user_id": fan.pk}).encode()
    answer = service.post(
        ADDRESS, line, content_type="application/octet-stream", HTTP_ACCEPT="application/octet-stream"
    )

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/octet-stream")
    assert json.loads(answer.content)["results"]


def test_batches_count_against_the_limit_of_services(service, fan, monkeypatch):
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "service", "6/min")
    line = {"user_id": fan.pk}
    single = service.post("/api/v1/recommend", line, format="json")
    answers = [single, *(send(service, *[line] * n) for n in (1, 3, 2))]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]  # 1 + 1 + 3 of 6, not 2 more
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1].json()["error"]["code"] == "throttled"


def test_the_movies_of_all_lines_are_limited(service, fan, monkeypatch):
    monkeypatch.setattr("recommender.api.batch.MAX_MOVIES", 30)
    lines = [{"user_id": fan.pk, "num_recommendations": k} for k in (10, 20, 1)]
    assert send(service, *lines[:2]).status_code == 200
    answer = send(service, *lines)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["lines"])


def test_each_list_is_recorded_as_a_single_one(service, train, camps, fan, nora):
    train(version=4)
    answer = send(service, {"user_id": fan.pk, "num_recommendations": 3}, {"user_id": nora.pk})
    lists = {line["request_id"]: line for line in map(json.loads, answer.content.splitlines())}
    impressions.flush()

    kept = {str(row.request_id): row for row in Impression.objects.all()}
    assert kept.keys() == lists.keys()
    for request_id, row in kept.items():
        assert row.surface == "api:recommend"
        assert row.items == [[r["movie"]["id"], r["rank"], r["source"]] for r in lists[request_id]["results"]]
    served = serving_stats._current[4][2].latency_histogram
    assert sum(served) == 1


def test_a_model_that_cannot_score_a_batch_costs_no_list(service, train, camps, fan, monkeypatch):
    train(version=4)

    def fail(*arguments):
        raise MemoryError

    monkeypatch.setattr("recommender.estimators.scored_ahead", fail)
    [line] = send(service, {"user_id": fan.pk, "num_recommendations": 3}).content.splitlines()

    assert json.loads(line)["model_version"] == 4


def test_profiles_take_few_queries_whatever_their_number(train, camps, fan, django_assert_num_queries):
    Dismissal.objects.create(user=fan, movie=camps["Romance"][3])
    Viewing.objects.create(user=fan, movie=camps["Romance"][4])
    users = list(User.objects.all())
    with django_assert_num_queries(3):  # ratings, dismissals and viewings, who exists
        found = batch.profiles_of({user.pk for user in users} | {10**9})

    assert found == {user.pk: UserProfile.of(user) for user in users}
    assert [list(profile.ratings) for profile in found.values()] == [
        list(UserProfile.of(User.objects.get(pk=pk)).ratings) for pk in found
    ]
