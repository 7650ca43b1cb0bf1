"""A version made again from what its row names: snapshot, parameters, seed. Are the files the same, byte for byte?"""

import json
import shutil
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone
from threadpoolctl import threadpool_limits

from mlops.data.validation import frames_as_of
from mlops.errors import SnapshotNotAvailable, StepFailed
from mlops.evaluation.lineage import BLAS_KERNEL, code_revision, fitting_libraries, fitting_threads, recipe_hash
from mlops.evaluation.parameters import from_json
from mlops.models import ModelVersion
from mlops.registry.artifacts import folder_of
from mlops.registry.promotion import get_version
from mlops.registry.smoke_test_input import smoke_test_input
from recommender.estimators import ESTIMATORS, ArtifactError, Dataset, artifact_checksum, load_recommender

K = 10


@dataclass(frozen=True)
class Reproduction:
    """`differences`: by how much the files and the lists differ; `reasons`: what is not as it was."""

    version: int
    is_same: bool
    checksum: str
    differences: list[str]
    reasons: list[str]

    @property
    def sentence(self) -> str:
        if self.is_same:
            return f"Version {self.version} was made again, byte for byte: {self.checksum}."
        why = "; ".join(self.reasons) or "code, libraries and configuration are as they were, so chance is at work"
        return f"Version {self.version} came out different: {'; '.join(self.differences)}. Why: {why}."


def reproduce_version(*, version: int, on_progress: Callable[[str], None] | None = None) -> Reproduction:
    """What was chosen on an inner split is taken from the row.

    Raises VersionNotFound, SnapshotNotAvailable, StepFailed.
    """
    row = get_version(version)
    if row.snapshot.unavailable_reason:
        raise SnapshotNotAvailable(f"Version {version} can no longer be reproduced. {row.snapshot.unavailable_reason}")
    tell = on_progress or (lambda text: None)
    folder = settings.MODEL_DIR / f".reproduce-{uuid.uuid4().hex}.part"
    try:
        tell("reading the snapshot")
        # What it learnt from was checked when its run began; without one, when it was made.
        learnt_at = (row.run.started_at if row.run else None) or row.created_at
        ratings, movies = frames_as_of(row.snapshot, learnt_at)
        dataset = Dataset.from_frames(ratings, movies, settings.POLICY.training.implicit_threshold)
        tell("fitting")
        _fit(row, dataset).save(folder)
        tell("comparing")
        found = _compare(row, folder, dataset)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    row.reproduction = asdict(found) | {"sentence": found.sentence, "checked_at": timezone.now().isoformat()}
    row.save(update_fields=["reproduction"])
    return found


def _fit(row: ModelVersion, dataset: Dataset) -> Any:
    parameters = from_json(row.parameters | row.chosen)
    try:
        with threadpool_limits(limits=row.threads or fitting_threads(), user_api="blas"):
            return ESTIMATORS[row.algorithm](random_state=row.random_state, **parameters).fit(dataset)
    except (KeyError, ValueError, TypeError) as error:
        raise StepFailed(f"Today's code cannot make version {row.pk} again: {error}") from error


def _compare(row: ModelVersion, folder: Path, dataset: Dataset) -> Reproduction:
    checksum = artifact_checksum(folder)
    if checksum == row.artifact_checksum:
        return Reproduction(row.pk, True, checksum, [], [])
    return Reproduction(row.pk, False, checksum, _differences(row, folder, dataset), _reasons(row))


def _differences(row: ModelVersion, folder: Path, dataset: Dataset) -> list[str]:
    before = folder_of(row)
    if row.artifact_removed_at:
        return ["the checksum; by how much cannot be said, since its files were removed by retention"]
    try:
        was, now = load_recommender(before), load_recommender(folder)
    except ArtifactError as error:
        return [f"its own files cannot be loaded any more ({error})"]
    histories = smoke_test_input(dataset, row.algorithm, row.random_state).histories
    lists = [_lists(model, histories) for model in (was, now)]
    shared = [len(a & b) / max(len(a), 1) for a, b in zip(*lists, strict=True)]
    return [
        *_file_differences(before, folder),
        f"{np.mean(shared):.1%} of the movies in {len(shared)} lists are the same",
    ]


def _lists(model: Any, histories: list[dict[int, float]]) -> list[set[int]]:
    known = set(model.movie_ids_.tolist())
    usable = [{movie: rating for movie, rating in history.items() if movie in known} for history in histories]
    found = model.recommend_for_history(usable, k=K)
    return [set(found.loc[found["user_id"] == place, "movie_id"]) for place in range(len(usable))]


def _file_differences(before: Path, now: Path) -> list[str]:
    old, new = (json.loads((folder / "manifest.json").read_bytes()) for folder in (before, now))
    names = sorted(name for name in old["files"] | new["files"] if old["files"].get(name) != new["files"].get(name))
    parts = [part for part in ("library_versions", "data_fingerprint") if old.get(part) != new.get(part)]
    found = [f"{part.replace('_', ' ')} in the manifest" for part in parts]
    return found + [f"{name}{_by_how_much(before / name, now / name)}" for name in names] or ["the manifest"]


def _by_how_much(before: Path, now: Path) -> str:
    if not (before.is_file() and now.is_file()):
        return " is in one of them only"
    if before.suffix != ".npy":
        return ""
    old, new = np.load(before, allow_pickle=False), np.load(now, allow_pickle=False)
    if old.shape != new.shape:
        return f" has the shape {new.shape} instead of {old.shape}"
    return f" by at most {np.abs(old.astype(np.float64) - new.astype(np.float64)).max(initial=0):.3g}"


def _reasons(row: ModelVersion) -> list[str]:
    reasons = []
    revision = code_revision()
    if revision != row.code_revision or not revision or revision.endswith("-dirty"):
        reasons.append(f"the code is {revision or 'of unknown revision'}, it was {row.code_revision or 'unknown'}")
    libraries = fitting_libraries()
    for name in sorted(libraries.keys() | row.libraries.keys()):
        now, was = libraries.get(name, "missing"), row.libraries.get(name, "missing")
        if now != was and (name != BLAS_KERNEL or name in row.libraries):  # versions of older releases do not name it
            reasons.append(f"{name} is {now}, it was {was}")
    if row.threads is None:
        reasons.append("it is not known how many threads it was fitted with")
    if recipe_hash(row.algorithm, row.parameters) != row.config_hash:
        reasons.append("the configuration (implicit_threshold, sources of metadata) is another")
    return reasons
