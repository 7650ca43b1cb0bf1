"""Access to MLflow's experiment, registered model and aliases, restricted to the entries of this site.

Several sites may share an MLflow server, its experiment and its registered model. Each site tags its entries with its
id, and never changes or removes entries with another site's id. Entries written by earlier versions of this program
have no id. Such an entry is ours if one of our rows refers to its run, because run ids are unique across stores.

Only this module and pyfunc_model.py import MLflow, and only when it is first needed. Every function here may fail;
`mlflow_sync` handles the errors.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db.models import QuerySet

from mlops.findings import Finding, Outcome
from mlops.models import ModelVersion, SiteIdentity
from mlops.registry.codes import MirrorCode

Status = ModelVersion.Status
EXPERIMENT = "movierec"
CHAMPION_ALIAS, CHALLENGER_ALIAS = "champion", "challenger"
SITE_TAG = "movierec.site"
ERROR_LENGTH = 300  # characters kept of an MLflow error, which may fill a page
UPLOAD_BYTES_PER_SECOND = 20 * 1024**2  # a server copies an upload to its own store before it responds

_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
_ENVIRONMENT = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # A server that never responds delays a training by this time, but only once, because the next sync retries.
    _TIMEOUT: "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def connect() -> Any:
    """Returns the `mlflow` module, configured for the store at MLFLOW_TRACKING_URI."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    uri = settings.MLFLOW_TRACKING_URI
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    import mlflow  # imported here, because it takes seconds and 170 MB

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow


@contextmanager
def time_to_upload(size: int) -> Iterator[None]:
    """Extends MLflow's request timeout in the body by the time to upload `size` bytes."""
    usual = os.environ[_TIMEOUT]
    os.environ[_TIMEOUT] = str(int(usual) + size // UPLOAD_BYTES_PER_SECOND)
    try:
        yield
    finally:
        os.environ[_TIMEOUT] = usual


def outage() -> str:
    """Returns why MLflow is not available, or "" if it responds."""
    try:
        experiment(connect().MlflowClient())
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # MLflow, its store and the network may raise any exception
        return in_short(error)
    return ""


def in_short(error: Exception) -> str:
    """Returns the error on one line of at most ERROR_LENGTH characters. Removes credentials from URLs."""
    text = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"//[^/@\s]*@", "//", text)[:ERROR_LENGTH]


def experiment(client: Any) -> str:
    """Returns the experiment's id. Restores the experiment if it was deleted, because its name stays reserved."""
    if found := client.get_experiment_by_name(EXPERIMENT):
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    # A server chooses its artefact folder itself. For a plain database file, we choose it.
    local = settings.MLFLOW_TRACKING_URI.startswith("sqlite:")
    return str(client.create_experiment(EXPERIMENT, settings.MLFLOW_ARTIFACT_DIR.as_uri() if local else None))


def runs_with(tags: Mapping[str, str]) -> list[Any]:
    """Returns this site's runs with these tags."""
    client = connect().MlflowClient()
    which = " and ".join(f"tags.`{name}` = '{value}'" for name, value in {**site_tag(), **tags}.items())
    return list(client.search_runs([experiment(client)], which))


def existing_runs(run_ids: Iterable[str]) -> dict[str, Any]:
    """Returns the runs with these ids that belong to us, keyed by id.

    Restores deleted runs, and adds this site's id to runs without one.
    """
    wanted = [run_id for run_id in run_ids if run_id]
    if not wanted:
        return {}
    mlflow = connect()
    client = mlflow.MlflowClient()
    ids = ", ".join(f"'{run_id}'" for run_id in wanted)
    which = {"filter_string": f"attributes.run_id IN ({ids})", "max_results": len(wanted)}
    runs = client.search_runs([experiment(client)], run_view_type=mlflow.entities.ViewType.ALL, **which)
    site = SiteIdentity.current()
    ours = {run.info.run_id: run for run in runs if _has_no_other_site(run.data.tags, site)}
    for run_id, run in ours.items():
        if run.info.lifecycle_stage == "deleted":
            client.restore_run(run_id)
        if SITE_TAG not in run.data.tags:
            client.set_tag(run_id, SITE_TAG, site)
    return ours


