"""Reads the manifest of an artefact and verifies the listed files."""

import json
import math
from pathlib import Path
from typing import Any

from recommender.estimators.artifact_files import sha256

# Version 2 learns from rating values and scores new movies with a kernel. Version 3 stores vectors as columns. Version
# 4 rounds vectors and stores item-item weights sparsely.
FORMAT_VERSION = 4
OLDEST_VERSION = 3  # the oldest version that can be loaded
MANIFEST = "manifest.json"
INFINITY = "infinity_is_positive"


class ArtifactError(ValueError):
    """Raised if a folder is not an artefact that can be loaded or replaced. The message gives the reason.

    Examples
    --------
    >>> try:
    ...     load_recommender("nowhere")
    ... except ArtifactError as error:
    ...     print(error)
    nowhere: no model artefact here (manifest.json is missing)
    """


def artifact_checksum(folder: str | Path) -> str:
    """Return the checksum of an artefact. Equal models have equal checksums.

    Parameters
    ----------
    folder
        The artefact's folder.

    Returns
    -------
    str
        sha256 of the manifest as a hex string. The manifest contains the sha256 of every other file.

    Raises
    ------
    ArtifactError
        There is no manifest.

    Examples
    --------
    >>> model.save(folder)
    >>> len(artifact_checksum(folder))
    64
    """
    return sha256(_manifest_path(Path(folder)))


def verify_artifact(folder: str | Path) -> str:
    """Check every file of an artefact against its checksum.

    Parameters
    ----------
    folder
        The artefact's folder.

    Returns
    -------
    str
        The checksum of the artefact, equal to `artifact_checksum`.

    Raises
    ------
    ArtifactError
        A file is missing or was changed. The message names the first such file.

    Examples
    --------
    >>> model.save(folder)
    >>> verify_artifact(folder) == artifact_checksum(folder)
    True
    """
    root = Path(folder)
    verify_files(root, read_manifest(root)["files"])
    return artifact_checksum(root)


def verify_files(root: Path, checksums: dict[str, str]) -> None:
    for name, expected in checksums.items():
        path = root / name
        if Path(name).name != name or not path.is_file():
            raise ArtifactError(f"{root}: file {name!r} is missing")
        if sha256(path) != expected:
            raise ArtifactError(f"{root}: the checksum of {name!r} does not match: the file was changed or cut")


def _manifest_path(root: Path) -> Path:
    path = root / MANIFEST
    if not path.is_file():
        raise ArtifactError(f"{root}: no model artefact here ({MANIFEST} is missing)")
    return path


def read_manifest(root: Path) -> dict[str, Any]:
    text = _manifest_path(root).read_bytes()
    try:
        manifest = json.loads(text, object_hook=_with_infinity)
    except ValueError as error:
        raise ArtifactError(f"{root}: {MANIFEST} is not valid JSON: {error}") from error
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if not isinstance(version, int):
        raise ArtifactError(f"{root}: {MANIFEST} names no format version")
    if not OLDEST_VERSION <= version <= FORMAT_VERSION:
        age = "newer" if version > FORMAT_VERSION else "older"
        raise ArtifactError(f"{root}: format version {version} is {age} than this program's {FORMAT_VERSION}")
    missing = {"algorithm", "model", "files"} - set(manifest)
    if missing or not isinstance(manifest["files"], dict):
        raise ArtifactError(f"{root}: {MANIFEST} lacks {', '.join(sorted(missing)) or 'a table of files'}")
    return dict(manifest)


def _with_infinity(value: dict[str, Any]) -> Any:
    """Return the JSON object, or the infinity that `_to_json` stored as an object."""
    if set(value) != {INFINITY}:
        return value
    return math.inf if value[INFINITY] else -math.inf
