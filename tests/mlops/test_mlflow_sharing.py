"""The mirror in a shared MLflow, in another store, and after deletions is correct or reports why it is not."""

import shutil
from pathlib import Path

import mlflow
import pytest
from django.core import mail
from mlflow.exceptions import MlflowException

from mlops.errors import MirrorIncomplete
from mlops.models import Alert, ModelVersion, SiteIdentity, TuningStudy
from mlops.registry import mlflow_client
from mlops.registry.codes import MirrorCode
from mlops.registry.mlflow_sync import mirror
from mlops.services import promote, prune, roll_back, sync_registry
from tests.mlops.site import make_snapshot, make_version
from tests.mlops.test_mlflow_client import client

__all__ = ["client"]

SITE = "movierec.site"
OTHER = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def new_store(client, empty_store, tmp_path):
    """The client of another store, which settings.MLFLOW_TRACKING_URI may then name."""
    shutil.copy(empty_store, tmp_path / "new.db")
    uri = f"sqlite:///{tmp_path}/new.db"
    return mlflow.MlflowClient(uri, uri)


def log_foreign(client, folder: Path, **tags: str) -> str:
    """Registers a version as another program or site does; returns its number."""
    mlflow.set_tracking_uri(client.tracking_uri)  # by which the registry finds the model
    found = client.get_experiment_by_name("movierec")
    experiment = found.experiment_id if found else client.create_experiment("movierec", folder.as_uri())
    run = client.create_run(experiment, tags=tags)
    model = client.create_logged_model(experiment, source_run_id=run.info.run_id)
    files = Path(model.artifact_location.removeprefix("file://"))
    files.mkdir(parents=True)
    (files / "weights.npy").write_text("theirs")
    if not client.search_registered_models("name = 'movierec'"):
        client.create_registered_model("movierec")
    source = f"models:/{model.model_id}"
    return str(client.create_model_version("movierec", source, run.info.run_id, tags=tags).version)


def state(client, number: str) -> tuple[dict[str, str], list[str], str]:
    """Tags, aliases and the file of a registered version."""
    found = client.get_model_version("movierec", number)
    location = client.get_logged_model(found.source.removeprefix("models:/")).artifact_location
    return found.tags, sorted(found.aliases), (Path(location.removeprefix("file://")) / "weights.npy").read_text()


def champion(client) -> int | None:
    """The site's version on which the alias is."""
    try:
        found = client.get_model_version_by_alias("movierec", "champion")
    except MlflowException:
        return None
    return int(found.tags["movierec.version"]) if found.tags.get(SITE) == SiteIdentity.current() else -1


def make_study() -> TuningStudy:
    study = TuningStudy.objects.create(
        algorithm="ease", snapshot=make_snapshot(), space={}, recipe="0" * 64, n_trials=1, ended_at="2026-01-01T00:00Z"
    )
    for number in (0, 1):
        parameters = {"regularization": 10.0 + number}
        study.trials.create(number=number, status="finished", parameters=parameters, ndcg=0.1, scores=[0.1], seconds=1)
    return study


def trial_runs(client, study: TuningStudy) -> set[str]:
    experiment = client.get_experiment_by_name("movierec").experiment_id
    runs = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{study.mlflow_run_id}'")
    return {run.info.run_name for run in runs}


def open_alert() -> Alert | None:
    return Alert.objects.filter(code="mlflow", closed_at=None).first()


def test_all_that_is_logged_carries_the_sites_id(alice, client):
    version, study = make_version(), make_study()
    sync_registry()
    version.refresh_from_db()
    study.refresh_from_db()

    registered = client.get_model_version("movierec", version.mlflow_version)
    runs = [version.mlflow_run_id, study.mlflow_run_id, *study.trials.values_list("mlflow_run_id", flat=True)]
    tags = [client.get_run(run).data.tags for run in runs]
    tags += [registered.tags, client.get_logged_model(registered.source.removeprefix("models:/")).tags]
    assert [found.get(SITE) for found in tags] == [SiteIdentity.current()] * 6


