"""A fitted recommender as a folder: `manifest.json` and `.npy` arrays, no pickle.

The manifest holds format version, algorithm, hyper-parameters, the id maps' files, library versions, the data's
fingerprint and each file's sha256. It names the state's attributes; a nested recommender's begin with
`<attribute>/`. Equal models make equal bytes, and an array that two attributes share is written once.
Big arrays are memory-mapped on loading, so that processes share them.

A manifest of an earlier release may hold other names for attributes and hyper-parameters: RENAMED_STATE and
`config.RENAMED_PARAMETERS` give today's.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.artifact_files import (
    from_json,
    library_versions,
    save_array,
    sha256,
    sync,
    to_json,
    write_bytes,
)
from recommender.estimators.config import Config, renamed_parameters

if TYPE_CHECKING:
    from recommender.estimators.base import Recommender

    ClassOf = Callable[[str], type[Recommender]]  # raises KeyError for an unknown algorithm

FORMAT_VERSION = 3  # 2: learns from rating values, scores new movies by a kernel; 3: vectors are columns
MANIFEST = "manifest.json"
MEMORY_MAP_BYTES = 1 << 20
RENAMED_STATE = {  # attributes in manifests of earlier releases -> today's
    "chosen_": "best_params_",
    "histories_": "interactions_",
    "newcomer_weight_": "cold_user_weight_",
    "signal_features_": "item_feature_weights_",
    "signal_means_": "item_feature_means_",
    "signals_": "item_features_",
    "stage_traits_": "reranker_user_features_",
    "stage_weights_": "reranker_weights_",
    "star_mean_": "rating_mean_",
    "star_scale_": "rating_scale_",
}


class ArtifactError(ValueError):
    """The folder is no artefact that can be loaded or replaced; the message says why."""


def artifact_checksum(folder: str | Path) -> str:
    """sha256 of the manifest, which holds those of all files: equal for equal models."""
    return sha256(_manifest_path(Path(folder)))


def save_artifact(model: Recommender, folder: Path) -> None:
    """Write beside the folder, then rename; an artefact that was there before is replaced, nothing else is."""
    _refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        _write(model, temporary)
        temporary.chmod(0o755)  # mkdtemp makes it private; web workers may run as another user
        _rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    is_empty = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not is_empty and not (folder / MANIFEST).is_file():
        raise ArtifactError(f"{folder}: is there already and is no model artefact; it is left as it is")


def _rename(temporary: Path, folder: Path) -> None:
    old: Path | None = None
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.parent))
        folder.rename(old / "artefact")
    temporary.rename(folder)
    sync(folder.parent)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _write(model: Recommender, folder: Path) -> None:
    writer = _Writer(folder)
    node = writer.node(model)
    manifest = {
        "format_version": FORMAT_VERSION,
        "algorithm": model.algorithm,
        "data_fingerprint": model.data_fingerprint_,
        "library_versions": library_versions(),
        "id_maps": {name: node["state"][f"{name}_"] for name in ("user_ids", "movie_ids")},
        "model": node,
        "files": {name: sha256(folder / name) for name in sorted(writer.files)},
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False)
    write_bytes(folder / MANIFEST, text.encode())
    sync(folder)


class _Writer:
    """Turns state into manifest nodes, {"kind": ..., ...}, and files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Any] = {}
        self._written: dict[Any, str] = {}

    def node(self, model: Recommender, prefix: str = "") -> dict[str, Any]:
        names = sorted(name for name in vars(model) if name.endswith("_") and not name.startswith("_"))
        return {
            "kind": "recommender",
            "algorithm": model.algorithm,
            "hyper_parameters": to_json(dict(vars(model.config))),
            "random_state": model.random_state,
            "state": {name: self.value(getattr(model, name), f"{prefix}{name}") for name in names},
        }

    def value(self, value: Any, name: str) -> dict[str, Any]:
        if isinstance(value, csr_matrix):
            return self._matrix(value, name)
        if isinstance(value, np.ndarray):
            return {"kind": "array", "file": self._array(value, name)}
        if hasattr(value, "recommend_for_history"):
            return self.node(value, f"{name}.")
        if isinstance(value, list) and len(value) > 100:
            return {"kind": "list", "file": self._json(value, name)}
        return {"kind": "value", "value": to_json(value)}

    def _matrix(self, matrix: csr_matrix, name: str) -> dict[str, Any]:
        matrix.sort_indices()
        parts = {part: self._array(getattr(matrix, part), f"{name}.{part}") for part in ("data", "indices", "indptr")}
        return {"kind": "csr", "shape": list(matrix.shape), **parts}

    def _array(self, array: np.ndarray[Any, Any], name: str) -> str:
        if array.dtype == object:
            return self._json(array.tolist(), name, source=array)
        return self._once(array, f"{name}.npy", lambda path: save_array(path, array))

    def _json(self, value: list[Any], name: str, source: Any = None) -> str:
        text = json.dumps(value, ensure_ascii=False).encode()
        return self._once(value if source is None else source, f"{name}.json", lambda path: write_bytes(path, text))

    def _once(self, source: Any, name: str, write: Any) -> str:
        key = _identity(source)
        if key not in self._written:
            write(self.folder / name)
            self._written[key] = name
            self.files[name] = source  # kept, so that no other object gets its place in memory
        return self._written[key]