def registered_versions(run_id: str) -> list[Any]:
    """Returns the registered versions of our run, at most one."""
    if not run_id:
        return []
    which = f"name = '{settings.MLFLOW_MODEL_NAME}' and run_id = '{run_id}'"
    found, site = connect().MlflowClient().search_model_versions(which), SiteIdentity.current()
    return [registered for registered in found if _has_no_other_site(registered.tags, site)]


def download(version: ModelVersion, folder: Path) -> Path | None:
    """Downloads the version's artefact from MLflow to `folder` and returns its path, or None if MLflow has none.

    Does not verify the content.
    """
    if not (found := registered_versions(version.mlflow_run_id)):
        return None
    uri = f"models:/{settings.MLFLOW_MODEL_NAME}/{found[0].version}"
    artifacts = connect().artifacts
    with time_to_upload(version.artifact_bytes):
        place = Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))) / "artifacts"
    return next((path for path in place.glob("*/") if path.is_dir()), None)


def remove_registered(run_id: str) -> bool:
    """Deletes the registered versions of our run with their files. Returns whether there were any."""
    # Imported here like all of MLflow. The package does not expose this module as an attribute.
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    mlflow = connect()
    client = mlflow.MlflowClient()
    found = registered_versions(run_id)
    for registered in found:
        try:
            # A registered version refers to its logged model, which stores the location of the files.
            model = client.get_logged_model(registered.source.removeprefix("models:/"))
        except mlflow.exceptions.MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        else:
            if model.source_run_id == run_id:
                get_artifact_repository(model.artifact_location).delete_artifacts()
        client.delete_model_version(settings.MLFLOW_MODEL_NAME, str(registered.version))
    return bool(found)


def point_aliases(present: QuerySet[ModelVersion]) -> list[Finding]:
    """Sets the alias `champion` to the served version and `challenger` to the latest candidate.

    Does not move an alias from another site's version, because its users expect that model. Returns a finding for each
    such alias.
    """
    client = connect().MlflowClient()
    models = client.search_registered_models(f"name = '{settings.MLFLOW_MODEL_NAME}'")
    aliases = models[0].aliases if models else {}
    findings = []
    for alias, status in ((CHAMPION_ALIAS, Status.CHAMPION), (CHALLENGER_ALIAS, Status.CANDIDATE)):
        version = present.filter(status=status).first()
        if finding := _point(client, alias, aliases.get(alias), version.mlflow_run_id if version else ""):
            findings.append(finding)
    return findings


def _point(client: Any, alias: str, number: str | int | None, run_id: str) -> Finding | None:
    """Moves one alias. Deletes our alias if we have no version for it, because no alias is better than a wrong one."""
    target = next(iter(registered_versions(run_id)), None)
    holder = client.get_model_version(settings.MLFLOW_MODEL_NAME, str(number)) if number else None
    if holder is not None and not _is_ours(holder):
        site = holder.tags.get(SITE_TAG)
        found = {"alias": alias, "model": settings.MLFLOW_MODEL_NAME, "version": str(number), "site": site}
        return Finding(MirrorCode.ALIAS, Outcome.ALERT, params=found, subject=alias) if target else None
    if target is not None and str(number) != str(target.version):
        client.set_registered_model_alias(settings.MLFLOW_MODEL_NAME, alias, str(target.version))
    elif target is None and holder is not None:
        client.delete_registered_model_alias(settings.MLFLOW_MODEL_NAME, alias)
    return None


def site_tag() -> dict[str, str]:
    return {SITE_TAG: SiteIdentity.current()}


def _has_no_other_site(tags: Mapping[str, str], site: str) -> bool:
    """Returns whether the entry has no other site's id. Only for entries found by one of our run ids."""
    return tags.get(SITE_TAG) in (None, site)


def _is_ours(registered: Any) -> bool:
    if SITE_TAG in registered.tags:
        return bool(registered.tags[SITE_TAG] == SiteIdentity.current())
    return ModelVersion.objects.exclude(mlflow_run_id="").filter(mlflow_run_id=registered.run_id).exists()
