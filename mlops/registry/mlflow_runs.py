"""Writes our rows to MLflow.

A version is logged as a run with its files and a registered version. A search is logged as a run with its trials as
nested runs.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from mlops.evaluation.lineage import library_versions
from mlops.models import ModelVersion, TuningStudy, TuningTrial
from mlops.registry.artifacts import folder_of
from mlops.registry.mlflow_client import (
    connect,
    existing_runs,
    experiment,
    registered_versions,
    remove_registered,
    runs_with,
    site_tag,
    time_to_upload,
)
from mlops.registry.model_card import model_card
from recommender import estimators  # import the package, not its names, because it loads its modules on first use

VERSION_TAG = "movierec.version"
STUDY_TAG = "movierec.study"
PARENT_TAG = "mlflow.parentRunId"
# A loaded model imports only these, which are installed with MLflow. Other libraries are only for training.
LOADED_WITH = ("mlflow", "numpy", "pandas", "scipy", "threadpoolctl")


def log_version(version: ModelVersion) -> tuple[str, str]:
    """Logs a version and returns MLflow's run id and registered version. Reuses those of a completed attempt."""
    import pandas as pd  # imported here, so that processes that do not mirror start without it

    mlflow = connect()
    if found := _logged_before(version):
        return found
    remove_registered(version.mlflow_run_id)  # its run no longer exists
    place, tags = experiment(mlflow.MlflowClient()), _tags(version)
    with mlflow.start_run(experiment_id=place, run_name=f"version {version.pk}", tags=tags) as run:
        mlflow.set_tag("site_version", settings.VERSION)
        mlflow.log_params(_params(version))
        with _estimators_alone() as code, time_to_upload(version.artifact_bytes):
            info = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("pyfunc_model.py")),
                artifacts={"model": str(folder_of(version))},
                code_paths=[str(code)],
                signature=_signature(mlflow),
                input_example=pd.DataFrame({"history": [[{"movie_id": _first_movie(version), "rating": 5}]]}),
                # Otherwise MLflow infers them by loading the model in another process, which takes half a minute.
                pip_requirements=[f"{name}=={release}" for name, release in library_versions(LOADED_WITH).items()],
                tags=tags,
            )
        # Log metrics after the model: `log_model` copies the run's existing metrics with one query each.
        mlflow.log_metrics(dict(_metrics(version.figures)), model_id=info.model_id)
        # Register last, so that registered models are complete.
        registered = mlflow.register_model(info.model_uri, settings.MLFLOW_MODEL_NAME, tags=tags)
    return run.info.run_id, str(registered.version)


def is_logged(version: ModelVersion) -> bool:
    """Returns whether our registered version belongs to our run. Another store may use its number for another run."""
    numbers = [str(registered.version) for registered in registered_versions(version.mlflow_run_id)]
    return version.mlflow_version in numbers and bool(existing_runs([version.mlflow_run_id]))


def describe(version: ModelVersion) -> None:
    """Updates the tags of the registered version and the model card of its run."""
    version.refresh_from_db(fields=["status"])
    decision = version.decisions.first()
    state = {"gate": decision.outcome if decision else "not judged", "status": version.status}
    client = connect().MlflowClient()
    card = model_card(version)
    state["model_card"] = hashlib.sha256(card.encode()).hexdigest()
    for registered in registered_versions(version.mlflow_run_id):
        if registered.tags.get("model_card") != state["model_card"]:
            client.log_text(version.mlflow_run_id, card, "model_card.md")
        for name, value in (_tags(version) | state).items():
            if registered.tags.get(name) != value:
                client.set_model_version_tag(settings.MLFLOW_MODEL_NAME, str(registered.version), name, value)


def remove_version(version: ModelVersion) -> None:
    """Deletes the registered version and its files, but keeps the run with its metrics."""
    if remove_registered(version.mlflow_run_id) and existing_runs([version.mlflow_run_id]):
        connect().MlflowClient().set_tag(version.mlflow_run_id, "artifact", "removed by retention")


