"""A version's files on disk: their folder and checksum, and the smoke test in a separate process."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from mlops.errors import ArtifactNotAvailable
from mlops.models import ModelVersion
from mlops.registry.smoke_test_input import SmokeTestInput
from recommender.models import ServedModel
from recommender.serving.loaded_model import LoadedModel, load_model


def folder_of(version: ModelVersion) -> Path:
    return Path(settings.MODEL_DIR) / version.artifact


def load_version(version: ModelVersion) -> LoadedModel:
    """Load the model as web processes do. Raises the errors of `load_model`."""
    pointer = ServedModel(version=version.pk, algorithm=version.algorithm, artifact=version.artifact)
    pointer.checksum = version.artifact_checksum
    return load_model(pointer)


def require_artifact(version: ModelVersion) -> None:
    """Raises ArtifactNotAvailable unless the files are complete and match the registered checksum."""
    # imported here, so that Beat, workers and most commands start without pandas and scipy
    from recommender.estimators import ArtifactError, artifact_checksum, load_recommender

    if version.artifact_removed_at:
        text = _("Retention removed the files of version {version} on {day:%Y-%m-%d}.")
        raise ArtifactNotAvailable(text.format(version=version.pk, day=version.artifact_removed_at))
    folder = folder_of(version)
    try:
        if artifact_checksum(folder) != version.artifact_checksum:
            text = _("Version {version}: the checksum does not match the registered checksum.")
            raise ArtifactNotAvailable(text.format(version=version.pk))
        load_recommender(folder, mmap=True)
    except ArtifactError as error:
        text = _("Version {version} cannot be loaded: {error}")
        raise ArtifactNotAvailable(text.format(version=version.pk, error=error)) from error


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def run_smoke_test(folder: Path, given: SmokeTestInput) -> dict[str, Any]:
    """Runs `mlops.registry.smoke_test` in a separate process and returns its result. A crash is a failure."""
    policy = settings.POLICY.gate
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(asdict(given), file)
        file.flush()
        command = [sys.executable, "-m", "mlops.registry.smoke_test", str(folder), file.name, str(policy.max_memory_mb)]
        # One BLAS thread, as in a web worker, so that the latency is measured as in serving.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        try:
            process = subprocess.run(
                command,
                cwd=settings.BASE_DIR,
                env=environment,
                capture_output=True,
                text=True,
                timeout=policy.max_smoke_test_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _broken(f"no answer within {policy.max_smoke_test_seconds:g} s (gate.max_smoke_test_seconds)")
    try:
        found = json.loads(process.stdout)
    except ValueError:
        return _broken(f"exit code {process.returncode}: {process.stderr.strip()[-500:]}")
    return dict(found)


def _broken(error: str) -> dict[str, Any]:
    return {"checks": {"loads_and_answers": False}, "error": error}
