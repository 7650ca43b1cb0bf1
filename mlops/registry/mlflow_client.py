"""The mirror in MLflow: an experiment run and a registered model for each version, and the aliases.

This module and pyfunc_model.py are the only ones that know MLflow, which is imported when it is first needed: it costs
seconds and 170 MB, and no web process pays them. Everything here may fail; `registry` sees to that.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from django.conf import settings

from mlops.evaluation.lineage import LIBRARIES, library_versions
from mlops.models import ModelVersion, TuningStudy, TuningTrial
from mlops.registry.artifacts import folder_of

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
    """MLflow's run id and registered version; what an earlier attempt finished is taken over, the rest is redone."""
    mlflow = _mlflow()
    client = mlflow.MlflowClient()
    if found := _logged_before(client, version):
        return found
    with mlflow.start_run(experiment_id=_experiment(client), run_name=f"version {version.pk}") as run:
        mlflow.set_tags(_tags(version))
        mlflow.log_params(_params(version))
        with _estimators_alone() as code:
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                artifacts={"model": str(folder_of(version))},
                code_paths=[str(code)],
                signature=_signature(),
                input_example=_input_example(),
                pip_requirements=_requirements(),
            )
        _share_files(folder_of(version), info.artifact_path)
        # After the model, which takes over what the run has by then figure by figure, with a query for each.
        mlflow.log_metrics(dict(_metrics(version.figures)), model_id=info.model_id)
        registered = mlflow.register_model(info.model_uri, MODEL_NAME)  # last: what is registered is whole
    return run.info.run_id, str(registered.version)


def describe(version: ModelVersion, gate: str) -> None:
    """Tags of the registered version, for those who look at MLflow alone."""
    tags = {
        "gate": gate,
        "status": version.status,
        "data_hash": version.snapshot.content_hash,
        "git_sha": version.code_revision or "unknown",
        VERSION_TAG: str(version.pk),
    }
    client = _mlflow().MlflowClient()
    for name, value in tags.items():
        client.set_model_version_tag(MODEL_NAME, version.mlflow_version, name, value)


def point_aliases(*, champion: ModelVersion | None, challenger: ModelVersion | None) -> None:
    client = _mlflow().MlflowClient()
    for alias, version in ((CHAMPION_ALIAS, champion), (CHALLENGER_ALIAS, challenger)):
        if version is not None and version.mlflow_version:
            client.set_registered_model_alias(MODEL_NAME, alias, version.mlflow_version)
        elif client.search_registered_models(f"name = '{MODEL_NAME}'"):
            client.delete_registered_model_alias(MODEL_NAME, alias)


def log_study(study: TuningStudy) -> str:
    """The run of a search, under which its trials are; one that an earlier attempt left is taken over."""
    client = _mlflow().MlflowClient()
    experiment = _experiment(client)
    if found := client.search_runs([experiment], f"tags.`{STUDY_TAG}` = '{study.pk}'"):
        return str(found[-1].info.run_id)
    tags = {STUDY_TAG: str(study.pk), "data_hash": study.snapshot.content_hash, "recipe": study.recipe}
    run = client.create_run(experiment, run_name=f"search {study.pk}, {study.algorithm}", tags=tags)
    client.log_param(run.info.run_id, "algorithm", study.algorithm)
    return str(run.info.run_id)


def log_trial(study: TuningStudy, trial: TuningTrial) -> str:
    from mlflow.entities import Metric, Param

    now = int(trial.ended_at.timestamp() * 1000)
    client = _mlflow().MlflowClient()
    tags = {"mlflow.parentRunId": study.mlflow_run_id, "status": trial.status}
    run_id = client.create_run(_experiment(client), run_name=f"trial {trial.number}", tags=tags).info.run_id
    figures = {"ndcg": trial.ndcg, "seconds": trial.seconds}
    metrics = [Metric(name, value, now, 0) for name, value in figures.items() if value is not None]
    metrics += [Metric("ndcg_at_cut", score, now, place) for place, score in enumerate(trial.scores)]
    client.log_batch(run_id, metrics, [Param(name, str(value)[:500]) for name, value in trial.parameters.items()])
    client.set_terminated(run_id, "FAILED" if trial.status == TuningTrial.Status.FAILED else "FINISHED")
    return str(run_id)


