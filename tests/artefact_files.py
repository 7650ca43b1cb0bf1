"""Changes files in place. Artefacts are read-only, also for these tests unless they run as root."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from recommender.estimators.artifact_files import sha256


def overwrite(path: Path, content: bytes) -> None:
    """Overwrites a file, keeping its inode, which a process may have mapped, and its mode."""
    mode = path.stat().st_mode
    path.chmod(mode | 0o200)
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
    path.chmod(mode)


def flip_bit(path: Path, place: int = -1, bit: int = 0) -> bytes:
    """Changes one bit of the byte at `place`. Returns the previous content."""
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[place] ^= 1 << bit
    overwrite(path, bytes(changed))
    return whole


def rewrite_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    overwrite(path, json.dumps(json.loads(path.read_text()) | changes).encode())


def replace_array(folder: Path, name: str, array: np.ndarray) -> None:
    """Replaces an array and updates its checksum, as a faulty training would. Objects are pickled."""
    path = folder / name
    path.unlink()
    np.save(path, array, allow_pickle=True)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    rewrite_manifest(folder, files=files | {name: sha256(path)})
