"""Files of an artefact: written so that they survive a power cut, and JSON with infinities."""

from __future__ import annotations

import hashlib
import math
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

INFINITY = "infinity_is_positive"
LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "implicit", "rectools-lightfm")


def to_json(value: Any) -> Any:
    """JSON has no infinity, which is a half-life; NaN is refused on writing."""
    if isinstance(value, dict):
        return {name: to_json(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(part) for part in value]
    value = value.item() if isinstance(value, np.generic) else value
    return {INFINITY: value > 0} if isinstance(value, float) and math.isinf(value) else value


def from_json(value: Any) -> Any:
    """The inverse of `to_json`."""
    if isinstance(value, dict):
        if set(value) == {INFINITY}:
            return math.inf if value[INFINITY] else -math.inf
        return {name: from_json(part) for name, part in value.items()}
    return [from_json(part) for part in value] if isinstance(value, list) else value


def save_array(path: Path, array: np.ndarray[Any, Any]) -> None:
    """Write a .npy file without pickle and flush it to disk."""
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file and flush it to disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def library_versions() -> dict[str, str]:
    """Installed versions of the LIBRARIES that decide about a fit."""
    versions: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