def _identity(source: Any) -> Any:
    """Equal for two views of one piece of memory, as sparse matrices that share their arrays hold them."""
    if isinstance(source, np.ndarray) and source.dtype != object:
        interface = source.__array_interface__
        return interface["data"][0], source.shape, source.strides, source.dtype.str
    return id(source)


def read_artifact(folder: str | Path, mmap: bool, class_of: ClassOf) -> Recommender:
    """The model saved in a folder; see `load_recommender`, which passes the class of each algorithm."""
    root = Path(folder)
    manifest = _read_manifest(root)
    for name, expected in manifest["files"].items():
        path = root / name
        if Path(name).name != name or not path.is_file():
            raise ArtifactError(f"{root}: file {name!r} is missing")
        if sha256(path) != expected:
            raise ArtifactError(f"{root}: the checksum of {name!r} does not match: the file was changed or cut")
    reader = _Reader(root, manifest["files"], mmap, class_of)
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


def _manifest_path(root: Path) -> Path:
    path = root / MANIFEST
    if not path.is_file():
        raise ArtifactError(f"{root}: no model artefact here ({MANIFEST} is missing)")
    return path


def _read_manifest(root: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_manifest_path(root).read_bytes())
    except ValueError as error:
        raise ArtifactError(f"{root}: {MANIFEST} is not valid JSON: {error}") from error
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if not isinstance(version, int):
        raise ArtifactError(f"{root}: {MANIFEST} names no format version")
    if version != FORMAT_VERSION:
        age = "newer" if version > FORMAT_VERSION else "older"
        raise ArtifactError(f"{root}: format version {version} is {age} than this program's {FORMAT_VERSION}")
    missing = {"algorithm", "model", "files"} - set(manifest)
    if missing or not isinstance(manifest["files"], dict):
        raise ArtifactError(f"{root}: {MANIFEST} lacks {', '.join(sorted(missing)) or 'a table of files'}")
    return dict(manifest)


class _Reader:
    def __init__(self, root: Path, files: dict[str, str], mmap: bool, class_of: ClassOf) -> None:
        self.root = root
        self.class_of = class_of
        self.files = files
        self.mmap = mmap
        self._read: dict[str, Any] = {}

    def model(self, node: dict[str, Any]) -> Any:
        algorithm = node["algorithm"]
        try:
            estimator = self.class_of(algorithm)
        except KeyError:
            raise ArtifactError(f"{self.root}: unknown algorithm {algorithm!r}") from None
        model = estimator(random_state=node["random_state"], **from_json(node["hyper_parameters"]))
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
        if kind in ("array", "list"):
            return self._file(node["file"], as_array=kind == "array")
        return from_json(node["value"])

    def _matrix(self, node: dict[str, Any]) -> csr_matrix:
        data, indices, indptr = (self._file(node[part]) for part in ("data", "indices", "indptr"))
        matrix = csr_matrix((data, indices, indptr), shape=tuple(node["shape"]), copy=False)
        if matrix.nnz and (matrix.indices.min() < 0 or matrix.indices.max() >= matrix.shape[1]):
            raise ArtifactError(f"{self.root}: {node['indices']!r} points outside its matrix")
        matrix.has_sorted_indices = True  # saved so; a check would write into read-only memory
        return matrix

    def _file(self, name: str, as_array: bool = True) -> Any:
        if name not in self._read:
            if name not in self.files:
                raise ArtifactError(f"{self.root}: {name!r} has no checksum")
            self._read[name] = self._json(name, as_array) if name.endswith(".json") else self._array(name)
        return self._read[name]

    def _array(self, name: str) -> np.ndarray[Any, Any]:
        path = self.root / name
        big = self.mmap and path.stat().st_size >= MEMORY_MAP_BYTES
        array: np.ndarray[Any, Any] = np.load(path, mmap_mode="r" if big else None, allow_pickle=False)
        if array.dtype.kind == "f" and not all(np.isfinite(part).all() for part in _parts(array)):
            raise ArtifactError(f"{self.root}: {name!r} holds values that are not finite")
        return array

    def _json(self, name: str, as_array: bool) -> Any:
        values = json.loads((self.root / name).read_bytes())
        if not as_array:
            return values
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array


def _parts(array: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """Slices of at most some MB, so that checking a big file does not bring all of it into memory at once."""
    flat = array.reshape(-1)
    return [flat[start : start + (1 << 20)] for start in range(0, len(flat), 1 << 20)]


def _check_shapes(model: Recommender, root: Path) -> None:
    n_movies = len(model.movie_ids_)
    shape = (len(model.user_ids_), n_movies)
    lengths = {len(model.titles_), len(model.is_rated_), len(model.popularity_), len(model.movie_biases_)}
    if model.interactions_.shape != shape or lengths != {n_movies}:
        raise ArtifactError(f"{root}: users, movies and histories do not fit together")
    if not isinstance(model.config, Config):
        raise ArtifactError(f"{root}: no hyper-parameters")
