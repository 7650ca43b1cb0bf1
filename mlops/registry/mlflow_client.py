"""The mirror in MLflow: an experiment run and a registered model for each version, and the aliases.

Only this module and pyfunc_model.py import MLflow, and only when it is first needed. Everything here may fail;
`mlflow_sync` handles that.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from django.conf import settings
from django.db.models import QuerySet

from mlops.evaluation.lineage import library_versions
from mlops.models import ModelVersion, TuningStudy, TuningTrial
from mlops.registry.artifacts import folder_of

Status = ModelVersion.Status
MODEL_NAME = "movierec"
EXPERIMENT = "movierec"
CHAMPION_ALIAS, CHALLENGER_ALIAS = "champion", "challenger"
VERSION_TAG = "movierec.version"
STUDY_TAG = "movierec.study"

_ENVIRONMENT = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def log_version(version: ModelVersion) -> tuple[str, str]:
    """MLflow's run id and registered version; reuses what an earlier attempt finished and redoes the rest."""
    import pandas as pd  # Here, like MLflow, so that processes that mirror nothing start without it.

    mlflow = _mlflow()
    client = mlflow.MlflowClient()
    if found := _logged_before(client, version):
        return found
    with mlflow.start_run(experiment_id=_experiment(client), run_name=f"version {version.pk}") as run:
        mlflow.set_tags(_tags(version) | {"site_version": settings.VERSION})
        mlflow.log_params(_params(version))
        with _estimators_alone() as code:
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                artifacts={"model": str(folder_of(version))},
                code_paths=[str(code)],
                signature=_signature(mlflow),
                input_example=pd.DataFrame({"user_id": [0]}),  # an unknown user, whom every model must serve
                # Otherwise MLflow infers them by loading the model in another process for half a minute.
                pip_requirements=[f"{name}=={release}" for name, release in library_versions().items()],
            )
        _share_files(folder_of(version), info.artifact_path)
        # After the model: it would copy the metrics that the run has by then, with one query each.
        mlflow.log_metrics(dict(_metrics(version.figures)), model_id=info.model_id)
        registered = mlflow.register_model(info.model_uri, MODEL_NAME)  # last, so that registered models are complete
    return run.info.run_id, str(registered.version)


def is_logged(version: ModelVersion) -> bool:
    """Whether the registered version is the one of our run: after a change of the store its number is another's."""
    return any(str(found.version) == version.mlflow_version for found in _registered_of(version))


def describe(version: ModelVersion) -> None:
    """Sets the tags of the registered version, for readers of MLflow."""
    version.refresh_from_db(fields=["status"])
    decision = version.decisions.first()
    state = {"gate": decision.outcome if decision else "not judged", "status": version.status}
    client = _mlflow().MlflowClient()
    for name, value in (_tags(version) | state).items():
        client.set_model_version_tag(MODEL_NAME, version.mlflow_version, name, value)


def point_aliases(present: QuerySet[ModelVersion]) -> None:
    """`champion` is the served version, `challenger` the latest candidate."""
    client = _mlflow().MlflowClient()
    for alias, status in ((CHAMPION_ALIAS, Status.CHAMPION), (CHALLENGER_ALIAS, Status.CANDIDATE)):
        if version := present.filter(status=status).first():
            client.set_registered_model_alias(MODEL_NAME, alias, version.mlflow_version)
        elif client.search_registered_models(f"name = '{MODEL_NAME}'"):
            client.delete_registered_model_alias(MODEL_NAME, alias)


def log_study(study: TuningStudy) -> str:
    """The run of a search, the parent of its trials; reuses the run of an earlier attempt."""
    client = _mlflow().MlflowClient()
    experiment = _experiment(client)
    if found := client.search_runs([experiment], f"tags.`{STUDY_TAG}` = '{study.pk}'"):
        return str(found[-1].info.run_id)
    tags = {STUDY_TAG: str(study.pk), "data_hash": study.snapshot.content_hash, "recipe": study.recipe}
    run = client.create_run(experiment, run_name=f"search {study.pk}, {study.algorithm}", tags=tags)
    client.log_param(run.info.run_id, "algorithm", study.algorithm)
    return str(run.info.run_id)


def log_trial(study: TuningStudy, trial: TuningTrial) -> str:
    mlflow = _mlflow()
    client = mlflow.MlflowClient()
    tags = {"mlflow.parentRunId": study.mlflow_run_id, "status": trial.status}
    with mlflow.start_run(experiment_id=_experiment(client), run_name=f"trial {trial.number}", tags=tags) as run:
        mlflow.log_params(trial.parameters)
        mlflow.log_metrics(dict(_numbers("", {"ndcg": trial.ndcg, "seconds": trial.seconds})))
        for place, score in enumerate(trial.scores):
            mlflow.log_metric("ndcg_at_cut", score, step=place)
    if trial.status == TuningTrial.Status.FAILED:
        client.set_terminated(run.info.run_id, "FAILED")
    return str(run.info.run_id)


