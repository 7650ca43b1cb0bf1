"""While no model is served, pages and logs show the progress of the first training."""

import re

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from catalog import progress
from mlops.models import PipelineRun
from mlops.services import promote
from recommender.serving.model_server import server
from tests.mlops.site import make_version

ADDRESS = reverse("mlops:first-model")


@pytest.fixture
def run(alice, quick) -> PipelineRun:
    return PipelineRun.objects.create(trigger="command", algorithm="ease", enqueued_at=timezone.now())


def shown(client, address: str = ADDRESS) -> str:
    return " ".join(client.get(address).content.decode().split())


@pytest.mark.wording
def test_everybody_sees_how_far_the_training_is(client, run):
    assert "when a worker is available" in shown(client)
    assert "every 5s" in shown(client)

    PipelineRun.objects.update(status="running", step="fit", share=0.345, remaining_seconds=300)
    assert "being trained (fit, 34 %, about 5 min left)" in shown(client)

    PipelineRun.objects.update(status="failed")
    assert "No model is served yet" in shown(client)
    promote(version=make_version().pk)
    assert "The first model is ready." in shown(client)
    assert "hx-get" not in shown(client)


def test_the_home_page_asks_until_there_is_a_model(client, run):
    assert f'hx-get="{ADDRESS}"' in shown(client, "/")
    promote(version=make_version().pk)
    server.refresh()

    assert ADDRESS not in shown(client, "/")


@pytest.mark.wording
def test_the_dashboard_says_the_same(client, sam, run):
    PipelineRun.objects.update(status="running", step="evaluate", share=0.5, remaining_seconds=60)
    client.force_login(sam)

    assert "(evaluate, 50 %, about 60 s left)" in shown(client, "/mlops/")


@pytest.mark.wording
def test_a_training_without_a_terminal_tells_steps_and_time(rated_site, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)

    call_command("train_model")

    lines = [line for line in capsys.readouterr().err.splitlines() if re.match(r"\d\d:\d\d \w+", line)]
    told = [re.fullmatch(r"\d\d:\d\d (\w+)(: .+)?, (\d+) %(, about \d+ (s|min) left)?", line) for line in lines]
    assert all(told), lines
    steps = [found[1] for found in told if found]
    assert list(dict.fromkeys(steps)) == [
        "export",
        "snapshot",
        "checks",
        "fit",
        "evaluate",
        "register",
        "gate",
        "promote",
    ]
    assert [int(found[3]) for found in told if found][-1] >= 90
