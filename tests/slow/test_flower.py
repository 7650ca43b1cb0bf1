"""Flower with a worker on Redis shows the site's trainings."""

import httpx
import pytest

from mlops.models import PipelineRun
from mlops.services import start_training
from movierec.policy import load_policy
from tests.mlops.site import fill_catalogue, write_policy
from tests.processes import free_port, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.django_db(transaction=True)]

SIGN_IN = ("watcher", "secret")


@pytest.fixture
def places(settings, tmp_path) -> dict[str, str]:
    config = write_policy(tmp_path / "config.yaml")
    settings.POLICY = load_policy(config)
    return {
        "CONFIG_FILE": str(config),
        "MODEL_DIR": str(tmp_path / "models"),
        "SNAPSHOT_DIR": str(tmp_path / "snapshots"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "FLOWER_BASIC_AUTH": ":".join(SIGN_IN),
    }


def test_a_finished_training_is_read_from_its_api(places, tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    fill_catalogue()
    worker = ("celery", "--app", "movierec", "worker", "--queues", "training", "--concurrency", "1")

    with (
        running("python", "manage.py", "flower", "--port", str(port), log=tmp_path / "flower.log", **places),
        running(*worker, "--hostname", "training@test", log=tmp_path / "worker.log", **places),
        httpx.Client(base_url=address, auth=SIGN_IN, timeout=30) as flower,
    ):
        wait_for(lambda: _workers(flower).get("training@test"), seconds=90, what="Flower sees the worker")
        run = start_training(trigger=PipelineRun.Trigger.ADMIN)
        wait_for(lambda: _state(flower, run.pk) == "SUCCESS", seconds=120, what="Flower shows the training as finished")
        stranger = httpx.get(f"{address}/api/tasks", timeout=30)
        scraped = httpx.get(f"{address}/metrics", timeout=30).text  # as Prometheus does, without a sign-in

    run.refresh_from_db()
    assert run.status == PipelineRun.Status.SUCCEEDED, run.message
    assert stranger.status_code == 401
    assert 'flower_worker_online{worker="training@test"} 1.0' in scraped


def _workers(flower: httpx.Client) -> dict[str, bool]:
    try:
        return flower.get("/api/workers", params={"status": "1"}).json()
    except (httpx.TransportError, ValueError):
        return {}


def _state(flower: httpx.Client, run_id: int) -> str | None:
    tasks = flower.get("/api/tasks", params={"taskname": "mlops.train_model"}).json().values()
    return next((task["state"] for task in tasks if str(run_id) in task["kwargs"]), None)
