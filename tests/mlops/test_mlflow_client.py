"""The mirror in an MLflow store."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest

from catalog.models import User
from mlops.models import ModelVersion, PipelineRun
from mlops.registry.mlflow_sync import mirror
from mlops.services import promote, prune, roll_back, run_training, start_training, sync_registry
from mlops.tasks import sync_registry as sync_registry_task
from recommender.services import recommend
from recommender.serving.model_server import server
from tests.documents import blocks
from tests.mlops.site import make_version

# A program that knows MLflow and nothing of the site, in a folder of its own.
OUTSIDE = """
import json, sys
sys.modules |= dict.fromkeys(["django", "implicit", "lightfm"])  # as if they were not installed
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/movierec@champion")
histories = [{"history": history} for history in json.loads(sys.argv[2])]
try:
    print(model.predict(histories, params={"k": 3}).to_json(orient="records"))
except Exception as error:
    print(json.dumps(str(error)))
"""


@pytest.fixture
def client(quick, mlflow_store):
    """MLflow's client of that store, without the registered versions of earlier tests, each a site of its own."""
    mlflow.set_tracking_uri(mlflow_store)
    mlflow.set_registry_uri(mlflow_store)
    client = mlflow.MlflowClient()
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    return client


def outside(store: str, home: Path, *histories: list[dict[str, float]]) -> Any:
    return json.loads(run_outside(home, OUTSIDE, store, json.dumps(histories)).splitlines()[-1])


