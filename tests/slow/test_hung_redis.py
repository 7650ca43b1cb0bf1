"""A stopped Redis (SIGSTOP) accepts connections and answers nothing. No request waits for it; no job is lost."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from benchmarks.chaos.servers import Redis
from catalog.models import UserImport
from mlops.models import PipelineRun, Promotion
from mlops.services import cancel_run, ensure_schedules
from movierec.policy import load_policy
from tests.factories import MovieFactory, UserFactory
from tests.mlops.site import make_version, write_policy
from tests.processes import ROOT, environment, running, site, wait_for
from tests.sign_in import send, visitor

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.django_db(transaction=True)]

MAX_DELAY = 0.5
PASSWORD = "correct horse battery"
WORKER = ("celery", "--app", "movierec", "worker", "--queues", "default", "--concurrency", "1", "--beat")
FILE = {"file": ("films.csv", b"title,year,rating\nHeat,1995,4\n", "text/csv")}


@pytest.fixture
def redis(tmp_path) -> Iterator[Redis]:
    server = Redis(tmp_path / "redis", tmp_path / "redis.log", environment())
    server.prepare()
    server.launch()
    server.wait()
    yield server
    server.kill()


def visit(client: httpx.Client, *, movie: int, version: int) -> dict[str, tuple[int, float]]:
    """The status and the seconds of every request that counts or sends a job."""

    def timed(name: str, **sent: object) -> None:
        token = client.cookies["csrftoken"]
        if "json" not in sent:
            sent["data"] = sent.get("data", {}) | {"csrfmiddlewaretoken": token}
        started = time.perf_counter()
        method, path = name.split()
        answer = client.request(method, path, headers={"X-CSRFToken": token}, **sent)
        answers[re.sub(r"\d+/", "", path)] = (answer.status_code, time.perf_counter() - started)

    answers: dict[str, tuple[int, float]] = {}
    started = time.perf_counter()
    assert send(client, "/accounts/sign-in/", "ada", PASSWORD).status_code == 302
    answers["sign-in"] = (302, time.perf_counter() - started)
    timed(f"PUT /api/v1/ratings/{movie}/", json={"rating": 4})
    timed("POST /import/", data={"format": "csv"}, files=FILE)
    timed(f"POST /api/v1/models/{version}/promote/", json={"reason": "newer"})
    timed("POST /api/v1/runs/", json={})
    cancel_run(run_id=PipelineRun.objects.first().pk)
    timed("POST /admin/mlops/pipelinerun/train/")
    return answers


def test_no_request_waits_for_a_hung_redis(rated_site, redis, settings, tmp_path):
    policy = write_policy(rated_site, schedules={"requeue-stale-jobs": {"every_seconds": 1}})
    settings.POLICY = load_policy(policy)
    ensure_schedules()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the site's
    UserFactory(username="ada", password=PASSWORD, is_staff=True, is_superuser=True)
    movies = MovieFactory.create_batch(2)
    first, second = make_version(), make_version()
    own = {"REDIS_URL": redis.url, "STATIC_ROOT": str(tmp_path / "static")}
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=environment(**own), check=True)
    with (
        running(*WORKER, log=tmp_path / "worker.log", **own),
        site(log=tmp_path / "web.log", **own) as address,
        visitor(address) as client,
    ):
        usual = visit(client, movie=movies[0].pk, version=first.pk)
        cancel_run(run_id=PipelineRun.objects.first().pk)
        os.kill(redis.pid, signal.SIGSTOP)
        hung = visit(client, movie=movies[1].pk, version=second.pk)
        waiting = client.get("/import/").text

        assert [status for status, _ in hung.values()] == [status for status, _ in usual.values()]
        assert max(status for status, _ in hung.values()) < 400
        assert Promotion.objects.first().version == second
        delays = {name: seconds - usual[name][1] for name, (_, seconds) in hung.items()}
        assert max(delays.values()) < MAX_DELAY, delays
        assert UserImport.objects.get().is_unsent
        assert PipelineRun.objects.first().is_unsent
        assert UserImport.objects.get().progress_text in waiting

        os.kill(redis.pid, signal.SIGCONT)
        read = UserImport.objects.filter(status="succeeded")
        wait_for(read.exists, seconds=150, what="the upload is read")
