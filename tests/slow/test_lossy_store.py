"""An S3 store behind a network that cuts or stalls connections. A transfer fails in time or succeeds after a retry."""

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import botocore.endpoint
import pytest
from django.core.management import CommandError, call_command

from mlops.backup import stores
from mlops.backup.layout import DATABASE, DESCRIPTION
from mlops.backup.reader import read_backup
from mlops.backup.stores import open_store
from mlops.delivery.package import PREFIX, RECORD
from mlops.registry.artifacts import require_artifact
from tests.lossy_proxy import LossyProxy
from tests.mlops.conftest import bucket, champion_site, own_store, s3_server
from tests.mlops.test_delivery import empty_disk

__all__ = ["bucket", "champion_site", "own_store", "s3_server"]

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(600)]
HOME, MODELS = "s3://backups/movies", "s3://backups/models"
TRIES = 40
Lossy = Callable[..., Any]


@pytest.fixture
def lossy(bucket, s3_server, monkeypatch) -> Lossy:
    """Within `lossy(limit)` the store is behind a proxy that loses connections; outside it is reached directly."""

    @contextmanager
    def behind(limit: Callable[[], int | None], *, stalls: bool = False) -> Iterator[LossyProxy]:
        proxy = LossyProxy(urlsplit(s3_server).port, limit, stalls=stalls)
        with monkeypatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
            if not stalls:  # how long commands take is measured there
                pause = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 20))
                patch.setattr(botocore.endpoint, "time", pause)  # before a request is repeated
            yield proxy

    return behind


@pytest.fixture
def allowed_seconds(monkeypatch) -> float:
    """With shorter waits than a site's; returns after how many seconds each command has to have ended."""
    monkeypatch.setattr(stores, "READ_SECONDS", 0.5)
    request = stores.ATTEMPTS * (stores.READ_SECONDS + 2)  # botocore's pauses are of 1 and 2 s at most
    return stores.DOWNLOAD_ATTEMPTS * request + 10  # of a busy machine


@pytest.fixture
def delivered(champion_site, bucket, settings) -> str:
    """A backup and a package, whose address this is, from a time when the store answered."""
    settings.MODEL_STORE = MODELS
    call_command("backup", HOME)
    call_command("export_model")
    [name] = open_store(MODELS, PREFIX).names()
    return f"{MODELS}/{name}"


def at_random(seed: int) -> Callable[[], int | None]:
    """Loses the first connection and then one in three or so, anywhere in an upload or a download."""
    rng, first = random.Random(seed), iter([300])
    return lambda: next(first, rng.randrange(30_000) if rng.random() < 0.2 else None)


def succeeded(*command: str) -> bool:
    """Whether the command did. If not, it said why in words."""
    try:
        call_command(*command)
    except CommandError as error:
        assert re.search(r"s3://backups|^Restored, but version", str(error)), error
        return False
    return True


def require_whole() -> None:
    """Whatever is taken for a backup or a package is one."""
    for address, prefix, needed in ((HOME, stores.PREFIX, (DESCRIPTION, DATABASE)), (MODELS, PREFIX, (RECORD,))):
        store = open_store(address, prefix)
        for name in store.names():
            assert read_backup(store, name, needed=needed)


@pytest.mark.parametrize("seed", range(3))
def test_cut_connections_cost_some_tries(delivered, champion_site, lossy, settings, seed):
    with lossy(at_random(seed)) as proxy:
        for command in (
            ("backup", HOME),
            ("restore", HOME, "--verify"),
            ("export_model", "--to", f"{MODELS}/{seed}"),
            ("import_model", delivered),
            ("fetch_models",),
        ):
            if command[0] in ("import_model", "fetch_models"):
                empty_disk(settings)
            assert any(succeeded(*command) for _ in range(TRIES)), command
            require_artifact(champion_site)

    assert proxy.n_lost
    require_whole()


@pytest.mark.parametrize("limit", [0, 100, 3_000, 20_000])
def test_connections_that_all_are_cut(delivered, champion_site, lossy, settings, limit):
    before = open_store(HOME).names()

    with lossy(lambda: limit):
        for command in (("backup", HOME), ("export_model", "--to", f"{MODELS}/2"), ("restore", HOME, "--force")):
            assert not succeeded(*command) or limit > 3_000
        empty_disk(settings)
        for command in (("fetch_models",), ("import_model", delivered)):
            assert not succeeded(*command) or limit > 3_000

    assert set(open_store(HOME).names()) >= set(before)
    require_whole()
    call_command("prepare_host")
    require_artifact(champion_site)
    assert succeeded("backup", HOME)


@pytest.mark.parametrize("limit", [0, 3_000])
def test_a_store_that_stalls_ends_every_command_in_time(
    delivered, champion_site, lossy, allowed_seconds, settings, caplog, limit
):
    def took(*command: str) -> float:
        began = time.monotonic()
        assert not succeeded(*command)
        return time.monotonic() - began

    with lossy(lambda: limit, stalls=True):
        seconds = {
            command[0]: took(*command) for command in (("backup", HOME), ("export_model", "--to", f"{MODELS}/2"))
        }
        empty_disk(settings)
        for command in (("restore", HOME, "--force"), ("import_model", delivered), ("fetch_models",)):
            seconds[command[0]] = took(*command)
        began = time.monotonic()
        call_command("prepare_host")  # starts without
        seconds["prepare_host"] = time.monotonic() - began

    assert max(seconds.values()) < allowed_seconds, seconds
    assert "the model was not fetched" in caplog.text
    require_whole()
    call_command("fetch_models")
    require_artifact(champion_site)
    assert succeeded("backup", HOME)
