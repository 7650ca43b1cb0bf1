"""Ratings, a training in a worker, the gate, a promotion, lists of the web processes, and a rollback."""

from pathlib import Path

import httpx
import pytest

from catalog.models import User
from mlops.models import ModelVersion, PipelineRun
from tests.factories import UserFactory, key_of
from tests.mlops.site import make_version
from tests.processes import running, site, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.ml_test("I3", "I7")]

WORKER = ("celery", "--app", "movierec", "worker", "--queues", "training", "--concurrency", "1", "--loglevel", "INFO")


def client_of(user: User, address: str) -> httpx.Client:
    token = key_of(user)
    return httpx.Client(base_url=f"{address}/api/v1/", headers={"Authorization": f"Token {token}"}, timeout=60)


def served_version(client: httpx.Client) -> int | None:
    answer = client.get("recommendations/")
    assert answer.status_code == 200, answer.text
    return answer.json()["model_version"]


def test_from_ratings_to_lists_and_back(rated_site, tmp_path: Path):
    staff = UserFactory(username="sam", is_staff=True, is_superuser=True)
    with (
        running(*WORKER, log=tmp_path / "worker.log"),
        site(log=tmp_path / "web.log", workers=2) as address,
        client_of(staff, address) as ops,
        client_of(User.objects.get(username="rater1"), address) as rater,
    ):
        assert served_version(rater) is None

        run = ops.post("runs/", json={}).json()
        wait_for(
            lambda: ops.get(f"runs/{run['id']}/").json()["status"] not in ("queued", "running"),
            seconds=240,
            what="the training ends",
        )
        run = ops.get(f"runs/{run['id']}/").json()
        assert (run["status"], run["trigger"]) == ("succeeded", "api"), run
        first = run["version"]
        wait_for(lambda: served_version(rater) == first, seconds=15, what="the lists are the first model's")
        personal = rater.get("recommendations/").json()
        assert (personal["fallback"], personal["results"][0]["source"]) == (None, "personal")
        seen = set(User.objects.get(username="rater1").ratings.values_list("movie_id", flat=True))
        assert not seen.intersection(row["movie"]["id"] for row in personal["results"])

        second = make_version().pk
        assert ops.post(f"models/{second}/promote/", json={"reason": "try popularity"}).status_code == 200
        wait_for(lambda: served_version(rater) == second, seconds=15, what="the lists are the second model's")
        popular = rater.get("recommendations/").json()
        assert popular["results"] != personal["results"]

        assert ops.post("models/rollback/", json={}).json()["version"] == first
        wait_for(lambda: served_version(rater) == first, seconds=15, what="the lists are the first model's again")
        again = rater.get("recommendations/").json()
        assert [row["movie"]["id"] for row in again["results"]] == [row["movie"]["id"] for row in personal["results"]]
    assert ModelVersion.objects.get(status="champion").pk == first
    assert PipelineRun.objects.count() == 1
