"""Changes to files in place. Those of artefacts are read-only, also for these tests where they do not run as root."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from recommender.estimators.artifact_files import sha256


def overwrite(path: Path, content: bytes) -> None:
    """In the same inode, which a process may have mapped, and with the mode that was there."""
    mode = path.stat().st_mode
    path.chmod(mode | 0o200)
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
    path.chmod(mode)


def flip_bit(path: Path, place: int = -1, bit: int = 0) -> bytes:
    """Changes one bit of the byte at `place`; returns what the file held before."""
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[place] ^= 1 << bit
    overwrite(path, bytes(changed))
    return whole


def rewrite_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    overwrite(path, json.dumps(json.loads(path.read_text()) | changes).encode())


def replace_array(folder: Path, name: str, array: np.ndarray) -> None:
    """With a checksum to match, as a faulty training would leave it. Objects are pickled."""
    path = folder / name
    path.unlink()
    np.save(path, array, allow_pickle=True)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    rewrite_manifest(folder, files=files | {name: sha256(path)})
