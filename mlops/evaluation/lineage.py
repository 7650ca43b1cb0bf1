"""The lineage of a version, which identifies it and lets it be reproduced: recipe, code, libraries."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings
from threadpoolctl import threadpool_info

BLAS_KERNEL = "BLAS kernel"
_CHANGES = ("status", "--porcelain", "--untracked-files=no", "--", ":!dvc.lock")
ROOT = Path(__file__).resolve().parent.parent.parent
PINS = ("requirements.txt", "requirements-dvc.txt", "requirements-web.txt")
CODE = ("catalog", "deploy", "manage.py", "mlops", "movierec", "recommender", *PINS, "static", "templates")
RELEASE_CI = Path("deploy", "ci-evidence")  # what CI showed about this code, brought by a release
LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "implicit", "rectools-lightfm", "pyarrow")


def recipe_hash(algorithm: str, parameters: Mapping[str, Any]) -> str:
    """A hash of everything that determines a model except data and seed: equal for a refresh."""
    recipe = {
        "algorithm": algorithm,
        "parameters": dict(parameters),
        "implicit_threshold": settings.POLICY.training.implicit_threshold,
        "tmdb_metadata": settings.TMDB_METADATA_IN_TRAINING,
    }
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def code_revision() -> str:
    """The git revision, marked `-dirty` if files differ; CODE_REVISION in an image without git; else empty.

    `dvc.lock` is a record of results, which every `dvc repro` writes: it makes no revision dirty.
    """
    if revision := settings.CODE_REVISION:
        return revision[:64]
    try:
        revision = _git("rev-parse", "HEAD")
        return f"{revision}-dirty" if _git(*_CHANGES) else revision
    except (OSError, subprocess.SubprocessError):
        return ""


def tree_hash(root: Path = ROOT) -> str:
    """A hash of the code's files, by path and content: the same in a checkout and in an image without git.

    A file that was changed, added or removed changes it; bytecode and hidden files do not.
    """
    digest = hashlib.sha256()
    for name in sorted(str(path.relative_to(root)) for path in _code_files(root)):
        digest.update(f"{hashlib.sha256((root / name).read_bytes()).hexdigest()}  {name}\n".encode())
    return digest.hexdigest()


def _code_files(root: Path) -> Iterator[Path]:
    for place in (root / name for name in CODE):
        for path in [place] if place.is_file() else place.rglob("*"):
            parts = path.relative_to(root).parts
            is_left = "__pycache__" in parts or any(part.startswith(".") for part in parts)
            if path.is_file() and not is_left and root / RELEASE_CI not in path.parents:
                yield path


def library_versions(names: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """The installed versions, without libraries that are not installed."""
    found = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def fitting_libraries() -> dict[str, str]:
    """`library_versions`, and the BLAS kernel chosen for this processor, which decides the last bits of a fit."""
    kernels = {library["architecture"] for library in threadpool_info() if "architecture" in library}
    return library_versions() | ({BLAS_KERNEL: ", ".join(sorted(kernels))} if kernels else {})


def fitting_threads() -> int:
    """All cores, unless the policy sets a number: with the one thread of a web worker a training takes much longer."""
    return settings.POLICY.training.threads or len(os.sched_getaffinity(0))


def _git(*arguments: str) -> str:
    process = subprocess.run(
        ["git", *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=10, check=True
    )
    return process.stdout.strip()
