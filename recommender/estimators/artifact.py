"""Stores a fitted recommender as a folder with `manifest.json` and `.npy` arrays, without pickle.

The manifest contains the format version, the algorithm, the hyper-parameters, the files of the id maps, library
versions, the data's fingerprint and the sha256 of each file. It lists the attributes of the fitted state. The files of
a nested recommender start with `<attribute>.`. Equal models give equal bytes, and an array shared by two attributes is
written once. Large arrays are memory-mapped on loading, so that processes share them. The files are read-only, because
a change would affect models in memory. Their folder is writable, so that it can be removed without special rights.

Manifests of earlier releases may use other names for attributes and hyper-parameters. `config.RENAMED_STATE` and
`config.RENAMED_PARAMETERS` map them to the current names.
"""

import json
import math
import shutil
import tempfile
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from recommender import estimators
from recommender.estimators.artifact_files import durable_file, place_artifact, sha256, sync
from recommender.estimators.config import RENAMED_STATE, renamed_parameters
from recommender.estimators.ids import object_array
from recommender.estimators.interactions import Array
from recommender.estimators.manifest import (
    FORMAT_VERSION,
    INFINITY,
    MANIFEST,
    ArtifactError,
    read_manifest,
    verify_files,
)
from recommender.estimators.memory import forget_pages

if TYPE_CHECKING:
    from recommender.estimators.base import Recommender

MEMORY_MAP_BYTES = 1 << 18
LIST_IN_A_FILE = 100  # longer lists are written to a separate file
LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "implicit", "rectools-lightfm")  # these may affect a fit


