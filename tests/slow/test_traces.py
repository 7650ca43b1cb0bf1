"""One click traced through gunicorn, Celery and MLflow, with a collector on loopback."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlops.models import PipelineRun
from mlops.services import ensure_schedules
from tests.collector import collecting, text_of
from tests.factories import key_of
from tests.processes import answers, free_port, running, site, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

REQUEST = "click-of-a-person"
WORKER = ("celery", "--quiet", "--app", "movierec", "worker", "--queues", "default,training", "--concurrency", "1")


@pytest.fixture
def mlflow_server(tmp_path, empty_store):
    address, store = f"http://127.0.0.1:{free_port()}", shutil.copy(empty_store, tmp_path / "mlflow.db")
    places = [f"--backend-store-uri=sqlite:///{store}", f"--artifacts-destination={tmp_path / 'artifacts'}"]
    command = ["mlflow", "server", "--host=127.0.0.1", f"--port={address.rpartition(':')[2]}", "--workers=1", *places]
    with running(*command, log=tmp_path / "mlflow.log", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false"):
        wait_for(lambda: answers(f"{address}/health"), seconds=120, what="MLflow answers")
        yield address


def lines_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]


def test_a_training_is_one_trace_from_the_click_to_mlflow(rated_site, sam, mlflow_server, tmp_path):
    """Each line of web and worker about it has the trace's id and the request's."""
    ensure_schedules()
    token = key_of(sam)
    headers = {"Authorization": f"Token {token}", "X-Request-ID": REQUEST}
    web, worker = tmp_path / "web.log", tmp_path / "worker.log"
    with collecting() as collector:
        variables = {
            "LOG_FORMAT": "json",
            "MLFLOW_TRACKING_URI": mlflow_server,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
            "OTEL_SERVICE_NAME": "movies",
            "OTEL_BSP_SCHEDULE_DELAY": "200",  # milliseconds
        }
        with (
            running(*WORKER, "--beat", "--loglevel", "INFO", log=worker, **variables),
            site(log=web, workers=1, **variables) as address,
        ):
            started = httpx.post(f"{address}/api/v1/runs/", json={}, headers=headers, timeout=60)
            assert (started.status_code, started.headers["X-Request-ID"]) == (202, REQUEST)
            run = PipelineRun.objects.get()
            ended = PipelineRun.objects.filter(pk=run.pk).exclude(status__in=PipelineRun.ACTIVE)
            wait_for(ended.exists, seconds=240, what="the training ends")
            wait_for(
                lambda: any(span.name == "run/mlops.train_model" for span in collector.spans), seconds=30, what="spans"
            )
        spans = {span.span_id: span for span in collector.spans}

    by_name = {span.name: span for span in spans.values()}
    click, sent, task = (
        by_name[name] for name in ("POST api/v1/runs/", "apply_async/mlops.train_model", "run/mlops.train_model")
    )
    assert (sent.parent_span_id, task.parent_span_id) == (click.span_id, sent.span_id)
    to_mlflow = [span for span in spans.values() if text_of(span, "http.url").startswith(mlflow_server)]
    to_mlflow = [span for span in to_mlflow if span.trace_id == click.trace_id]
    assert to_mlflow
    assert {span.parent_span_id for span in to_mlflow} == {task.span_id}
    assert collector.services == {"movies"}
    assert not [name for name in by_name if "heartbeat" in name or "healthz" in name]
    assert token.encode() not in b"".join(collector.bodies)

    trace = click.trace_id.hex()
    of_click = [row for row in lines_in(web) if row.get("request_id") == REQUEST]
    assert "POST /api/v1/runs/ 202" in [row["message"] for row in of_click]
    assert {row["trace_id"] for row in of_click} == {trace}
    of_task = [row for row in lines_in(worker) if row.get("trace_id") == trace]
    assert of_task
    assert {(row["request_id"], row["task"]) for row in of_task} == {(REQUEST, "mlops.train_model")}
    of_run = [row for row in of_task if "run_id" in row]
    assert {(row["run"], row["run_id"]) for row in of_run} == {("training", run.pk)}
    assert any("succeeded in" in row["message"] for row in of_run)
    assert token not in web.read_text("utf-8") + worker.read_text("utf-8")
