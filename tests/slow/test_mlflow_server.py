"""A real tracking server: two sites share it, and it stops answering."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from django.utils import timezone

from mlops.models import ModelVersion, SiteIdentity
from mlops.registry.mlflow_sync import mirror
from mlops.services import promote, prune
from mlops.tasks import sync_registry
from tests.mlops.site import make_version
from tests.processes import ROOT, answers, environment, free_port, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(600)]

OTHER_SITE = """
import json, django; django.setup()
from django.core.management import call_command
from django.utils import timezone
from mlops.models import Alert, ModelVersion, SiteIdentity
from mlops.services import promote, prune, sync_registry
from tests.mlops.site import fill_catalogue, make_version
call_command("migrate", verbosity=0)
fill_catalogue()
refused, served = make_version(status="refused", decision="refused"), make_version()
promote(version=served.pk)
sync_registry()
alert = Alert.objects.get(closed_at=None)
sync_registry()
ModelVersion.objects.filter(pk=refused.pk).update(artifact_removed_at=timezone.now())
prune()
print(json.dumps([SiteIdentity.current(), alert.findings]))
"""


@pytest.fixture
def server(quick, tmp_path, settings) -> Iterator[subprocess.Popen[bytes]]:
    port, folder = free_port(), tmp_path / "server"
    places = [f"--backend-store-uri=sqlite:///{tmp_path}/mlflow.db", f"--artifacts-destination={folder}"]
    command = ["mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1", *places]
    settings.MLFLOW_TRACKING_URI = f"http://127.0.0.1:{port}"
    log, quiet = tmp_path / "mlflow.log", {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with running(*command, log=log, **quiet) as process:
        wait_for(lambda: answers(f"{settings.MLFLOW_TRACKING_URI}/health"), seconds=120, what="MLflow answers")
        yield process


def registered(uri: str) -> dict[int, tuple[str, dict[str, str], list[str]]]:
    client = mlflow.MlflowClient(uri, uri)
    found = client.search_model_versions("name = 'movierec'")
    full = [client.get_model_version("movierec", row.version) for row in found]
    return {int(row.version): (row.run_id, row.tags, sorted(row.aliases)) for row in full}


def run_other_site(place: Path, uri: str) -> tuple[str, list[dict[str, object]]]:
    changes = {"VAR_DIR": place, "MODEL_DIR": place / "models", "SNAPSHOT_DIR": place / "snapshots"}
    variables = environment(**{name: str(path) for name, path in changes.items()}, MLFLOW_TRACKING_URI=uri)
    command = [sys.executable, "-c", OTHER_SITE]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    site, findings = json.loads(done.stdout.splitlines()[-1])
    return site, findings


def test_two_sites_do_not_touch_each_other(alice, quick, server, settings, tmp_path):
    uri = settings.MLFLOW_TRACKING_URI
    refused, served = make_version(status="refused", decision="refused"), make_version()
    promote(version=served.pk)
    assert sync_registry() == {"logged": 2}
    ours = registered(uri)
    assert {tags["movierec.site"] for _, tags, _ in ours.values()} == {SiteIdentity.current()}

    other, findings = run_other_site(tmp_path / "other", uri)

    assert [(row["code"], row["params"]["site"]) for row in findings] == [("mlflow.alias", SiteIdentity.current())]
    both = registered(uri)
    theirs = {number: row for number, row in both.items() if number not in ours}
    assert {number: both[number] for number in ours} == ours
    assert [(tags["movierec.site"], tags["status"], aliases) for _, tags, aliases in theirs.values()] == [
        (other, "champion", [])
    ]

    ModelVersion.objects.filter(pk=refused.pk).update(artifact_removed_at=timezone.now())
    prune()
    served.refresh_from_db()
    assert registered(uri) == {number: both[number] for number in (int(served.mlflow_version), *theirs)}


def test_a_server_that_stops_answering_fails_no_work(alice, quick, server):
    version = make_version()
    promote(version=version.pk)
    os.killpg(server.pid, signal.SIGSTOP)

    assert mirror(version) is False
    assert sync_registry() == {"status": "failed"}

    os.killpg(server.pid, signal.SIGCONT)
    assert sync_registry() == {"logged": 1}
