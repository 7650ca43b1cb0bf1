"""Only one process writes to MLflow at a time, and a sync that runs out of time stops."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

from mlops.errors import MirrorBusy
from mlops.models import Alert, ModelVersion
from mlops.registry import mlflow_runs
from mlops.registry.codes import MirrorCode
from mlops.registry.mlflow_lock import sole_writer
from mlops.registry.mlflow_sync import mirror
from mlops.services import prune, sync_registry
from mlops.tasks import sync_registry as sync_registry_task
from tests.mlops.site import make_version
from tests.mlops.test_mlflow_client import client

__all__ = ["client"]

WAIT = 60


@pytest.fixture
def other_writer(db):
    """Another process, as far as the lock can tell: it has a connection and an open file of its own."""
    has_lock, ends = Event(), Event()

    def hold() -> None:
        try:
            with sole_writer():
                has_lock.set()
                assert ends.wait(WAIT)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert has_lock.wait(WAIT)
        yield lambda: (ends.set(), held.result(WAIT))
        ends.set()


def test_a_second_writer_leaves_the_runs_of_the_first_alone(alice, client, monkeypatch, other_writer):
    """A run that is being written has no registered version yet, as one that was left incomplete."""
    version = make_version()
    unfinished = client.create_run(
        mlflow_runs.experiment(client), tags=mlflow_runs._tags(version), run_name="under way"
    ).info.run_id

    assert sync_registry_task() == {"status": "skipped"}
    with pytest.raises(MirrorBusy):
        sync_registry()
    assert not mirror(version)
    prune()
    assert client.get_run(unfinished).info.lifecycle_stage == "active"
    assert not Alert.objects.exists()

    other_writer()
    assert sync_registry_task() == {"logged": 1}
    assert client.get_run(unfinished).info.lifecycle_stage == "deleted"


def test_an_error_within_releases_the_lock(db):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), sole_writer():
            raise ZeroDivisionError


def test_a_sync_out_of_time_ends_with_an_alert(alice, client, monkeypatch):
    make_version(), make_version()
    calls = []

    def time_is_over(version: ModelVersion) -> None:
        calls.append(version)
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("mlops.registry.mlflow_reconcile.mirror_version", time_is_over)

    assert sync_registry_task() == {"status": "failed"}
    assert len(calls) == 1
    assert [found["code"] for found in Alert.objects.get(closed_at=None).findings] == [MirrorCode.OUTAGE]


def test_a_training_out_of_time_is_not_told_that_mlflow_failed(alice, client, monkeypatch):
    def time_is_over(version: ModelVersion) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("mlops.registry.mlflow_sync.mirror_version", time_is_over)

    with pytest.raises(SoftTimeLimitExceeded):
        mirror(make_version())
