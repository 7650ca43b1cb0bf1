"""/metrics requires the token, and is correct for any number of processes."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from catalog.keys import create_key
from mlops.models import PipelineRun
from tests.factories import key_of
from tests.processes import site

TOKEN = {"Authorization": "Bearer tests-only-metrics-token"}


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic tests-only-metrics-token"},
        {"Authorization": "Bearer tests-only-metrics-token-and-more"},
        {"Authorization": "Bearer t\u00e9sts"},
    ],
)
def test_metrics_need_the_token(client, sent):
    answer = client.get("/metrics", headers=sent)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert b"# HELP" not in answer.content


def test_a_key_of_staff_with_the_scope_reads_metrics(client, sam, nora):
    def status(key: str) -> int:
        return client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code

    assert status(create_key(user=sam, name="Prometheus", scopes=["metrics"]).key) == 200
    assert status(create_key(user=sam, name="cron", scopes=["read", "models"]).key) == 401
    assert status(key_of(nora, "metrics")) == 401
    assert status(f"mrk_{'a' * 43}") == 401


def test_metrics_come_from_processes_and_the_database(client, db):
    client.get("/healthz")

    answer = client.get("/metrics", headers=TOKEN)

    assert answer.status_code == 200
    text = answer.content.decode()
    assert samples(text, "django_http_requests_before_middlewares_total")[()] >= 1
    assert samples(text, "movierec_training_runs")[("queued",)] == 0
    assert "# TYPE model_predictions_total counter" in text
    assert "# TYPE model_prediction_duration_seconds histogram" in text


def test_database_figures_are_read_on_request(client, db):
    PipelineRun.objects.create(trigger="command", algorithm="ease", status="failed")

    text = client.get("/metrics", headers=TOKEN).content.decode()

    assert samples(text, "movierec_training_runs")[("failed",)] == 1


@pytest.mark.slow
def test_processes_count_together_and_restart_from_zero(transactional_db, tmp_path):
    def ask(address: str) -> None:
        connection = HTTPConnection(urlsplit(address).netloc)  # one for each request, so that every process gets some
        connection.request("GET", "/api/v1/nothing/")
        assert connection.getresponse().status == 404
        connection.close()

    def counted(address: str) -> float:
        text = httpx.get(f"{address}/metrics", headers=TOKEN, timeout=30, verify=False).text
        return samples(text, "django_http_responses_total_by_status_total").get(("404",), 0)

    with site(log=tmp_path / "web.log", workers=4) as address:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(ask, [address] * 400))
        seen = [counted(address) for _ in range(5)]
    with site(log=tmp_path / "web.log", workers=4) as address:
        after = counted(address)

    assert seen == [400] * 5
    assert after == 0
