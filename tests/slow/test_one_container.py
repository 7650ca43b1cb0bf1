"""The free instance type: one container with web, tasks and Beat, and an empty disk at each start."""

import shutil
import time
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from catalog.models import Movie, Rating
from mlops.models import ModelVersion
from mlops.registry.promotion import promote
from mlops.services import export_snapshot
from mlops.tasks import push_data
from tests.factories import UserFactory, key_of
from tests.mlops.site import make_version
from tests.processes import answers, free_port, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SERVES_SECONDS = 60  # from a start with nothing on the disk


class Container:
    def __init__(self, folder: Path, store: Path) -> None:
        self.disk, self.log, port = folder / "disk", folder / "container.log", free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.variables = {"PORT": str(port), "HEALTH_PORT": str(free_port()), "MODEL_STORE": str(store)}

    def run(self) -> AbstractContextManager[object]:
        """Killed with all its processes at the end, as by a host that takes the machine away."""
        shutil.rmtree(self.disk, ignore_errors=True)
        self.disk.mkdir()
        folders = {"MODEL_DIR": str(self.disk / "models"), "SNAPSHOT_DIR": str(self.disk / "snapshots")}
        return running("deploy/entrypoint", "all", log=self.log, **self.variables, **folders, TMPDIR=str(self.disk))

    def model(self) -> str:
        return str(httpx.get(f"{self.address}/readyz", timeout=10).json()["parts"]["model"]["detail"])

    def wait_until_it_serves(self, version: ModelVersion, seconds: float = SERVES_SECONDS) -> None:
        name = f"version {version.pk} ("
        wait_for(
            lambda: answers(f"{self.address}/readyz") and self.model().startswith(name),
            seconds=seconds,
            what=f"version {version.pk} is served: {self.log.read_text()[-2000:] if self.log.exists() else ''}",
        )


@pytest.fixture
def champion(rated_site, settings, tmp_path) -> ModelVersion:
    """Promoted on another machine, which put it into the store of models."""
    settings.MODEL_STORE = str(tmp_path / "store")
    version = make_version(snapshot=export_snapshot())
    promote(version=version.pk)
    push_data()
    return version


@pytest.fixture
def container(champion, tmp_path) -> Container:
    return Container(tmp_path, tmp_path / "store")


def test_a_kill_loses_no_acknowledged_rating_and_no_model(container, champion):
    person = UserFactory()
    headers = {"Authorization": f"Token {key_of(person)}"}
    movies = list(Movie.objects.order_by("pk").values_list("pk", flat=True)[:40])
    rated = []
    with container.run():
        container.wait_until_it_serves(champion)
        with httpx.Client(base_url=f"{container.address}/api/v1/", headers=headers, timeout=60) as client:
            for movie in movies:
                client.put(f"ratings/{movie}/", json={"rating": 4}).raise_for_status()
                rated.append(movie)

    with container.run():
        started = time.monotonic()
        container.wait_until_it_serves(champion)
        found = httpx.get(f"{container.address}/api/v1/recommendations/?k=5", headers=headers, timeout=60).json()
        assert time.monotonic() - started < SERVES_SECONDS

    assert set(Rating.objects.filter(user=person).values_list("movie", flat=True)) == set(rated) == set(movies)
    assert (found["model_version"], found["fallback"], len(found["results"])) == (champion.pk, None, 5)
    assert not {row["movie"]["id"] for row in found["results"]} & set(rated)


def test_a_store_that_fails_at_the_start_is_asked_again(container, champion, tmp_path):
    away = (tmp_path / "store").rename(tmp_path / "away")
    with container.run():
        wait_for(lambda: answers(f"{container.address}/readyz"), seconds=120, what="it answers without a model")
        assert "is not loaded" in container.model()

        away.rename(tmp_path / "store")
        container.wait_until_it_serves(champion)