def run_outside(home: Path, program: str, *arguments: str) -> str:
    """What a program says that has MLflow and the model's libraries, and nothing of the site."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=home,
        env={"PATH": "/usr/bin:/bin", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_champion_gives_the_site_s_lists_outside(rated_site, settings, mlflow_store, tmp_path):
    run = run_training(run_id=start_training(trigger="command").pk)
    assert run.status == PipelineRun.Status.SUCCEEDED
    user = User.objects.get(username="rater1")
    history = [{"movie_id": row.movie_id, "rating": row.rating} for row in user.ratings.all()]
    server.refresh()
    site = recommend(user=user, k=3, surface=None)
    assert site.fallback is None
    expected = [(row.movie.pk, row.movie.title, row.rank) for row in site.results]

    found = outside(mlflow_store, tmp_path, history, [])
    assert [(row["movie_id"], row["title"], row["rank"]) for row in found if row["row"] == 0] == expected
    assert [row["rank"] for row in found] == [1, 2, 3, 1, 2, 3]  # a person without ratings gets a list, too

    [example] = [block.text for block in blocks("python") if block.page == "docs/mlops.md"]
    for given, row in zip(("260", "1196", "1210"), history, strict=False):
        example = example.replace(f'"movie_id": {given},', f'"movie_id": {row["movie_id"]},')
    said = run_outside(tmp_path, example.replace('"http://127.0.0.1:5000"', repr(mlflow_store)))
    assert len(said.splitlines()) == 11  # the names of the columns and ten movies

    assert "does not know movie 1000000" in outside(mlflow_store, tmp_path, [{"movie_id": 10**6, "rating": 5}])
    for bad in (9, "five"):
        said = outside(mlflow_store, tmp_path, [history[0] | {"rating": bad}])
        assert f"expected a rating from 0.5 to 5, got {bad!r}" in said


def test_a_loaded_model_asks_for_what_mlflow_brings(alice, client):
    mirror(make_version())

    file = mlflow.pyfunc.get_model_dependencies("models:/movierec@challenger")
    asked = {line.partition("==")[0] for line in Path(file).read_text().split()}
    assert asked == {"mlflow", "numpy", "pandas", "scipy", "threadpoolctl"}


def test_run_tags_figures_and_aliases(alice, client):
    version = make_version()
    mirror(version)

    run = client.get_run(version.mlflow_run_id)
    assert run.data.params["algorithm"] == "popularity"
    assert (run.data.metrics["ndcg"], run.data.metrics["popular/ndcg"]) == (0.2, 0.1)
    assert run.data.metrics["against/popular/low"] == 0.08
    registered = client.get_model_version("movierec", version.mlflow_version)
    assert (registered.tags["gate"], registered.tags["status"]) == ("passed", "candidate")
    assert registered.tags["data_hash"] == version.snapshot.content_hash
    assert client.get_model_version_by_alias("movierec", "challenger").version == int(version.mlflow_version)


def test_aliases_follow_promotions_and_roll_backs(alice, client):
    first, second = make_version(), make_version()
    assert sync_registry()["logged"] == 2

    def champion() -> int:
        return client.get_model_version_by_alias("movierec", "champion").version

    first.refresh_from_db()
    second.refresh_from_db()
    promote(version=first.pk)
    promote(version=second.pk)
    sync_registry()
    assert champion() == int(second.mlflow_version)
    roll_back()
    sync_registry()
    assert champion() == int(first.mlflow_version)


def test_a_training_while_mlflow_is_down_is_mirrored_later(rated_site, settings, mlflow_store):
    settings.MLFLOW_TRACKING_URI = "http://127.0.0.1:1"

    run = run_training(run_id=start_training(trigger="command").pk)

    version = ModelVersion.objects.get()
    assert (run.status, version.status, version.mlflow_run_id) == (PipelineRun.Status.SUCCEEDED, "champion", "")
    assert "is not in MLflow yet" in run.log
    assert sync_registry_task() == {"status": "failed"}

    settings.MLFLOW_TRACKING_URI = mlflow_store
    assert sync_registry_task() == {"logged": 1}
    version.refresh_from_db()
    assert version.mlflow_run_id
    assert sync_registry_task() == {"logged": 0}


def test_a_deleted_version_and_a_foreign_number_are_repaired(alice, client):
    """The second row names a registered version of another run, as after a change of the store."""
    first, second, third = make_version(), make_version(), make_version()
    sync_registry()
    first.refresh_from_db()
    client.delete_model_version("movierec", first.mlflow_version)
    foreign = ModelVersion.objects.get(pk=third.pk).mlflow_version
    ModelVersion.objects.filter(pk=second.pk).update(mlflow_run_id="0" * 32, mlflow_version=foreign)

    assert sync_registry()["logged"] == 2

    for row in ModelVersion.objects.all():
        assert client.get_model_version("movierec", row.mlflow_version).run_id == row.mlflow_run_id
        assert client.get_model_version("movierec", row.mlflow_version).tags["movierec.version"] == str(row.pk)
    assert sync_registry()["logged"] == 0


def test_an_answer_that_got_lost_leads_to_no_second_registration(alice, client):
    version = make_version()
    mirror(version)
    known = (version.mlflow_run_id, version.mlflow_version)
    ModelVersion.objects.update(mlflow_run_id="", mlflow_version="")

    sync_registry()

    version.refresh_from_db()
    assert (version.mlflow_run_id, version.mlflow_version) == known


def test_mlflow_has_files_of_its_own_that_go_with_retention(alice, client, settings):
    version = make_version(decision="refused", status="refused")
    mirror(version)
    copies = [path for path in settings.MLFLOW_ARTIFACT_DIR.rglob("movie_ids_.npy") if version.artifact in path.parts]
    [folder] = [path.parent for path in copies]
    own = [file for place in (folder, settings.MODEL_DIR / version.artifact) for file in place.iterdir()]
    assert {file.stat().st_nlink for file in own} == {1}
    assert {stat.S_IMODE(file.stat().st_mode) for file in own} == {0o444}
    for _ in range(3):
        make_version()

    prune()

    assert not copies[0].exists()
    with pytest.raises(mlflow.exceptions.MlflowException):
        client.get_model_version("movierec", version.mlflow_version)
    assert client.get_run(version.mlflow_run_id).data.tags["artifact"] == "removed by retention"