def end_study(study: TuningStudy) -> None:
    from mlflow.entities import Metric

    client = _mlflow().MlflowClient()
    now = int(study.ended_at.timestamp() * 1000) if study.ended_at else 0
    figures = dict(_numbers("against/present/", study.difference or {}))
    if (best := study.best) is not None and best.ndcg is not None:
        figures["ndcg"] = best.ndcg
    client.log_batch(study.mlflow_run_id, [Metric(name, value, now, 0) for name, value in figures.items()])
    client.set_terminated(study.mlflow_run_id)


def remove_artifact(version: ModelVersion) -> None:
    """Delete the files and the registered version; the run with its figures stays."""
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client = _mlflow().MlflowClient()
    try:
        source = client.get_model_version(MODEL_NAME, version.mlflow_version)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return
        raise
    # A registered version names the logged model it was made from; that one knows where its files are.
    location = client.get_logged_model(source.source.removeprefix("models:/")).artifact_location
    get_artifact_repository(location).delete_artifacts()
    client.delete_model_version(MODEL_NAME, version.mlflow_version)
    client.set_tag(version.mlflow_run_id, "artifact", "removed by retention")


def _mlflow() -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    uri = settings.MLFLOW_TRACKING_URI
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow


def _experiment(client: Any) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    # A server keeps artefacts where it was told to; with a mere database file the place is ours to name.
    local = settings.MLFLOW_TRACKING_URI.startswith("sqlite:")
    return str(client.create_experiment(EXPERIMENT, settings.MLFLOW_ARTIFACT_DIR.as_uri() if local else None))


def _logged_before(client: Any, version: ModelVersion) -> tuple[str, str] | None:
    """A former attempt may have ended between MLflow's answer and our row; half of one is deleted."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return None
    same = f"tags.`{VERSION_TAG}` = '{version.pk}' and tags.checksum = '{version.artifact_checksum}'"
    for run in client.search_runs([experiment.experiment_id], same):
        registered = client.search_model_versions(f"name = '{MODEL_NAME}' and run_id = '{run.info.run_id}'")
        if registered:
            return run.info.run_id, str(registered[0].version)
        client.delete_run(run.info.run_id)
    return None


def _tags(version: ModelVersion) -> dict[str, str]:
    return {
        VERSION_TAG: str(version.pk),
        "checksum": version.artifact_checksum,
        "data_hash": version.snapshot.content_hash,
        "config_hash": version.config_hash,
        "git_sha": version.code_revision or "unknown",
        "site_version": settings.VERSION,
    }


def _params(version: ModelVersion) -> dict[str, str]:
    given = {name: str(value) for name, value in version.parameters.items()}
    chosen = {f"chosen.{name}": str(value) for name, value in version.chosen.items()}
    own = {"algorithm": version.algorithm, "random_state": str(version.random_state)}
    return {name: value[:500] for name, value in (given | chosen | own).items()}


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


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    outputs = [("user_id", "long"), ("movie_id", "long"), ("score", "double"), ("rank", "long")]
    return ModelSignature(
        inputs=Schema([ColSpec("long", "user_id")]),
        outputs=Schema([ColSpec(kind, name) for name, kind in outputs]),
        params=ParamSchema([ParamSpec("k", DataType.long, 10), ParamSpec("exclude_seen", DataType.boolean, True)]),
    )


def _input_example() -> Any:
    import pandas as pd

    return pd.DataFrame({"user_id": [0]})  # a user nobody knows, whom every model must serve


def _requirements() -> list[str]:
    """Given, or MLflow would find them out by loading the model in another process, for half a minute."""
    versions = library_versions()
    return [f"{name}=={versions[name]}" for name in LIBRARIES if name in versions]


@contextmanager
def _estimators_alone() -> Iterator[Path]:
    """What the model's code needs outside of the site: the package `recommender` with the estimators in it only."""
    with tempfile.TemporaryDirectory() as temporary:
        package = Path(temporary) / "recommender"
        shutil.copytree(
            settings.BASE_DIR / "recommender" / "estimators",
            package / "estimators",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        (package / "__init__.py").touch()
        yield package


def _share_files(folder: Path, location: str) -> None:
    """On one file system MLflow's copy of the arrays becomes hard links to ours: the same bytes, once on disk."""
    parsed = urlparse(location)
    if parsed.scheme not in ("", "file"):
        return
    copies = {path.name: path for path in Path(parsed.path).rglob("*") if path.is_file()}
    for path in folder.iterdir():
        copy = copies.get(path.name)
        if copy is None or copy.stat().st_size != path.stat().st_size:
            continue
        try:
            link = copy.with_name(f".{copy.name}.link")
            os.link(path, link)
            link.rename(copy)
        except OSError:
            return  # another file system: the copy stays a copy
