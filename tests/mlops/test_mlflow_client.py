"""The mirror in a real MLflow store."""

import json
import stat
import subprocess
import sys

import mlflow
import pytest

from mlops.models import ModelVersion, PipelineRun
from mlops.registry.mlflow_sync import mirror
from mlops.services import promote, prune, roll_back, run_training, start_training, sync_registry
from mlops.tasks import sync_registry as sync_registry_task
from recommender.estimators import load_recommender
from tests.mlops.site import make_version

# A program that knows MLflow and nothing of the site, in a folder of its own.
OUTSIDE = """
import json, os, sys
import mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/movierec@champion")
lists = model.predict(pandas.DataFrame({"user_id": json.loads(sys.argv[2])}), params={"k": 3})
print(lists.to_json(orient="records"))
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


def test_the_champion_loads_from_the_registry_outside_the_site(alice, client, settings, mlflow_store, tmp_path):
    version = make_version()
    promote(version=version.pk)
    assert mirror(version)

    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE, mlflow_store, json.dumps([alice.pk, 10**6])],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert done.returncode == 0, done.stderr
    lists = json.loads(done.stdout.splitlines()[-1])
    model = load_recommender(settings.MODEL_DIR / version.artifact)
    expected = model.recommend([alice.pk, 10**6], k=3)
    assert [row["movie_id"] for row in lists] == expected["movie_id"].tolist()


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