def log_study(study: TuningStudy) -> str:
    """Returns the id of a search's run, the parent of its trials' runs. Reuses the run of an earlier attempt."""
    tags = {STUDY_TAG: str(study.pk)}
    if found := runs_with(tags):
        return str(found[-1].info.run_id)
    client = connect().MlflowClient()
    tags |= site_tag() | {"data_hash": study.snapshot.content_hash, "recipe": study.recipe}
    run = client.create_run(experiment(client), run_name=f"search {study.pk}, {study.algorithm}", tags=tags)
    client.log_param(run.info.run_id, "algorithm", study.algorithm)
    return str(run.info.run_id)


def log_trial(study: TuningStudy, trial: TuningTrial) -> str:
    mlflow = connect()
    client = mlflow.MlflowClient()
    tags = site_tag() | {PARENT_TAG: study.mlflow_run_id, "status": trial.status}
    with mlflow.start_run(experiment_id=experiment(client), run_name=f"trial {trial.number}", tags=tags) as run:
        mlflow.log_params(trial.parameters)
        mlflow.log_metrics(dict(_numbers("", {"ndcg": trial.ndcg, "seconds": trial.seconds})))
        for place, score in enumerate(trial.scores):
            mlflow.log_metric("ndcg_at_cut", score, step=place)
    if trial.status == TuningTrial.Status.FAILED:
        client.set_terminated(run.info.run_id, "FAILED")
    return str(run.info.run_id)


def move_trial(study: TuningStudy, trial: TuningTrial) -> None:
    """Nests the trial's run in the current run of its search."""
    connect().MlflowClient().set_tag(trial.mlflow_run_id, PARENT_TAG, study.mlflow_run_id)


def end_study(study: TuningStudy) -> None:
    mlflow = connect()
    best = study.best
    with mlflow.start_run(run_id=study.mlflow_run_id):
        mlflow.log_metrics(dict(_numbers("against/present/", study.difference or {})))
        if best is not None:
            mlflow.log_metric("ndcg", best.ndcg)


def _logged_before(version: ModelVersion) -> tuple[str, str] | None:
    """Returns the result of an attempt that completed but could not save our row. Deletes incomplete runs."""
    for run in runs_with({VERSION_TAG: str(version.pk), "checksum": version.artifact_checksum}):
        if registered := registered_versions(run.info.run_id):
            return run.info.run_id, str(registered[0].version)
        connect().MlflowClient().delete_run(run.info.run_id)
    return None


def _tags(version: ModelVersion) -> dict[str, str]:
    return site_tag() | {
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
    """Yields metrics with flat names.

    For example, `ndcg` is the candidate's, `popular/ndcg` a baseline's, and `against/popular/low` their difference's.
    """
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


def _first_movie(version: ModelVersion) -> int:
    return int(estimators.load_recommender(folder_of(version)).movie_ids_[0])


def _signature(mlflow: Any) -> Any:
    """Returns the signature of `MovierecModel`."""
    types = mlflow.types.schema
    # A rating may have any type, because MLflow rejects 5 for a double inside an object. The model validates it.
    rating = types.Object([types.Property("movie_id", "long"), types.Property("rating", types.AnyType())])
    outputs = {"row": "long", "movie_id": "long", "title": "string", "score": "double", "rank": "long"}
    params = {"k": ("long", 10), "diversity": ("double", settings.POLICY.serving.diversity)}
    return mlflow.models.ModelSignature(
        inputs=types.Schema([types.ColSpec(types.Array(rating), "history")]),
        outputs=types.Schema([types.ColSpec(kind, name) for name, kind in outputs.items()]),
        params=types.ParamSchema([types.ParamSpec(name, *given) for name, given in params.items()]),
    )


@contextmanager
def _estimators_alone() -> Iterator[Path]:
    """Yields the folder of a package `recommender` that contains only the estimators, which a loaded model needs."""
    with tempfile.TemporaryDirectory() as temporary:
        package = Path(temporary) / "recommender"
        code = settings.BASE_DIR / "recommender" / "estimators"
        shutil.copytree(code, package / "estimators", ignore=shutil.ignore_patterns("__pycache__"))
        (package / "__init__.py").touch()
        yield package