def save_artifact(model: "Recommender", folder: Path) -> None:
    """Write to a temporary folder next to `folder`, then rename it. Only replaces an existing artefact."""
    is_empty = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not is_empty and not (folder / MANIFEST).is_file():
        raise ArtifactError(f"{folder}: exists and is not a model artefact; it was not changed")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    new = temporary / "new"
    try:
        new.mkdir()
        _write_artifact(model, new)
        place_artifact(new, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_artifact(model: "Recommender", folder: Path) -> None:
    node = _Writer(folder).node(model)
    manifest = {
        "format_version": FORMAT_VERSION,
        "algorithm": model.algorithm,
        "data_fingerprint": model.data_fingerprint_,
        "library_versions": _library_versions(),
        "id_maps": {name: node["state"][f"{name}_"] for name in ("user_ids", "movie_ids")},
        "model": node,
        "files": {path.name: sha256(path) for path in sorted(folder.iterdir())},
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False)
    with durable_file(folder / MANIFEST) as file:
        file.write(text.encode())
    sync(folder)


def _library_versions() -> dict[str, str]:
    versions: dict[str, str] = {}
    for name in LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


class _Writer:
    """Converts state to manifest nodes, {"kind": ..., ...}, and files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # (file name, object) keyed by memory address. Holding the object prevents its address from being reused.
        self._written: dict[Any, tuple[str, Any]] = {}

    def node(self, model: "Recommender", prefix: str = "") -> dict[str, Any]:
        names = sorted(name for name in vars(model) if name.endswith("_") and not name.startswith("_"))
        return {
            "kind": "recommender",
            "algorithm": model.algorithm,
            "hyper_parameters": _to_json(vars(model.config)),
            "random_state": model.random_state,
            "state": {name: self._value(getattr(model, name), f"{prefix}{name}") for name in names},
        }

    def _value(self, value: Any, name: str) -> dict[str, Any]:
        if isinstance(value, csr_matrix):
            value.sort_indices()
            parts = {part: self._file(getattr(value, part), f"{name}.{part}") for part in ("data", "indices", "indptr")}
            return {"kind": "csr", "shape": list(value.shape), **parts}
        if isinstance(value, np.ndarray):
            return {"kind": "array", "file": self._file(value, name)}
        if hasattr(value, "recommend_for_history"):
            return self.node(value, f"{name}.")
        if isinstance(value, list) and len(value) > LIST_IN_A_FILE:
            return {"kind": "list", "file": self._file(value, name)}
        return {"kind": "value", "value": _to_json(value)}

    def _file(self, source: Any, name: str) -> str:
        """Return the file name of an array or list. An object shared by several attributes is written once."""
        is_binary = isinstance(source, np.ndarray) and source.dtype != object
        key = _memory_of(source) if is_binary else id(source)
        if key not in self._written:
            self._written[key] = f"{name}.npy" if is_binary else f"{name}.json", source
            with durable_file(self.folder / self._written[key][0]) as file:
                if is_binary:
                    np.save(file, np.ascontiguousarray(source), allow_pickle=False)
                else:
                    file.write(json.dumps(list(source), ensure_ascii=False).encode())
        return self._written[key][0]


def _memory_of(array: Array) -> tuple[Any, ...]:
    """Return a key that is equal for views of the same memory, such as arrays shared by sparse matrices."""
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str


def _to_json(value: Any) -> Any:
    """Return a JSON-compatible value. Infinity, a valid half-life, becomes an object. NaN raises ValueError."""
    if isinstance(value, dict):
        return {name: _to_json(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(part) for part in value]
    value = value.item() if isinstance(value, np.generic) else value
    return {INFINITY: value > 0} if isinstance(value, float) and math.isinf(value) else value


def load_recommender(folder: str | Path, mmap: bool = True) -> "Recommender":
    """Load a model written by `Recommender.save`, after verifying the checksum of each file.

    Parameters
    ----------
    folder
        The artefact's folder.
    mmap
        Whether to memory-map large arrays, so that processes share them.

    Returns
    -------
    Recommender
        The fitted model. It returns the same lists as the saved one.

    Raises
    ------
    ArtifactError
        A file is missing or was changed, this version cannot read the format, or a value is not finite.

    Examples
    --------
    >>> model.save(folder)
    >>> load_recommender(folder).recommend(["ann"], k=1)["movie_id"].tolist()
    [3]
    """
    root = Path(folder)
    manifest = read_manifest(root)
    verify_files(root, manifest["files"])
    reader = _Reader(root, manifest["files"], mmap)
    try:
        model: Recommender = reader.model(manifest["model"])
        if model.algorithm != manifest["algorithm"]:
            raise ArtifactError(f"{root}: the manifest names two algorithms")
        _check_shapes(model, root)
    except ArtifactError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ArtifactError(f"{root}: the manifest does not fit its files: {error!r}") from error
    return model


class _Reader:
    def __init__(self, root: Path, files: dict[str, str], mmap: bool) -> None:
        self.root, self.files, self.mmap = root, files, mmap
        self._read: dict[str, Any] = {}

    def model(self, node: dict[str, Any]) -> Any:
        if node["algorithm"] not in estimators.ALGORITHMS:
            raise ArtifactError(f"{self.root}: unknown algorithm {node['algorithm']!r}")
        model = estimators.ESTIMATORS[node["algorithm"]](random_state=node["random_state"], **node["hyper_parameters"])
        for stored, value in node["state"].items():
            name = RENAMED_STATE.get(stored, stored)
            if not name.endswith("_") or name.startswith("_"):
                raise ArtifactError(f"{self.root}: {name!r} is not a fitted attribute")
            setattr(model, name, self.value(value))
        model.best_params_ = renamed_parameters(model.best_params_)
        return model

    def value(self, node: dict[str, Any]) -> Any:
        kind = node["kind"]
        if kind == "recommender":
            return self.model(node)
        if kind == "csr":
            return self._matrix(node)
        return self._file(node["file"], kind) if kind in ("array", "list") else node["value"]

    def _matrix(self, node: dict[str, Any]) -> csr_matrix:
        data, indices, indptr = (self._file(node[part]) for part in ("data", "indices", "indptr"))
        matrix = csr_matrix((data, indices, indptr), shape=tuple(node["shape"]), copy=False)
        if matrix.nnz and (matrix.indices.min() < 0 or matrix.indices.max() >= matrix.shape[1]):
            raise ArtifactError(f"{self.root}: {node['indices']!r} points outside its matrix")
        matrix.has_sorted_indices = True  # sorted when saved; scipy's check would write to read-only memory
        return matrix

    def _file(self, name: str, kind: str = "array") -> Any:
        if name not in self._read:
            if name not in self.files:
                raise ArtifactError(f"{self.root}: {name!r} has no checksum")
            path = self.root / name
            values = json.loads(path.read_bytes()) if path.suffix == ".json" else self._numbers(path)
            self._read[name] = object_array(values) if isinstance(values, list) and kind == "array" else values
        return self._read[name]

    def _numbers(self, path: Path) -> Array:
        big = self.mmap and path.stat().st_size >= MEMORY_MAP_BYTES
        array: Array = np.load(path, mmap_mode="r" if big else None, allow_pickle=False)
        flat = array.reshape(-1)
        # hashed in slices, so that a large file is never entirely in memory
        parts = (flat[start : start + (1 << 20)] for start in range(0, len(flat), 1 << 20))
        if array.dtype.kind == "f" and not all(np.isfinite(part).all() for part in parts):
            raise ArtifactError(f"{self.root}: {path.name!r} holds values that are not finite")
        forget_pages(array)
        return np.asarray(array)  # slicing a np.memmap is slower


def _check_shapes(model: "Recommender", root: Path) -> None:
    n_movies = len(model.movie_ids_)
    shape = (len(model.user_ids_), n_movies)
    lengths = {len(model.titles_), len(model.is_rated_), len(model.popularity_), len(model.movie_biases_)}
    if model.interactions_.shape != shape or lengths != {n_movies}:
        raise ArtifactError(f"{root}: users, movies and histories do not fit together")
