import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from mlops.models import ModelVersion
from mlops.services import export_snapshot, promote
from movierec.policy import load_policy
from tests.mlops.site import fill_catalogue, make_version, write_policy

SECRET = "a-secret-that-is-never-shown"


@pytest.fixture
def quick(settings, tmp_path, monkeypatch, mlflow_store) -> Path:
    """The quick policy, and places of this test's own, in this process and for its children; returns config.yaml."""
    places = {"MODEL_DIR": tmp_path / "models", "SNAPSHOT_DIR": tmp_path / "snapshots"}
    for name, place in places.items():
        setattr(settings, name, place)
        monkeypatch.setenv(name, str(place))
    use_store(settings, monkeypatch, mlflow_store)
    config = write_policy(tmp_path / "config.yaml")
    use_policy(settings, config)
    monkeypatch.setenv("CONFIG_FILE", str(config))
    return config


@pytest.fixture
def own_store(quick, settings, tmp_path, monkeypatch, empty_store) -> None:
    """A store of this test's own: a backup copies whatever all tests before have logged to the shared one."""
    use_store(settings, monkeypatch, f"sqlite:///{shutil.copy(empty_store, tmp_path)}")


def use_store(settings, monkeypatch, uri: str) -> None:
    settings.MLFLOW_TRACKING_URI = uri
    settings.MLFLOW_ARTIFACT_DIR = Path(uri.removeprefix("sqlite:///")).parent / "artifacts"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)


def use_policy(settings, config: Path) -> None:
    settings.POLICY = load_policy(config)


@pytest.fixture
def rated_site(transactional_db, quick) -> Path:
    """Committed rows, so that the heartbeat's own connection and worker processes see them."""
    fill_catalogue()
    return quick


@pytest.fixture
def champion_site(transactional_db, alice, own_store) -> ModelVersion:
    """With a champion and its data, committed: another connection copies them."""
    version = make_version(snapshot=export_snapshot())
    promote(version=version.pk)
    return version


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    started = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    yield "http://{}:{}".format(*started.get_host_and_port())
    started.stop()


@pytest.fixture
def bucket(s3_server, monkeypatch) -> Iterator[Any]:
    """boto3's, empty."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "backup")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    made = boto3.resource("s3", region_name="us-east-1").create_bucket(Bucket="backups")
    yield made
    made.objects.delete()
    made.delete()


@pytest.fixture(autouse=True, scope="session")
def _quiet_mlflow() -> None:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