def end_study(study: TuningStudy) -> None:
    mlflow = _mlflow()
    best = study.best
    with mlflow.start_run(run_id=study.mlflow_run_id):
        mlflow.log_metrics(dict(_numbers("against/present/", study.difference or {})))
        if best is not None:
            mlflow.log_metric("ndcg", best.ndcg)


def remove_artifact(version: ModelVersion) -> None:
    """Delete the files and the registered version; the run with its figures stays."""
    # Here like all of MLflow; the module that deletes files is not an attribute of the package.
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client = _mlflow().MlflowClient()
    for registered in _registered(client, version.mlflow_run_id):
        # A registered version names its logged model, which knows the location of the files.
        location = client.get_logged_model(registered.source.removeprefix("models:/")).artifact_location
        get_artifact_repository(location).delete_artifacts()
        client.delete_model_version(MODEL_NAME, registered.version)
        client.set_tag(version.mlflow_run_id, "artifact", "removed by retention")


def _mlflow() -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    uri = settings.MLFLOW_TRACKING_URI
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    import mlflow  # Here, because it costs seconds and 170 MB, which no web process should pay.

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow


def _experiment(client: Any) -> str:
    if found := client.get_experiment_by_name(EXPERIMENT):
        return str(found.experiment_id)
    # A server chooses where it keeps artefacts; with a plain database file we choose.
    local = settings.MLFLOW_TRACKING_URI.startswith("sqlite:")
    return str(client.create_experiment(EXPERIMENT, settings.MLFLOW_ARTIFACT_DIR.as_uri() if local else None))


def _logged_before(client: Any, version: ModelVersion) -> tuple[str, str] | None:
    """The result of an attempt that ended before our row was saved; deletes incomplete runs."""
    same = f"tags.`{VERSION_TAG}` = '{version.pk}' and tags.checksum = '{version.artifact_checksum}'"
    for run in client.search_runs([_experiment(client)], same):
        if registered := _registered(client, run.info.run_id):
            return run.info.run_id, str(registered[0].version)
        client.delete_run(run.info.run_id)
    return None


def _registered(client: Any, run_id: str) -> list[Any]:
    """The registered versions of a run: one, or none."""
    return list(client.search_model_versions(f"name = '{MODEL_NAME}' and run_id = '{run_id}'"))


def _registered_of(version: ModelVersion) -> list[Any]:
    return _registered(_mlflow().MlflowClient(), version.mlflow_run_id) if version.mlflow_run_id else []


def _tags(version: ModelVersion) -> dict[str, str]:
    return {
        VERSION_TAG: str(version.pk),
        "checksum": version.artifact_checksum,
        "data_hash": version.snapshot.content_hash,
        "config_hash": version.config_hash,
        "git_sha": version.code_revision or "unknown",
    }


def _params(version: ModelVersion) -> dict[str, Any]:
    chosen = {f"chosen.{name}": value for name, value in version.chosen.items()}
    return version.parameters | chosen | {"algorithm": version.algorithm, "random_state": version.random_state}


def _metrics(figures: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Flat names: `ndcg` is the candidate's own, `popular/ndcg` a baseline's, `against/popular/low` a difference's."""
    for model, found in figures.get("models", {}).items():
        prefix = "" if model == "candidate" else f"{model}/"
        yield from _numbers(prefix, found["summary"])
        if model == "candidate":
            for part, values in found["slices"].items():
                yield from _numbers(f"slice/{part}/", values)
    for model, interval in figures.get("differences", {}).items():
        yield from _numbers(f"against/{model}/", interval)


def _numbers(prefix: str, values: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, int | float):
            yield f"{prefix}{name}", float(value)


def _signature(mlflow: Any) -> Any:
    types = mlflow.types
    outputs = {"user_id": "long", "movie_id": "long", "score": "double", "rank": "long"}
    return mlflow.models.ModelSignature(
        inputs=types.Schema([types.ColSpec("long", "user_id")]),
        outputs=types.Schema([types.ColSpec(kind, name) for name, kind in outputs.items()]),
        params=types.ParamSchema([types.ParamSpec("k", "long", 10), types.ParamSpec("exclude_seen", "boolean", True)]),
    )


@contextmanager
def _estimators_alone() -> Iterator[Path]:
    """The code that the model needs outside the site: a package `recommender` with only the estimators."""
    with tempfile.TemporaryDirectory() as temporary:
        package = Path(temporary) / "recommender"
        code = settings.BASE_DIR / "recommender" / "estimators"
        shutil.copytree(code, package / "estimators", ignore=shutil.ignore_patterns("__pycache__"))
        (package / "__init__.py").touch()
        yield package


def _share_files(folder: Path, location: str) -> None:
    """Replaces MLflow's copies of the arrays by hard links to ours, where both are on one file system."""
    parsed = urlparse(location)
    copies = Path(parsed.path) / "artifacts" / folder.name
    if parsed.scheme in ("", "file"):
        with suppress(OSError):  # another file system
            for path in folder.iterdir():
                link = copies / f".{path.name}.link"
                os.link(path, link)
                link.rename(copies / path.name)
