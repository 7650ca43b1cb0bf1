"""The lineage of a version: its recipe, code and libraries, which identify it and make it reproducible."""

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
RELEASE_CI = Path("deploy", "ci-evidence")  # CI results for this code, included in a release
LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "implicit", "rectools-lightfm", "pyarrow")


def recipe_hash(algorithm: str, parameters: Mapping[str, Any]) -> str:
    """Returns a hash of everything that determines a model except the data and the seed."""
    recipe = {
        "algorithm": algorithm,
        "parameters": dict(parameters),
        "implicit_threshold": settings.POLICY.training.implicit_threshold,
        "tmdb_metadata": settings.TMDB_METADATA_IN_TRAINING,
    }
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def code_revision() -> str:
    """Returns CODE_REVISION if it is set, otherwise git's revision, or "" if it is unknown.

    The revision ends in `-dirty` if tracked files were changed. Ignores changes to `dvc.lock`, because every `dvc
    repro` writes to it.
    """
    if revision := settings.CODE_REVISION:
        return revision[:64]
    try:
        revision = _git("rev-parse", "HEAD")
        return f"{revision}-dirty" if _git(*_CHANGES) else revision
    except (OSError, subprocess.SubprocessError):
        return ""


def tree_hash(root: Path = ROOT) -> str:
    """Returns a hash of the paths and contents of the code's files. Ignores bytecode and hidden files.

    The hash is the same in a checkout and in an image without git.
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
    """Returns the versions of the installed libraries among `names`, keyed by name."""
    found = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def fitting_libraries() -> dict[str, str]:
    """Returns `library_versions` and the name of the BLAS kernel, which affects the last bits of a fit."""
    kernels = {library["architecture"] for library in threadpool_info() if "architecture" in library}
    return library_versions() | ({BLAS_KERNEL: ", ".join(sorted(kernels))} if kernels else {})


def fitting_threads() -> int:
    """Returns the policy's number of threads, or the number of cores. Fitting on one thread is too slow."""
    return settings.POLICY.training.threads or len(os.sched_getaffinity(0))


def _git(*arguments: str) -> str:
    process = subprocess.run(
        ["git", *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=10, check=True
    )
    return process.stdout.strip()
