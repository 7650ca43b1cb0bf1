"""OpenTelemetry in separate processes: off, on, and with a collector that does not respond."""

import subprocess
import sys
from typing import Any

import pytest

from tests.collector import Collector, collecting, text_of
from tests.processes import ROOT, environment, free_port

WEB = """
import runpy, sys
gunicorn = runpy.run_path("deploy/gunicorn.py")
gunicorn["on_starting"](None)
"""
OFF = f"{WEB}\nsys.exit(any(name.partition('.')[0] == 'opentelemetry' for name in sys.modules))"
REQUESTS = """
import os, requests
from django.test import Client
from django.urls import path
from movierec import tracing, urls
from structlog.contextvars import bind_contextvars

def fails(request, key):
    requests.post(os.environ["MLFLOW"], timeout=30)
    raise ValueError("password=planted-password of " + os.environ["METRICS_TOKEN"])

urls.urlpatterns.insert(0, path("api/feeds/<str:key>/", fails))
tracing.start()
client = Client(raise_request_exception=False, REMOTE_ADDR="203.0.113.9")
headers = {"host": "localhost", "authorization": "Token planted-header", "user-agent": "planted-browser"}
assert client.get("/api/feeds/planted-in-path/?token=planted-in-query", headers=headers).status_code == 500
assert client.get("/healthz", headers=headers).status_code == 200
refused = client.get("/api/v1/movies/", headers={"host": "elsewhere"})
assert (refused.status_code, refused.json()["error"]["code"]) == (400, "parse_error"), refused.content
tracing.end()
"""
SPANS = """
import time, django
from opentelemetry.trace import get_tracer
from movierec import tracing
django.setup()
tracing.start()
began = time.monotonic()
for _ in range(3000):
    get_tracer("t").start_span("request").end()
print(time.monotonic() - began)
began = time.monotonic()
tracing.end()
print(time.monotonic() - began)
"""


SCHEDULED = """
import django
django.setup()
from celery import current_app
from movierec import tracing
tracing.start()
for name in ("mlops.beat_heartbeat", "mlops.prune"):  # as Beat sends them in the worker's process, with nothing around
    current_app.send_task(name)
tracing.end()
"""


def run(program: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "variables", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}]
)
def test_nothing_of_it_is_loaded_when_it_is_off(tmp_path, variables):
    run(OFF, VAR_DIR=str(tmp_path), **variables)


def test_spans_hold_no_secret_and_no_personal_data(transactional_db, tmp_path):
    with collecting() as collector:
        secrets = {
            "METRICS_TOKEN": "planted-metrics-token",
            "MLFLOW": f"{collector.address}/api/2.0/mlflow/runs/create",
        }
        run(
            WEB + REQUESTS,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.address,
            PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
            **secrets,
        )

    page, to_mlflow = span_of(collector, "api/feeds/<str:key>/"), span_of(collector, "POST")
    assert text_of(page, "http.url") == "/api/feeds/<key>/"  # a test's own request has no http.target
    assert [event.name for event in page.events] == ["exception"]
    assert to_mlflow.parent_span_id == page.span_id
    assert [context[:52] for context in collector.contexts] == [f"00-{page.trace_id.hex()}-{to_mlflow.span_id.hex()}"]
    assert len(collector.spans) == 2
    assert collector.services == {"movierec"}
    for text in (b"planted", b"203.0.113.9", b"healthz"):
        assert text not in b"".join(collector.bodies)


def test_only_the_heartbeat_of_all_that_is_scheduled_has_no_span(tmp_path):
    """Also where Beat and the worker are one process."""
    with collecting() as collector:
        run(SCHEDULED, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address, VAR_DIR=str(tmp_path))

    assert [span.name for span in collector.spans] == ["apply_async/mlops.prune"]


def span_of(collector: Collector, name: str) -> Any:
    (span,) = [span for span in collector.spans if span.name.endswith(name)]
    return span


@pytest.mark.parametrize("state", ["hangs", "is away"])
def test_a_collector_delays_nothing_when_it(state, tmp_path):
    with collecting() as collector:
        collector.may_answer.clear()
        address = collector.address if state == "hangs" else f"http://127.0.0.1:{free_port()}"
        making, ending = map(float, run(SPANS, OTEL_EXPORTER_OTLP_ENDPOINT=address, VAR_DIR=str(tmp_path)).split())

    assert bool(collector.bodies) == (state == "hangs")
    assert making < 5  # not the ten seconds that each of six batches would wait
    assert ending < 5
