"""A stopped Redis (SIGSTOP) accepts connections without responding. No request waits for it, and no job is lost."""

import os
import signal
from math import inf

import pytest

from catalog.counter import PAUSE_SECONDS
from catalog.models import UserImport
from mlops.models import PipelineRun
from mlops.services import ensure_schedules
from movierec.policy import load_policy
from tests.mlops.site import write_policy
from tests.processes import running, site, wait_for
from tests.slow.hung_requests import Answer, Requests, in_turn

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.django_db(transaction=True)]

MAX_DELAY = 0.5
ROUNDS = 2  # the second for what was late in the first: whatever else the machine does can delay a request
WORKER = ("celery", "--app", "movierec", "worker", "--queues", "default", "--concurrency", "1", "--beat")


def test_no_request_waits_for_a_hung_redis(rated_site, redis, static_root, settings, tmp_path):
    policy = write_policy(rated_site, schedules={"requeue-stale-jobs": {"every_seconds": 1}})
    settings.POLICY = load_policy(policy)
    ensure_schedules()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the site's
    own = {"REDIS_URL": redis.url, "STATIC_ROOT": static_root}
    with (
        running(*WORKER, log=tmp_path / "worker.log", **own),
        site(log=tmp_path / "web.log", workers=1, **own) as address,
        Requests(address) as requests,
    ):
        usual = dict(in_turn(requests.ready()))
        rounds = [requests.ready() for _ in range(ROUNDS)]
        os.kill(redis.pid, signal.SIGSTOP)
        seconds: dict[str, float] = {}
        for ready in rounds:
            late = {name: ready[name] for name in usual if seconds.get(name, inf) >= usual[name].seconds + MAX_DELAY}
            hung = dict(in_turn(late, pause=PAUSE_SECONDS))  # each is the first to ask Redis again
            assert _statuses(hung) == {name: usual[name].status for name in late}
            assert all(status < 400 for status in _statuses(hung).values())
            seconds |= {name: min(answer.seconds, seconds.get(name, inf)) for name, answer in hung.items()}
        delays = {name: seconds[name] - usual[name].seconds for name in usual}
        assert max(delays.values()) < MAX_DELAY, delays
        upload = UserImport.objects.latest("pk")
        assert upload.is_unsent
        assert PipelineRun.objects.latest("pk").is_unsent
        assert upload.progress_text in requests.members[upload.user.username].get("/import/").text

        os.kill(redis.pid, signal.SIGCONT)
        read = UserImport.objects.filter(pk=upload.pk, status="succeeded")
        wait_for(read.exists, seconds=150, what="the upload is read")


def _statuses(answers: dict[str, Answer]) -> dict[str, int]:
    return {name: answer.status for name, answer in answers.items()}
