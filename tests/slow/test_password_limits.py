"""A thousand wrong passwords, 32 at once, against a running site. Exactly the limit passes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import redis
from django.conf import global_settings, settings
from django.core.management import call_command
from django.test import override_settings

from tests.factories import UserFactory
from tests.processes import free_port, running, site, wait_for
from tests.sign_in import PLACES, REFUSED, guess, send, visitor

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ATTEMPTS = 1000
LIMIT = 20
WORKERS = 4
PASSWORD = "correct horse battery"

OpenSite = Callable[[str], AbstractContextManager[str]]


@contextmanager
def own_redis(folder: Path, *, stopped: bool) -> Iterator[str]:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    command = ("redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder))
    with running(*command, log=folder / "redis.log") as process, redis.Redis.from_url(url) as client:
        wait_for(lambda: _answers(client), seconds=60, what="Redis answers")
        if stopped:
            os.kill(process.pid, signal.SIGSTOP)
        try:
            yield url
        finally:
            os.kill(process.pid, signal.SIGCONT)


def _answers(client: redis.Redis) -> bool:
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


@pytest.fixture(scope="module")
def static_files(tmp_path_factory) -> Path:
    """As `make run` collects them; the pages of a site without them answer 500."""
    folder = tmp_path_factory.mktemp("static")
    storage = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
    with override_settings(STATIC_ROOT=folder, STORAGES=settings.STORAGES | storage):  # compresses no files
        call_command("collectstatic", verbosity=0, interactive=False)
    return folder


@pytest.fixture(
    params=["no Redis", *(pytest.param(name, marks=pytest.mark.services) for name in ("Redis", "stopped Redis"))]
)
def open_site(request, static_files, tmp_path) -> Iterator[OpenSite]:
    """Opens the site with a rate for passwords."""
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):
        UserFactory(username="sam", password=PASSWORD, is_staff=True, is_superuser=True)
    config = tmp_path / "config.yaml"

    @contextmanager
    def opened(rate: str) -> Iterator[str]:
        config.write_text(f"limits: {{token: {rate}, anonymous: 100000/s}}")
        places = {"CONFIG_FILE": str(config), "NUM_PROXIES": "1", "REDIS_URL": url, "STATIC_ROOT": str(static_files)}
        with site(log=tmp_path / "site.log", workers=WORKERS, **places) as address:
            yield address

    if request.param == "no Redis":
        url = ""
        yield opened
        return
    with own_redis(tmp_path, stopped=request.param == "stopped Redis") as url:
        yield opened


def test_exactly_the_limit_passes(open_site):
    """Each attempt comes from an address of its own. An hour's window does not end in mid-test on a busy machine."""
    with open_site(f"{LIMIT}/hour") as address, visitor(address) as client:
        statuses = guess(client, ATTEMPTS, "sam", own_addresses=True)
        assert (statuses.total(), statuses[REFUSED]) == (ATTEMPTS, ATTEMPTS - LIMIT), statuses
        assert set(statuses) == {200, 401, REFUSED}  # pages, API
        assert [send(client, place, "sam", PASSWORD).status_code for place in PLACES] == [REFUSED] * len(PLACES)


def test_the_right_password_passes_after_the_window(open_site):
    """Bounded by answers, not by seconds: attempts are repeated until some of them fall into one window."""
    with open_site("1/s") as address, visitor(address) as client:
        for place in PLACES:
            while not guess(client, 32, "sam")[REFUSED]:
                pass
            while (answer := send(client, place, "sam", PASSWORD)).status_code == REFUSED:
                time.sleep(int(answer.headers["Retry-After"]))
            assert answer.status_code in (200, 302)
            assert "sessionid" in answer.cookies or answer.json()["token"]
