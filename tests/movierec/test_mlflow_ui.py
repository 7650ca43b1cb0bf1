import shutil

import httpx
import pytest
from django.core.management import CommandError, call_command

from tests.processes import answers, free_port, running, wait_for


def test_a_server_elsewhere_is_named_instead_of_starting_another(settings):
    settings.MLFLOW_TRACKING_URI = "http://mlflow.example.org:5000"

    with pytest.raises(CommandError, match=r"open http://mlflow\.example\.org:5000"):
        call_command("mlflow_ui")


@pytest.mark.slow
def test_shows_the_embedded_store_on_loopback(tmp_path, empty_store):
    port, store = free_port(), f"sqlite:///{shutil.copy(empty_store, tmp_path)}"
    log = tmp_path / "mlflow.log"

    with running(
        "python", "manage.py", "mlflow_ui", "--port", str(port), log=log, MLFLOW_TRACKING_URI=store
    ) as process:
        wait_for(
            lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/health"),
            seconds=120,
            what="MLflow answers",
        )
        assert process.poll() is None, log.read_text()
        page = httpx.get(f"http://127.0.0.1:{port}/", timeout=30)

    assert page.status_code == 200
    assert "MLflow" in page.text
