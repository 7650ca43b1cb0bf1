"""A champion's file is overwritten while web processes run. None serves it, none fails, and it recovers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.db.models import QuerySet

from catalog.models import User
from mlops.models import Alert
from mlops.monitoring.watch import watch_champion
from mlops.services import promote
from recommender.serving.model_server import server
from tests.artefact_files import flip_bit, overwrite
from tests.factories import key_of
from tests.mlops.site import make_version, write_policy
from tests.processes import site, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.ml_test("I7"), pytest.mark.django_db(transaction=True)]

WORKERS = 3
ASKED = 18  # lists over as many connections: so many that each process answers some


def answers(address: str, token: str) -> set[tuple[int | None, str | None]]:
    new_connections = httpx.Limits(max_keepalive_connections=0)

    def ask(client: httpx.Client) -> tuple[int | None, str | None]:
        answer = client.get(f"{address}/api/v1/recommendations/")
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"]
        return answer.json()["model_version"], answer.json()["fallback"]

    with (
        httpx.Client(
            headers={"Authorization": f"Token {token}"}, timeout=60, limits=new_connections, verify=False
        ) as client,
        ThreadPoolExecutor(WORKERS) as people,
    ):
        return set(people.map(ask, [client] * ASKED))


def open_alerts() -> QuerySet[Alert]:
    return Alert.objects.filter(code="dependency.champion_files", closed_at=None)


def raise_or_close_alert() -> None:
    """As each web process does once a minute, in one more process: this one."""
    server.refresh()
    watch_champion()


def test_an_overwritten_artefact_is_served_by_no_process(rated_site, settings, tmp_path: Path):
    write_policy(rated_site, limits={"user": "100000/min"})
    token = key_of(User.objects.get(username="rater1"))
    first, second = make_version(), make_version()
    for version in (first, second):
        promote(version=version.pk)
    folder = settings.MODEL_DIR / second.artifact
    array = max(folder.glob("*.npy"), key=lambda path: path.stat().st_size)

    with site(log=tmp_path / "web.log", workers=WORKERS) as address:
        wait_for(
            lambda: answers(address, token) == {(second.pk, None)}, seconds=60, what="all processes serve the champion"
        )
        whole = flip_bit(array)
        wait_for(
            lambda: answers(address, token) == {(first.pk, "previous")}, seconds=60, what="all processes fall back"
        )
        log = (tmp_path / "web.log").read_text()
        assert log.count(f"The files of model {second.pk} were changed") == WORKERS

        raise_or_close_alert()
        assert open_alerts().get().findings[0]["params"]["version"] == second.pk
        assert f"{second.pk} is not loaded" in httpx.get(f"{address}/readyz", verify=False).text

        overwrite(array, whole)
        wait_for(lambda: answers(address, token) == {(second.pk, None)}, seconds=60, what="all serve it again")
        raise_or_close_alert()
        assert not open_alerts().exists()