def test_many_runs_cost_one_query_for_the_sites_id(alice, client, django_assert_num_queries):
    """The search has a run of its own and one for each trial."""
    study = make_study()
    assert mirror(study)
    runs = [study.mlflow_run_id, *study.trials.values_list("mlflow_run_id", flat=True)]

    with django_assert_num_queries(1):
        assert len(mlflow_client.existing_runs(runs)) == len(runs) > 2


@pytest.mark.parametrize("tags", [{SITE: OTHER}, {}], ids=["another site", "unknown"])
def test_alias_of_another_site_stays_and_is_said_once(alice, client, settings, tmp_path, tags):
    settings.ALERT_EMAILS = ["ops@example.org"]
    theirs = log_foreign(client, tmp_path, **tags)
    client.set_registered_model_alias("movierec", "champion", theirs)
    before = state(client, theirs)
    version = make_version()
    promote(version=version.pk)

    assert [sync_registry(), sync_registry()] == [{"logged": 1}, {"logged": 0}]

    assert state(client, theirs) == before
    [finding] = open_alert().findings
    assert (finding["code"], finding["subject"]) == (MirrorCode.ALIAS, "champion")
    assert (finding["params"]["version"], finding["params"]["site"]) == (theirs, tags.get(SITE))
    assert len(mail.outbox) == 1

    client.delete_registered_model_alias("movierec", "champion")
    sync_registry()
    assert (champion(client), open_alert()) == (version.pk, None)


def test_aliases_of_an_earlier_release_are_ours(alice, client):
    """It wrote no site's id; the run of the registered version is that of a row."""
    first, second = make_version(), make_version()
    promote(version=first.pk)
    sync_registry()
    for row in ModelVersion.objects.all():
        client.delete_model_version_tag("movierec", row.mlflow_version, SITE)
        client.delete_tag(row.mlflow_run_id, SITE)
    promote(version=second.pk)

    assert sync_registry() == {"logged": 0}

    assert (champion(client), open_alert()) == (second.pk, None)
    for row in ModelVersion.objects.all():
        assert client.get_run(row.mlflow_run_id).data.tags[SITE] == SiteIdentity.current()


def test_retention_removes_nothing_of_another_site(alice, client, tmp_path):
    """One row names another site's number, and another what a copy of this database has marked as its own."""
    theirs = log_foreign(client, tmp_path, **{SITE: OTHER})
    wrong, shared = (make_version(status="refused", decision="refused") for _ in range(2))
    mirror(shared)
    client.set_model_version_tag("movierec", shared.mlflow_version, SITE, OTHER)
    ModelVersion.objects.filter(pk=wrong.pk).update(mlflow_run_id="0" * 32, mlflow_version=theirs)
    before = state(client, theirs)
    for _ in range(3):
        make_version()

    assert prune()["artifacts"] == 2

    assert state(client, theirs) == before
    assert client.get_model_version("movierec", shared.mlflow_version).tags[SITE] == OTHER


def test_what_retention_could_not_remove_goes_with_the_next_sync(alice, client, settings):
    version = make_version(status="refused", decision="refused")
    mirror(version)
    for _ in range(3):
        make_version()
    store, settings.MLFLOW_TRACKING_URI = settings.MLFLOW_TRACKING_URI, "http://127.0.0.1:1"
    prune()
    settings.MLFLOW_TRACKING_URI = store
    assert client.get_model_version("movierec", version.mlflow_version)

    sync_registry()

    with pytest.raises(MlflowException):
        client.get_model_version("movierec", version.mlflow_version)


