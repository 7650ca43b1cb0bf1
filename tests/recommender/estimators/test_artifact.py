import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import ArtifactError, Dataset, artifact_checksum, load_recommender
from recommender.estimators import artifact as artifact_module
from recommender.estimators.artifact_files import copy_artifact
from recommender.estimators.config import RENAMED_PARAMETERS, RENAMED_STATE
from recommender.estimators.ease import EaseRecommender
from recommender.estimators.manifest import FORMAT_VERSION, sha256, verify_artifact
from recommender.estimators.popularity import PopularityRecommender
from tests.artefact_files import overwrite, replace_array, rewrite_manifest
from tests.recommender.estimators.data import tastes
from tests.recommender.estimators.fitted_models import assert_same_answers, build, dataset


@pytest.fixture
def model() -> EaseRecommender:
    return EaseRecommender(regularization=2.0, random_state=7).fit(Dataset.from_frames(*tastes()))


@pytest.fixture
def folder(model: EaseRecommender, tmp_path: Path) -> Path:
    model.save(tmp_path / "model")
    return tmp_path / "model"


def test_the_manifest_says_what_the_artefact_is(model: EaseRecommender, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format_version"] == FORMAT_VERSION
    assert manifest["algorithm"] == "ease"
    assert manifest["model"]["hyper_parameters"] == {
        "regularization": 2.0,
        "dropout": 0.0,
        "max_movies": 20_000,
        "max_weights": 256,
    }
    assert manifest["model"]["random_state"] == 7
    assert manifest["data_fingerprint"] == Dataset.from_frames(*tastes()).fingerprint()
    assert {"numpy", "scipy"} <= set(manifest["library_versions"])
    assert set(manifest["id_maps"]) == {"user_ids", "movie_ids"}
    assert set(manifest["files"]) == {path.name for path in folder.iterdir()} - {"manifest.json"}


def test_the_same_model_saved_twice_has_the_same_checksum(model: EaseRecommender, folder: Path) -> None:
    again = EaseRecommender(regularization=2.0, random_state=7).fit(Dataset.from_frames(*tastes()))
    again.save(folder.parent / "again")
    assert artifact_checksum(folder) == artifact_checksum(folder.parent / "again")
    EaseRecommender(regularization=2.5, random_state=7).fit(Dataset.from_frames(*tastes())).save(folder)
    assert artifact_checksum(folder) != artifact_checksum(folder.parent / "again")


def test_saving_leaves_no_other_folder_behind(model: EaseRecommender, folder: Path) -> None:
    model.save(folder)
    model.save(str(folder))
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_failed_save_leaves_what_was_there(
    model: EaseRecommender, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = artifact_checksum(folder)

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        model.save(folder)
    assert artifact_checksum(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("at", ["the old one left", "the new one comes", "the new one came"])
def test_an_interruption_leaves_a_whole_artefact(
    model: EaseRecommender, folder: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    before, rename = artifact_checksum(folder), Path.rename

    def interrupted(path: Path, target: Path) -> Path:
        if path.name == "new" and at == "the new one comes":
            raise KeyboardInterrupt
        moved = rename(path, target)
        if (path.name, at) in (("model", "the old one left"), ("new", "the new one came")):
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.save(folder)
    assert verify_artifact(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_copy_is_on_the_disk_before_it_is_in_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced, fsync, rename = set(), os.fsync, Path.rename

    def record(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    def require_synced(path: Path, target: Path) -> Path:
        assert {row.stat().st_ino for row in (path, *path.iterdir())} <= synced
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", record)
    monkeypatch.setattr(Path, "rename", require_synced)
    copy_artifact(folder, folder.parent / "copy")
    assert verify_artifact(folder.parent / "copy") == artifact_checksum(folder)


def test_saving_replaces_no_folder_that_is_none_of_its_own(model: EaseRecommender, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    with pytest.raises(ArtifactError, match="is not a model artefact; it was not changed"):
        model.save(tmp_path / "photos")
    assert (tmp_path / "photos" / "cat.jpg").read_bytes() == b"cat"


def is_mapped(array: np.ndarray) -> bool:
    """Also a view of a view of it."""
    return isinstance(array, np.memmap) or (isinstance(array.base, np.ndarray) and is_mapped(array.base))


def test_big_arrays_are_mapped_read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact_module, "MEMORY_MAP_BYTES", 1)
    mapped = load_recommender(folder)
    assert is_mapped(mapped.weights_.data)
    with pytest.raises(ValueError, match="read-only"):
        mapped.weights_.data[0] = 1
    in_memory = load_recommender(folder, mmap=False)
    assert not is_mapped(in_memory.weights_.data)
    assert mapped.recommend([100, 5]).equals(in_memory.recommend([100, 5]))
    assert mapped.explain(100, 7).equals(in_memory.explain(100, 7))
    mapped.save(folder)  # onto the very files that are mapped
    assert load_recommender(folder).recommend([100]).equals(in_memory.recommend([100]))


@pytest.mark.ml_test("Mo5")
def test_refuses_values_that_are_not_finite(folder: Path) -> None:
    weights = np.load(folder / "weights_.data.npy")
    weights[5] = np.nan
    replace_array(folder, "weights_.data.npy", weights)
    with pytest.raises(ArtifactError, match=r"'weights_.data.npy' holds values that are not finite"):
        load_recommender(folder)


def test_refuses_arrays_that_do_not_fit_together(folder: Path) -> None:
    replace_array(folder, "movie_ids_.npy", np.arange(3))
    with pytest.raises(ArtifactError, match="do not fit together"):
        load_recommender(folder)


def test_refuses_indices_outside_their_matrix(folder: Path) -> None:
    indices = np.load(folder / "interactions_.indices.npy")
    indices[0] = 10_000
    replace_array(folder, "interactions_.indices.npy", indices)
    with pytest.raises(ArtifactError):
        load_recommender(folder)


def test_refuses_a_pickle_in_disguise(folder: Path) -> None:
    replace_array(folder, "popularity_.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(ArtifactError, match="allow_pickle"):
        load_recommender(folder)


def test_refuses_files_outside_the_folder(folder: Path) -> None:
    secret = folder.parent / "secret.npy"
    np.save(secret, np.zeros(3))
    files = json.loads((folder / "manifest.json").read_text())["files"]
    rewrite_manifest(folder, files=files | {"../secret.npy": sha256(secret)})
    with pytest.raises(ArtifactError, match=r"'\.\./secret.npy' is missing"):
        load_recommender(folder)


def test_reads_the_dense_weights_of_an_earlier_release(tmp_path: Path) -> None:
    today = build("hybrid", max_movies=20).fit(dataset())
    users, movies = [100, 101, 5], today.movie_ids_
    scores, parts = today.score_candidates(users, movies), today.attribute({0: 5.0}, movies).parts
    earlier = copy.deepcopy(today)
    earlier.collaborative_.weights_ = earlier.collaborative_.weights_.toarray()
    earlier.content_.vectors_ = (earlier.content_.vectors_ * earlier.content_.vector_scales_).astype(np.float32)
    del earlier.content_.vector_scales_
    earlier.save(tmp_path / "model")
    rewrite_manifest(tmp_path / "model", format_version=3)
    loaded = load_recommender(tmp_path / "model")
    np.testing.assert_allclose(loaded.score_candidates(users, movies), scores, atol=1e-4)
    np.testing.assert_allclose(loaded.attribute({0: 5.0}, movies).parts, parts, atol=1e-5)
    added = pd.DataFrame({"movie_id": [9999], "genres": [["Comedy"]]})
    both = [model.with_movies(added).score_candidates(users, [9999]) for model in (loaded, today)]
    np.testing.assert_allclose(*both, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 99}, f"format version 99 is newer than this program's {FORMAT_VERSION}"),
        ({"format_version": 2}, "format version 2 is older"),
        ({"format_version": None}, "names no format version"),
        ({"files": []}, "a table of files"),
        ({"model": {"algorithm": "oracle"}}, "unknown algorithm 'oracle'"),
        ({"model": {}}, "does not fit its files"),
        ({"algorithm": "popularity"}, "two algorithms"),
    ],
)
def test_refuses_a_manifest_that_it_cannot_read(folder: Path, changes: dict[str, object], message: str) -> None:
    rewrite_manifest(folder, **changes)
    with pytest.raises(ArtifactError, match=message):
        load_recommender(folder)


def test_refuses_what_is_no_artefact(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no model artefact here \(manifest.json is missing\)"):
        load_recommender(tmp_path / "nowhere")
    overwrite(folder / "manifest.json", b'{"format_version": 1, "alg')
    with pytest.raises(ArtifactError, match="not valid JSON"):
        load_recommender(folder)


def test_serving_imports_no_django_and_no_training_library(folder: Path) -> None:
    code = f"""
import sys
from recommender.estimators import load_recommender
load_recommender({str(folder)!r}).recommend([100])
heavy = {{"django", "celery", "mlflow", "implicit", "lightfm", "sklearn"}} & set(sys.modules)
assert not heavy, heavy
"""
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})


@pytest.mark.parametrize("algorithm", ["hybrid", "lightfm"])
def test_lists_reasons_and_new_movies_take_no_pandas(tmp_path: Path, algorithm: str) -> None:
    build(algorithm).fit(dataset()).save(tmp_path / "model")
    code = f"""
import sys
from recommender.estimators import diverse_list, load_recommender, scored_ahead
from recommender.estimators.movie_table import MovieTable
texts = {{name: ["A text"] for name in ("title", "overview", "language")}}
lists = {{name: [["War"]] for name in ("genres", "keywords", "cast", "directors", "countries")}}
new = MovieTable.of_values([77_777], ["2001-02-03"], texts | lists)
model = load_recommender({str(tmp_path / "model")!r}).with_movies(new)
movies = model.movie_ids_.tolist()
history = dict.fromkeys(movies[:4], 5.0)
best, _scores, kept = diverse_list(model, history, 5, 0.3)
assert len(best[kept]) == 5
assert len(model.attribute(history, best).parts) == len(best)
assert model.named_features(history, [77_777]) is not None
assert model.explanation(history, 77_777)[-1].kind == "interaction"
assert len(model.similar_to(movies[0])[0])
assert len(list(scored_ahead(model, [history]))) == 1
assert "pandas" not in sys.modules
"""
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})


def test_an_infinite_half_life_survives_in_strict_json(tmp_path: Path) -> None:
    ds = Dataset.from_frames(*tastes())
    PopularityRecommender(half_life_days=float("inf")).fit(ds).save(tmp_path / "model")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    json.loads((tmp_path / "model" / "manifest.json").read_text(), parse_constant=refuse)
    assert load_recommender(tmp_path / "model").config.half_life_days == float("inf")


def test_loads_a_manifest_with_the_names_of_an_older_release(tmp_path: Path) -> None:
    """As ff2ac02 wrote it: other names of attributes, hyper-parameters and tuned parameters."""
    model = build("hybrid", cold_user_weight=2.0, reranker=False).fit(dataset())
    model.best_params_["popularity_weight"] = 0.5
    model.save(tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    old_names = {now: old for old, now in (RENAMED_STATE | RENAMED_PARAMETERS).items()}
    rewrite_manifest(tmp_path / "model", model=_with_names(manifest["model"], old_names))
    stored = json.loads((tmp_path / "model" / "manifest.json").read_text())["model"]
    assert stored["hyper_parameters"]["newcomer_weight"] == 2.0
    assert set(RENAMED_STATE) <= set(stored["state"])
    loaded = load_recommender(tmp_path / "model")
    assert loaded.config == model.config
    assert loaded.best_params_ == model.best_params_
    assert_same_answers(model, loaded)


def _with_names(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(name, name): _with_names(part, names) for name, part in value.items()}
    return value
