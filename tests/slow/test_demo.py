"""The demo on a test site: Postgres, Redis, MLflow, four web processes, two workers and Beat."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.processes import environment, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.services,
    pytest.mark.timeout(900),
    pytest.mark.django_db(transaction=True),
    pytest.mark.ml_test("I3", "I4", "I7", "Mo4"),
]


@pytest.fixture
def report(tmp_path: Path) -> dict[str, Any]:
    """The results of `make demo-ops` on this run's servers."""
    path, log, values = tmp_path / "report.json", tmp_path / "demo.log", environment()
    given = ["--redis", values["REDIS_URL"], "--prefix", f"{settings.REDIS_PREFIX}:demo", "--report", str(path)]
    if values["DATABASE_URL"]:
        given += ["--database", values["DATABASE_URL"]]
    with running(sys.executable, "-m", "benchmarks.chaos.demo", *given, log=log, is_killed=False) as demo:
        assert demo.wait() == 0, log.read_text()[-4000:]
    return json.loads(path.read_text())


def test_trained_drifted_retrained_gated_and_rolled_back(report):
    assert (report["workers"], report["first_run"]) == (4, "succeeded")

    assert "drift.rating_distribution" in report["drift"]
    assert "retraining.drift" in report["reasons"]
    assert (report["bad_run"], report["champion_after_bad"]) == ("failed", report["first"])
    assert "gate.baseline" in report["refusal"]
    assert report["good_run"] == "succeeded"
    assert report["changed_share"] > 0

    assert (report["roll_back_processes"], report["roll_back_seconds"] < 15) == (4, True)
    assert report["trail"] == [
        f"{report['first']} automatic",
        f"{report['good']} automatic",
        f"{report['first']} rolled_back",
    ]
    for said in ("drift", "rejected", f"version {report['first']}"):
        assert said in report["dashboard"].lower()
    assert "rolled back" in report["audit"]
    assert (report["problems"], report["errors"], report["lost"]) == ([], [], 0)
