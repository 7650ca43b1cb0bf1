"""MLflow, its experiment, registered model and aliases, and what in it is ours.

Several sites may share an MLflow, its experiment and its registered model. All that a site writes carries its id, and
what carries another's is never described, aliased or removed. What earlier versions of this program wrote has no id:
it is ours if a row names its run, whose id no other store has.

Only this module and pyfunc_model.py import MLflow, and only when it is first needed. Everything here may fail;
`mlflow_sync` handles that.
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
ERROR_LENGTH = 300  # of what MLflow says, which may be a whole page
UPLOAD_BYTES_PER_SECOND = 20 * 1024**2  # a server passes a file on to its own store before it answers

_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
_ENVIRONMENT = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # A server that never answers costs a training this much, and once: the next sync is the retry.
    _TIMEOUT: "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def connect() -> Any:
    """The library, set up for the store of MLFLOW_TRACKING_URI."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    uri = settings.MLFLOW_TRACKING_URI
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    import mlflow  # Here, because it costs seconds and 170 MB, which no web process should pay.

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow


@contextmanager
def time_to_upload(size: int) -> Iterator[None]:
    """Within it MLflow has longer to answer, by so many bytes of a file that is sent or fetched."""
    usual = os.environ[_TIMEOUT]
    os.environ[_TIMEOUT] = str(int(usual) + size // UPLOAD_BYTES_PER_SECOND)
    try:
        yield
    finally:
        os.environ[_TIMEOUT] = usual


def outage() -> str:
    """The reason why MLflow cannot be used at the moment; empty when it answers."""
    try:
        experiment(connect().MlflowClient())
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # MLflow, its store and the network may raise anything
        return in_short(error)
    return ""


def in_short(error: Exception) -> str:
    """An error on one line, without a user and password in an address."""
    text = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"//[^/@\s]*@", "//", text)[:ERROR_LENGTH]


def experiment(client: Any) -> str:
    """The experiment's id. One that was deleted is restored: its name stays taken, so nothing could be logged."""
    if found := client.get_experiment_by_name(EXPERIMENT):
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    # A server chooses where it keeps artefacts; with a plain database file we choose.
    local = settings.MLFLOW_TRACKING_URI.startswith("sqlite:")
    return str(client.create_experiment(EXPERIMENT, settings.MLFLOW_ARTIFACT_DIR.as_uri() if local else None))


def runs_with(tags: Mapping[str, str]) -> list[Any]:
    """This site's runs with these tags."""
    client = connect().MlflowClient()
    which = " and ".join(f"tags.`{name}` = '{value}'" for name, value in {**site_tag(), **tags}.items())
    return list(client.search_runs([experiment(client)], which))


def existing_runs(run_ids: Iterable[str]) -> dict[str, Any]:
    """Those of our runs that this store has, by id. Restores deleted ones, and marks those without a site's id."""
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
    """The registered versions of our run: one, or none."""
    if not run_id:
        return []
    which = f"name = '{settings.MLFLOW_MODEL_NAME}' and run_id = '{run_id}'"
    found, site = connect().MlflowClient().search_model_versions(which), SiteIdentity.current()
    return [registered for registered in found if _has_no_other_site(registered.tags, site)]


def download(version: ModelVersion, folder: Path) -> Path | None:
    """The version's artefact as MLflow has it, below `folder`; None where it has none. What it holds is not checked."""
    if not (found := registered_versions(version.mlflow_run_id)):
        return None
    uri = f"models:/{settings.MLFLOW_MODEL_NAME}/{found[0].version}"
    artifacts = connect().artifacts
    with time_to_upload(version.artifact_bytes):
        place = Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))) / "artifacts"
    return next((path for path in place.glob("*/") if path.is_dir()), None)


def remove_registered(run_id: str) -> bool:
    """Deletes the registered versions of our run with their files; whether there were any."""
    # Here like all of MLflow; the module that deletes files is not an attribute of the package.
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    mlflow = connect()
    client = mlflow.MlflowClient()
    found = registered_versions(run_id)
    for registered in found:
        try:
            # A registered version names its logged model, which knows the location of the files.
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
    """`champion` is the served version, `challenger` the latest candidate.

    An alias on what is not ours stays: who loads it expects that model. Returns a finding for each such alias.
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
    """Where we have nothing to point at, an alias of ours goes: none is better than a wrong one."""
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
    """Enough for what the id of our run leads to."""
    return tags.get(SITE_TAG) in (None, site)


def _is_ours(registered: Any) -> bool:
    if SITE_TAG in registered.tags:
        return bool(registered.tags[SITE_TAG] == SiteIdentity.current())
    return ModelVersion.objects.exclude(mlflow_run_id="").filter(mlflow_run_id=registered.run_id).exists()
