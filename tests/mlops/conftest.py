import os
from pathlib import Path

import pytest

from movierec.policy import load_policy
from tests.mlops.site import fill_catalogue, write_policy


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory) -> str:
    """One real store for all tests: making its tables takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def quick(settings, tmp_path, monkeypatch, mlflow_store) -> Path:
    """The quick policy, and places of this test's own, in this process and for its children; returns config.yaml."""
    places = {"MODEL_DIR": tmp_path / "models", "SNAPSHOT_DIR": tmp_path / "snapshots"}
    for name, place in places.items():
        setattr(settings, name, place)
        monkeypatch.setenv(name, str(place))
    settings.MLFLOW_TRACKING_URI = mlflow_store
    settings.MLFLOW_ARTIFACT_DIR = Path(mlflow_store.removeprefix("sqlite:///")).parent / "artifacts"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store)
    config = write_policy(tmp_path / "config.yaml")
    use_policy(settings, config)
    monkeypatch.setenv("CONFIG_FILE", str(config))
    return config


def use_policy(settings, config: Path) -> None:
    settings.POLICY = load_policy(config)


@pytest.fixture
def rated_site(transactional_db, quick) -> Path:
    """Committed rows, so that the heartbeat's own connection and worker processes see them."""
    fill_catalogue()
    return quick


@pytest.fixture(autouse=True, scope="session")
def _quiet_mlflow() -> None:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
