"""Reproduces a version from its snapshot, parameters and seed. Compares the files byte for byte."""

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
from mlops.evaluation.comparison import fitter_of
from mlops.evaluation.lineage import BLAS_KERNEL, code_revision, fitting_libraries, fitting_threads, recipe_hash
from mlops.models import ModelVersion
from mlops.registry.artifacts import folder_of
from mlops.registry.promotion import get_version
from mlops.registry.smoke_checks import known_parts
from mlops.registry.smoke_test_input import smoke_test_input
from recommender.estimators import ArtifactError, Dataset, artifact_checksum, load_recommender

K = 10


@dataclass(frozen=True)
class Reproduction:
    """The result of a reproduction.

    `differences` tells how much the files and lists differ. `reasons` lists what has changed since the first fit.
    """

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
    """Fits the version again, stores the comparison in its row and returns it.

    Reuses tuned parameters from the row. Raises VersionNotFound, SnapshotNotAvailable, StepFailed.
    """
    row = get_version(version)
    if row.snapshot.unavailable_reason:
        raise SnapshotNotAvailable(f"Version {version} can no longer be reproduced. {row.snapshot.unavailable_reason}")
    tell = on_progress or (lambda text: None)
    folder = settings.MODEL_DIR / f".reproduce-{uuid.uuid4().hex}.part"
    try:
        tell("reading the snapshot")
        # Its data was checked when its run started or, without a run, when the version was created.
        learnt_at = (row.run.started_at if row.run else None) or row.created_at
        ratings, movies = frames_as_of(row.snapshot, learnt_at)
        dataset = Dataset.from_frames(ratings, movies, settings.POLICY.training.implicit_threshold)
        tell("fitting")
        _fit(row, dataset).save(folder)
        tell("comparing")
        checksum = artifact_checksum(folder)
        is_same = checksum == row.artifact_checksum
        differences, reasons = ([], []) if is_same else (_differences(row, folder, dataset), _reasons(row))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = Reproduction(row.pk, is_same, checksum, differences, reasons)
    row.reproduction = asdict(found) | {"sentence": found.sentence, "checked_at": timezone.now().isoformat()}
    row.save(update_fields=["reproduction"])
    return found


def _fit(row: ModelVersion, dataset: Dataset) -> Any:
    try:
        with threadpool_limits(limits=row.threads or fitting_threads(), user_api="blas"):
            return fitter_of(row)(dataset)
    except (KeyError, ValueError, TypeError) as error:
        raise StepFailed(f"Today's code cannot make version {row.pk} again: {error}") from error


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
    shared = np.mean([len(a & b) / max(len(a), 1) for a, b in zip(*lists, strict=True)])
    in_lists = f"{shared:.1%} of the movies in {len(histories)} lists are the same"
    return [*_file_differences(before, folder), in_lists]


def _lists(model: Any, histories: list[dict[int, float]]) -> list[set[int]]:
    found = model.recommend_for_history(known_parts(histories, set(model.movie_ids_.tolist())), k=K)
    return [set(found.loc[found["user_id"] == place, "movie_id"]) for place in range(len(histories))]


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
        if now != was and (name != BLAS_KERNEL or name in row.libraries):  # older releases did not record the kernel
            reasons.append(f"{name} is {now}, it was {was}")
    if row.threads is None:
        reasons.append("it is not known how many threads it was fitted with")
    if recipe_hash(row.algorithm, row.parameters) != row.config_hash:
        reasons.append("the configuration (implicit_threshold, sources of metadata) is another")
    return reasons
