"""The manifest of an artefact: reads it and checks the files that it lists."""

import json
import math
from pathlib import Path
from typing import Any

from recommender.estimators.artifact_files import sha256

# 2: learns from rating values, scores new movies by a kernel; 3: vectors are columns; 4: vectors are rounded, item-item
# weights sparse
FORMAT_VERSION = 4
OLDEST_VERSION = 3  # that can be loaded
MANIFEST = "manifest.json"
INFINITY = "infinity_is_positive"


class ArtifactError(ValueError):
    """A folder is not an artefact that can be loaded or replaced; the message says why.

    Examples
    --------
    >>> try:
    ...     load_recommender("nowhere")
    ... except ArtifactError as error:
    ...     print(error)
    nowhere: no model artefact here (manifest.json is missing)
    """


def artifact_checksum(folder: str | Path) -> str:
    """Return the checksum of an artefact, which is equal for equal models.

    Parameters
    ----------
    folder
        The artefact's folder.

    Returns
    -------
    str
        sha256 of the manifest, in hex. The manifest holds the sha256 of every other file.

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
        The checksum of the artefact, as `artifact_checksum` gives it.

    Raises
    ------
    ArtifactError
        A file is missing or was changed; the message names the first one.

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
    """An object of the manifest, or the number that `_to_json` wrote as one."""
    if set(value) != {INFINITY}:
        return value
    return math.inf if value[INFINITY] else -math.inf