def test_a_new_empty_store_is_filled(alice, client, settings, new_store):
    refused = make_version(status="refused", decision="refused")
    first, second = make_version(), make_version()
    study = make_study()
    promote(version=first.pk)
    promote(version=second.pk)
    sync_registry()
    settings.MLFLOW_TRACKING_URI = new_store.tracking_uri

    mirror(refused)  # as a training does, before any sync
    assert champion(new_store) is None
    assert sync_registry() == {"logged": 2}

    assert champion(new_store) == second.pk
    study.refresh_from_db()
    assert trial_runs(new_store, study) == {"trial 0", "trial 1"}
    assert new_store.get_run(study.mlflow_run_id).info.status == "FINISHED"
    assert sync_registry() == {"logged": 0}
    assert trial_runs(new_store, study) == {"trial 0", "trial 1"}

    roll_back()
    sync_registry()
    assert (champion(new_store), champion(client)) == (first.pk, second.pk)


def test_a_store_with_other_runs_under_our_numbers(alice, client, settings, new_store, tmp_path):
    first, second, refused = make_version(), make_version(), make_version(status="refused", decision="refused")
    promote(version=first.pk)
    sync_registry()
    theirs = [log_foreign(new_store, tmp_path, **{SITE: OTHER}) for _ in range(3)]
    before = [state(new_store, number) for number in theirs]
    assert set(theirs) == set(ModelVersion.objects.values_list("mlflow_version", flat=True))
    settings.MLFLOW_TRACKING_URI = new_store.tracking_uri

    promote(version=second.pk)
    mirror(ModelVersion.objects.get(pk=refused.pk))
    assert champion(new_store) is None
    for _ in range(3):
        make_version()
    prune()
    sync_registry()

    assert champion(new_store) == second.pk
    assert [state(new_store, number) for number in theirs] == before


def test_deleted_runs_come_back(alice, client):
    make_version()
    study = make_study()
    sync_registry()
    runs = [row.mlflow_run_id for row in (ModelVersion.objects.get(), TuningStudy.objects.get(), study.trials.last())]
    for run in runs:
        client.delete_run(run)

    assert sync_registry() == {"logged": 0}

    assert {client.get_run(run).info.lifecycle_stage for run in runs} == {"active"}
    assert ModelVersion.objects.get().mlflow_run_id == runs[0]


def test_a_deleted_experiment_and_model_come_back(alice, client):
    version = make_version()
    promote(version=version.pk)
    sync_registry()
    client.delete_registered_model("movierec")
    client.delete_experiment(client.get_experiment_by_name("movierec").experiment_id)

    assert sync_registry() == {"logged": 1}

    assert champion(client) == version.pk


def test_runs_that_are_gone_for_good_are_logged_again(alice, client):
    version, study = make_version(), make_study()
    sync_registry()
    former = ModelVersion.objects.get().mlflow_version
    gone = [ModelVersion.objects.get().mlflow_run_id, TuningStudy.objects.get().mlflow_run_id]
    for run in gone:
        client.delete_run(run)
        client._tracking_client.store._hard_delete_run(run)  # as `mlflow gc` does

    assert sync_registry() == {"logged": 1}

    version.refresh_from_db()
    assert client.get_run(version.mlflow_run_id).info.status == "FINISHED"
    assert former not in {str(found.version) for found in client.search_model_versions("name = 'movierec'")}
    study.refresh_from_db()
    assert study.mlflow_run_id not in gone
    assert trial_runs(client, study) == {"trial 0", "trial 1"}


def test_what_cannot_be_logged_is_said_and_the_rest_goes_on(alice, client, settings):
    lost, served, study = make_version(), make_version(), make_study()
    promote(version=served.pk)
    shutil.rmtree(settings.MODEL_DIR / lost.artifact)

    with pytest.raises(MirrorIncomplete):
        sync_registry()

    assert champion(client) == served.pk
    study.refresh_from_db()
    assert study.mlflow_run_id
    [finding] = open_alert().findings
    assert (finding["code"], finding["subject"]) == (MirrorCode.ROW, f"version {lost.pk}")
    assert lost.artifact in finding["params"]["error"]
