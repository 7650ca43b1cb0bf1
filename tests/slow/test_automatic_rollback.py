"""A champion that no web process can load is rolled back, and all of them serve the previous one."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from catalog.models import User
from mlops.models import Promotion
from mlops.services import auto_rollback, promote
from movierec.policy import load_policy
from recommender.models import ServingStatsMinute
from tests.factories import key_of
from tests.mlops.site import make_version, write_policy
from tests.processes import site, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.ml_test("I7"), pytest.mark.django_db(transaction=True)]

WORKERS = 4
ASKED = 24  # lists over as many connections: so many that each process answers some


def answers(address: str, token: str) -> set[tuple[int | None, str | None]]:
    headers = {"Authorization": f"Token {token}"}
    new_connections = httpx.Limits(max_keepalive_connections=0)

    def ask(client: httpx.Client) -> tuple[int | None, str | None]:
        answer = client.get(f"{address}/api/v1/recommendations/")
        assert answer.status_code == 200, answer.text
        return answer.json()["model_version"], answer.json()["fallback"]

    with (
        httpx.Client(headers=headers, timeout=60, limits=new_connections, verify=False) as client,
        ThreadPoolExecutor(2 * WORKERS) as people,
    ):
        return set(people.map(ask, [client] * ASKED))


def processes(version: int, counted: str) -> int:
    rows = ServingStatsMinute.objects.filter(version=version, **{f"{counted}__gt": 0})
    return len(set(rows.values_list("process", flat=True)))


def test_four_processes_go_back_together(rated_site, settings, tmp_path: Path):
    write_policy(rated_site, auto_rollback={"min_requests": WORKERS}, limits={"user": "100000/min"})
    settings.POLICY = load_policy(rated_site)
    token = key_of(User.objects.get(username="rater1"))
    first, second = make_version(), make_version()
    promote(version=first.pk)
    here = tmp_path / "models of the web"
    shutil.copytree(settings.MODEL_DIR / first.artifact, here / first.artifact)  # the second never gets there

    with site(log=tmp_path / "web.log", workers=WORKERS, MODEL_DIR=str(here)) as address:
        wait_for(
            lambda: answers(address, token) and processes(first.pk, "n_served") == WORKERS,
            seconds=60,
            what="all processes serve the first model",
        )
        promote(version=second.pk)
        wait_for(
            lambda: processes(second.pk, "n_failed") == WORKERS,
            seconds=60,
            what="all processes have tried to load the second",
        )
        assert answers(address, token) == {(first.pk, "previous")}  # nobody sees an error

        report = auto_rollback()

        assert report.rolled_back_to == first.pk
        began = timezone.now()
        wait_for(lambda: answers(address, token) == {(first.pk, None)}, seconds=15, what="all serve the first again")
        assert (timezone.now() - began).total_seconds() < 15
    assert Promotion.objects.first().kind == "auto_rollback"
