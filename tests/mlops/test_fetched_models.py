"""Models that a host fetches from the model store, and their eviction."""

import os
import shutil
import signal
import time

import pytest
from django.core.management import CommandError, call_command

from mlops.delivery.fetch import fetch_served, fetch_versions, forget_oldest
from mlops.registry.artifacts import folder_of, size_of
from mlops.registry.promotion import promote
from mlops.services import export_snapshot
from mlops.tasks import push_data
from tests.mlops.site import make_version
from tests.mlops.test_delivery import call, empty_disk


def test_fetched_models_stay_within_the_limit(rated_site, settings, tmp_path):
    """The longest unused go first, never one that serves or is asked for; what was trained here is left alone."""
    settings.MODEL_STORE = str(tmp_path / "store")
    own, *versions = [make_version(snapshot=export_snapshot()) for _ in range(5)]
    for version in versions:
        call("export_model", version.pk)
        shutil.rmtree(settings.MODEL_DIR / version.artifact)
    shutil.rmtree(settings.SNAPSHOT_DIR)
    for version in versions:
        fetch_versions(version=version.pk)
    promote(version=versions[1].pk)
    fetch_versions(version=versions[0].pk)  # wanted again: used later than the others

    size = size_of(settings.MODEL_DIR / own.artifact)
    forget_oldest(keep=[], limit=2 * size)

    here = [row for row in (own, *versions) if (settings.MODEL_DIR / row.artifact).exists()]
    assert here == [own, versions[0], versions[1]]
    assert not settings.SNAPSHOT_DIR.exists()  # a model needs no ratings to serve

    forget_oldest(keep=[versions[0]], limit=1)
    assert (settings.MODEL_DIR / versions[0].artifact).exists()
    forget_oldest(keep=[], limit=1)
    assert {path.name for path in settings.MODEL_DIR.iterdir()} == {own.artifact, versions[1].artifact}


def test_a_promotion_reaches_the_store_by_itself(rated_site, settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")
    version = make_version(snapshot=export_snapshot())
    promote(version=version.pk)

    push_data()

    empty_disk(settings)
    push_data()  # another worker, without the files: leaves it to the first
    assert [row.pk for row in fetch_versions()] == [version.pk]


def test_mlflow_as_the_store_takes_no_packages(rated_site, settings, tmp_path):
    """The mirror puts models there; the data of a package has no place in it."""
    settings.MODEL_STORE = "mlflow://"
    version = make_version(snapshot=export_snapshot())
    promote(version=version.pk)

    push_data()
    with pytest.raises(CommandError, match="name a folder or s3://bucket/prefix"):
        call("export_model")

    assert call("export_model", "--to", tmp_path / "store")


def test_a_fetch_from_mlflow_that_fails_is_logged(rated_site, settings, monkeypatch, caplog):
    """Its process ends with another code than 0; the web process goes on."""
    version = make_version()
    promote(version=version.pk)
    shutil.rmtree(folder_of(version))
    settings.MODEL_STORE = "mlflow://"
    monkeypatch.setattr("mlops.delivery.fetch.sys.executable", shutil.which("false"))

    fetch_served()

    assert "The model that is to be served was not fetched" in caplog.text


def test_a_fetch_that_takes_too_long_ends_in_order(monkeypatch, capsys):
    """deploy/entrypoint ends it by SIGTERM: what it holds goes away with it, and it says that it was stopped."""
    left = []

    def wait(version):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        finally:
            left.append(version)

    monkeypatch.setattr("mlops.management.commands.fetch_models.fetch_versions", wait)
    with pytest.raises(SystemExit) as ended:
        call_command("fetch_models")

    assert (ended.value.code, left) == (130, [None])
    assert "Stopped" in capsys.readouterr().err
