"""An MLflow server that is shared by two sites and stops responding."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from mlops.delivery.fetch import fetch_versions
from mlops.errors import PackageError
from mlops.models import ModelVersion, SiteIdentity
from mlops.registry.artifacts import require_artifact
from mlops.registry.mlflow_sync import mirror
from mlops.services import promote, prune
from mlops.tasks import sync_registry
from tests.mlops.site import make_version
from tests.processes import ROOT, answers, environment, free_port, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(600)]

OTHER_SITE = """
import json, django; django.setup()
from django.utils import timezone
from mlops.models import Alert, ModelVersion, SiteIdentity
from mlops.services import promote, prune, sync_registry
from tests.mlops.site import fill_catalogue, make_version
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


@pytest.fixture(scope="module")
def started(tmp_path_factory, empty_store) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    port, folder = free_port(), tmp_path_factory.mktemp("server")
    store = shutil.copy(empty_store, folder / "mlflow.db")
    places = [f"--backend-store-uri=sqlite:///{store}", f"--artifacts-destination={folder / 'artifacts'}"]
    command = ["mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1", *places]
    address, quiet = f"http://127.0.0.1:{port}", {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with running(*command, log=folder / "mlflow.log", **quiet) as process:
        wait_for(lambda: answers(f"{address}/health"), seconds=120, what="MLflow answers")
        yield process, address, folder


@pytest.fixture
def server(quick, started, settings) -> subprocess.Popen[bytes]:
    """The server of this file, without what an earlier test registered."""
    process, settings.MLFLOW_TRACKING_URI, _ = started
    client = mlflow.MlflowClient(settings.MLFLOW_TRACKING_URI, settings.MLFLOW_TRACKING_URI)
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    return process


def registered(uri: str) -> dict[int, tuple[str, dict[str, str], list[str]]]:
    client = mlflow.MlflowClient(uri, uri)
    found = client.search_model_versions("name = 'movierec'")
    full = [client.get_model_version("movierec", row.version) for row in found]
    return {int(row.version): (row.run_id, row.tags, sorted(row.aliases)) for row in full}


def run_other_site(place: Path, uri: str) -> tuple[str, list[dict[str, object]]]:
    changes = {"VAR_DIR": place, "MODEL_DIR": place / "models", "SNAPSHOT_DIR": place / "snapshots"}
    _copy_tables(place)
    variables = environment(**{name: str(path) for name, path in changes.items()}, MLFLOW_TRACKING_URI=uri)
    command = [sys.executable, "-c", OTHER_SITE]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    site, findings = json.loads(done.stdout.splitlines()[-1])
    return site, findings


def _copy_tables(place: Path) -> None:
    """The site's database as others see it: with its tables, without the rows of a test that is not committed."""
    place.mkdir()
    files = (connection.settings_dict["NAME"], place / "db.sqlite3")
    ours, theirs = map(sqlite3.connect, files)
    with closing(ours), closing(theirs):
        ours.backup(theirs)


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


def test_a_host_without_files_gets_them_from_the_server(alice, quick, server, settings):
    version = make_version()
    promote(version=version.pk)
    settings.MODEL_STORE = "mlflow://"
    place = settings.MODEL_DIR / version.artifact
    files = {file.name: file.read_bytes() for file in place.iterdir()}
    shutil.rmtree(place)
    with pytest.raises(PackageError, match=f"does not have the files of version {version.pk}"):
        fetch_versions()
    place.mkdir()
    for name, content in files.items():
        (place / name).write_bytes(content)
    assert sync_registry() == {"logged": 1}
    shutil.rmtree(place)

    call_command("fetch_models")

    assert {file.name: file.read_bytes() for file in place.iterdir()} == files
    require_artifact(version)
    assert fetch_versions() == []


def test_files_that_the_server_changed_are_refused(alice, quick, server, settings, started):
    version = make_version()
    promote(version=version.pk)
    settings.MODEL_STORE = "mlflow://"
    assert sync_registry() == {"logged": 1}
    shutil.rmtree(settings.MODEL_DIR / version.artifact)
    copies = started[2].rglob(f"artifacts/{version.artifact}/*.npy")  # of earlier tests, too
    stored = max(copies, key=lambda file: file.stat().st_mtime_ns)
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    with pytest.raises(PackageError, match=f"did not give version {version.pk}: .*{stored.name}"):
        fetch_versions()

    assert not (settings.MODEL_DIR / version.artifact).exists()
    stored.unlink()
    with pytest.raises(PackageError):
        fetch_versions()
    stored.write_bytes(whole)
    assert fetch_versions() == [version]


def test_a_server_that_stops_answering_fails_no_work(alice, quick, server):
    version = make_version()
    promote(version=version.pk)
    os.killpg(server.pid, signal.SIGSTOP)

    assert mirror(version) is False
    assert sync_registry() == {"status": "failed"}

    os.killpg(server.pid, signal.SIGCONT)
    assert sync_registry() == {"logged": 1}
