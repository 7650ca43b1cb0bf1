"""A model's files on disk: where they are, that they are whole, that a fresh process can use them."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings

from mlops.errors import ArtifactNotAvailable
from mlops.models import ModelVersion

if TYPE_CHECKING:
    from recommender.estimators import Dataset

VERIFY_TIMEOUT_SECONDS = 300
PROBE_USERS = 50


def folder_of(version: ModelVersion) -> Path:
    return Path(settings.MODEL_DIR) / version.artifact


def require_artifact(version: ModelVersion) -> None:
    """Raises ArtifactNotAvailable unless the files are there, whole and those that were registered."""
    # Here, so that Beat, workers and commands that promote nothing start without pandas' and scipy's weight.
    from recommender.estimators import ArtifactError, artifact_checksum, load_recommender

    if version.artifact_removed_at:
        raise ArtifactNotAvailable(
            f"The files of version {version.pk} were removed by retention on {version.artifact_removed_at:%Y-%m-%d}."
        )
    folder = folder_of(version)
    try:
        if artifact_checksum(folder) != version.artifact_checksum:
            raise ArtifactNotAvailable(f"Version {version.pk}: the checksum does not match what was registered.")
        load_recommender(folder, mmap=True)
    except ArtifactError as error:
        raise ArtifactNotAvailable(f"Version {version.pk} cannot be loaded: {error}") from error


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def probe_of(dataset: "Dataset", random_state: int) -> list[dict[int, float]]:
    """Histories of some users of the training data, and the empty one."""
    rng = np.random.default_rng(random_state)
    rows = rng.choice(dataset.n_users, size=min(PROBE_USERS, dataset.n_users), replace=False)
    return [{}, *(_history(dataset, int(row)) for row in sorted(rows))]


def _history(dataset: "Dataset", row: int) -> dict[int, float]:
    part = slice(dataset.ratings.indptr[row], dataset.ratings.indptr[row + 1])
    movies = dataset.movie_ids[dataset.ratings.indices[part]]
    return {int(movie): float(rating) for movie, rating in zip(movies, dataset.ratings.data[part], strict=True)}


def verify_in_fresh_process(folder: Path, probe: Iterable[dict[int, float]]) -> dict[str, Any]:
    """What `mlops.verify` found; a process that crashes, hangs or prints something else failed its checks."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(list(probe), file)
        file.flush()
        command = [sys.executable, "-m", "mlops.verify", str(folder), file.name]
        # One BLAS thread, as in a web worker: the latency is that of serving.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        try:
            process = subprocess.run(
                command,
                cwd=settings.BASE_DIR,
                env=environment,
                capture_output=True,
                text=True,
                timeout=VERIFY_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _broken(f"no answer within {VERIFY_TIMEOUT_SECONDS} s")
    try:
        found = json.loads(process.stdout)
    except ValueError:
        return _broken(f"exit code {process.returncode}: {process.stderr.strip()[-500:]}")
    return dict(found)


def _broken(error: str) -> dict[str, Any]:
    return {"checks": {"loads_and_answers": False}, "error": error}
