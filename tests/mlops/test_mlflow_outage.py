"""An MLflow that returns 500 or never responds costs one timeout and one log line. The next sync repairs the mirror."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core import mail
from django.core.management import call_command

from mlops.models import Alert, ModelVersion, PipelineRun
from mlops.registry import mlflow_client
from mlops.registry.codes import MirrorCode
from mlops.registry.mlflow_sync import mirror
from mlops.services import promote, prune, roll_back, run_training, start_training
from mlops.tasks import sync_registry as sync_registry_task
from tests.mlops.site import make_version
from tests.mlops.test_mlflow_client import client

__all__ = ["client"]

TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"


class BrokenMLflow(ThreadingHTTPServer):
    """Counts requests. Answers 500 to each, or none while `hangs`."""

    daemon_threads = True
    hangs = False
    n_requests = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: BrokenMLflow

    def do_GET(self) -> None:
        self.server.n_requests += 1
        if self.server.hangs:
            self.server.ended.wait()
        else:
            self.send_error(500)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None: ...


@pytest.fixture(params=["500", "no answer"])
def broken(request, settings, monkeypatch, quick) -> Iterator[BrokenMLflow]:
    monkeypatch.setenv(TIMEOUT, "1")
    with BrokenMLflow() as server:
        server.hangs = request.param == "no answer"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        settings.MLFLOW_TRACKING_URI = server.url
        yield server
        server.ended.set()
        server.shutdown()


@pytest.mark.django_db
def test_mirror_sync_and_retention_wait_once(alice, broken):
    versions = [make_version(mlflow_run_id=f"{n:032x}", mlflow_version=str(n)) for n in (1, 2, 3)]
    removed = [make_version(mlflow_run_id=f"{n:032x}", mlflow_version=str(n)) for n in (4, 5, 6)]
    ModelVersion.objects.filter(pk__in=[row.pk for row in removed]).update(artifact_removed_at="2026-01-01T00:00Z")

    for work in (lambda: mirror(versions[0]), sync_registry_task, prune):
        before = broken.n_requests
        work()
        assert broken.n_requests == before + 1


@pytest.mark.django_db
def test_promotion_and_rollback_do_not_ask(alice, broken, django_capture_on_commit_callbacks):
    first, second = make_version(), make_version()
    with django_capture_on_commit_callbacks(execute=True):
        promote(version=first.pk)
        call_command("promote_model", second.pk)
        roll_back()

    assert (ModelVersion.champion(), broken.n_requests) == (first, 0)


def test_training_ends_promoted_and_the_next_sync_repairs(rated_site, client, broken, settings, mlflow_store):
    settings.ALERT_EMAILS = ["ops@example.org"]

    run = run_training(run_id=start_training(trigger="command").pk)

    version = ModelVersion.objects.get()
    assert (run.status, version.status, version.mlflow_run_id) == (PipelineRun.Status.SUCCEEDED, "champion", "")
    assert (run.log.count("MLflow"), broken.n_requests) == (1, 1)
    assert [sync_registry_task(), sync_registry_task()] == [{"status": "failed"}] * 2
    alert = Alert.objects.get()
    assert ([found["code"] for found in alert.findings], len(mail.outbox)) == ([MirrorCode.OUTAGE], 1)
    assert "secret" not in alert.message + run.log

    settings.MLFLOW_TRACKING_URI = mlflow_store
    assert sync_registry_task() == {"logged": 1}
    version.refresh_from_db()
    assert str(client.get_model_version_by_alias("movierec", "champion").version) == version.mlflow_version
    alert.refresh_from_db()
    assert alert.closed_at


@pytest.mark.once
def test_one_wait_is_a_few_seconds(monkeypatch):
    monkeypatch.delenv(TIMEOUT, raising=False)
    mlflow_client.connect()

    assert int(os.environ[TIMEOUT]) <= 5
    with mlflow_client.time_to_upload(200 * 1024**2):
        assert int(os.environ[TIMEOUT]) == 15
    assert int(os.environ[TIMEOUT]) == 5
