"""Postgres hangs, alone and together with Redis. Every request is answered soon with a clear error."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.servers import Redis
from catalog.counter import PAUSE_SECONDS
from movierec.bounded_waits import HUNG_SECONDS, WAIT_SECONDS
from tests.movierec.test_metrics import TOKEN
from tests.processes import environment, site
from tests.slow.hung_requests import Answer, Requests, in_turn

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.django_db(transaction=True)]

MARGIN = 0.8  # seconds, for what a request takes besides
API = ("token", "list", "rating", "commit", "promote", "train")


@contextmanager
def stopped(redis: Redis) -> Iterator[None]:
    redis.suspend()
    try:
        yield
    finally:
        redis.resume()


@pytest.fixture
def proxy() -> Proxy:
    if settings.EMBEDDED:
        pytest.skip("takes Postgres")
    return Proxy(urlsplit(environment()["DATABASE_URL"]).port or 5432)


def check(answers: dict[str, Answer]) -> None:
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 503)
    assert all('"code": "unavailable"' in answers[name].body for name in API)
    assert all("<html" in answers[name].body for name in answers.keys() - set(API))


def test_no_request_waits_long_for_a_hung_postgres(rated_site, redis, proxy, static_root, settings, tmp_path):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the site's
    url = urlsplit(environment()["DATABASE_URL"])
    address_of_proxy = url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{proxy.port}").geturl()
    own = {"DATABASE_URL": address_of_proxy, "REDIS_URL": redis.url, "STATIC_ROOT": static_root}
    with (
        site(log=tmp_path / "web.log", workers=1, **own) as address,
        Requests(address) as requests,
        ExitStack() as hang,
    ):
        ready, again = requests.ready(), requests.ready()
        hang.enter_context(proxy.hung())
        probe = httpx.get(f"{address}/readyz", timeout=30)
        assert (probe.status_code, probe.json()["parts"]["database"]["ok"]) == (503, False)
        assert probe.elapsed.total_seconds() < 1
        alone = dict(in_turn(ready))
        check(alone)
        seconds = sorted(answer.seconds for answer in alone.values())
        assert seconds[-1] < WAIT_SECONDS + MARGIN, alone
        assert seconds[-2] < HUNG_SECONDS + MARGIN, alone
        hang.enter_context(stopped(redis))
        time.sleep(PAUSE_SECONDS)
        both = dict(in_turn(again))
        check(both)
        assert max(answer.seconds for answer in both.values()) < HUNG_SECONDS + MARGIN, both
        for path in ("healthz", "metrics"):
            assert httpx.get(f"{address}/{path}", headers=TOKEN, timeout=30).elapsed.total_seconds() < 1
        hang.close()
        recovered = dict(in_turn(requests.ready()))
        assert max(answer.status for answer in recovered.values()) < 400
