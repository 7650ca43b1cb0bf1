"""A stopped Redis (SIGSTOP) accepts connections and answers nothing. No request waits for it; no job is lost."""

import os
import signal

import pytest

from catalog.counter import PAUSE_SECONDS
from catalog.models import UserImport
from mlops.models import PipelineRun
from mlops.services import ensure_schedules
from movierec.policy import load_policy
from tests.mlops.site import write_policy
from tests.processes import running, site, wait_for
from tests.slow.hung_requests import Requests, in_turn

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.django_db(transaction=True)]

MAX_DELAY = 0.5
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
        ready = requests.ready()
        os.kill(redis.pid, signal.SIGSTOP)
        hung = dict(in_turn(ready, pause=PAUSE_SECONDS))  # each is the first to ask Redis again

        assert {name: answer.status for name, answer in hung.items()} == {
            name: answer.status for name, answer in usual.items()
        }
        assert max(answer.status for answer in hung.values()) < 400
        delays = {name: answer.seconds - usual[name].seconds for name, answer in hung.items()}
        assert max(delays.values()) < MAX_DELAY, delays
        upload = UserImport.objects.latest("pk")
        assert upload.is_unsent
        assert PipelineRun.objects.latest("pk").is_unsent
        assert upload.progress_text in requests.member.get("/import/").text

        os.kill(redis.pid, signal.SIGCONT)
        read = UserImport.objects.filter(pk=upload.pk, status="succeeded")
        wait_for(read.exists, seconds=150, what="the upload is read")
