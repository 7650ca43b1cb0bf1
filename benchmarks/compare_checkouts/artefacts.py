"""Compares two artefacts of one algorithm: each value of their manifests and each array."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recommender.estimators.config import RENAMED_PARAMETERS, RENAMED_STATE

RENAMED = RENAMED_STATE | RENAMED_PARAMETERS  # parts of a name in the older checkout -> in the newer one


@dataclass
class ArtefactComparison:
    n_equal: int = 0
    n_close: int = 0  # equal except for the last bits
    largest: float = 0.0  # relative difference of a number
    problems: list[str] = field(default_factory=list)


def compare_artefacts(before: Path, after: Path, *, near_tie: float) -> ArtefactComparison:
    old = {_renamed(name): value for name, value in _values(before)}
    new = dict(_values(after))
    found = ArtefactComparison()
    found.problems += [f"only in the older: {name}" for name in sorted(old.keys() - new.keys())]
    found.problems += [f"only in the newer: {name}" for name in sorted(new.keys() - old.keys())]
    for name in sorted(old.keys() & new.keys()):
        _compare(name, old[name], new[name], near_tie, found)
    return found


def _compare(name: str, old: Any, new: Any, near_tie: float, found: ArtefactComparison) -> None:
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and old.shape == new.shape:
        gap = _array_gap(old, new)
    else:
        gap = _value_gap(old, new)
    found.largest = max(found.largest, gap if np.isfinite(gap) else 0.0)
    if gap == 0:
        found.n_equal += 1
    elif gap <= near_tie:
        found.n_close += 1
    else:
        found.problems.append(f"{name}: {_short(old)} before, {_short(new)} after, relative difference {gap:.2g}")


def _array_gap(old: Any, new: Any) -> float:
    """Returns the largest difference relative to the array's largest number."""
    if old.size == 0 or np.array_equal(old, new):
        return 0.0
    if not (np.issubdtype(old.dtype, np.number) and np.issubdtype(new.dtype, np.number)):
        return float("inf")
    difference = np.abs(old.astype(np.float64) - new.astype(np.float64)).max()
    return float(difference / max(np.abs(old).max(), np.abs(new).max()))


def _value_gap(old: Any, new: Any) -> float:
    if old == new:
        return 0.0
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) / max(abs(old), abs(new))
    return float("inf")


def _values(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yields each value of the manifest with its path. Reads files."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    yield from _of_model(folder, manifest["model"], "")


def _of_model(folder: Path, node: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    yield f"{prefix}algorithm", node["algorithm"]
    for name, value in _leaves(node["hyper_parameters"]):
        yield f"{prefix}hyper_parameters.{name}", value
    for name, part in node["state"].items():
        yield from _of_state(folder, part, f"{prefix}{name}")


def _of_state(folder: Path, part: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    if part["kind"] == "recommender":
        yield from _of_model(folder, part, f"{name}.")
    elif part["kind"] == "csr":
        yield f"{name}.shape", part["shape"]
        for array in ("data", "indices", "indptr"):
            yield f"{name}.{array}", _read(folder / part[array])
    elif "file" in part:
        yield name, _read(folder / part["file"])
    else:
        for leaf, value in _leaves(part["value"]):
            yield f"{name}.{leaf}" if leaf else name, value


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _read(path: Path) -> Any:
    return np.load(path) if path.suffix == ".npy" else json.loads(path.read_text(encoding="utf-8"))


def _renamed(name: str) -> str:
    return ".".join(RENAMED.get(part, part) for part in name.split("."))


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array {value.shape} {value.dtype}"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
