"""Smoke tests of saved models in a new process."""

import json

import numpy as np
import pandas as pd
import pytest

from mlops.registry.artifacts import run_smoke_test
from mlops.registry.smoke_checks import check_lists
from mlops.registry.smoke_test_input import smoke_test_input
from movierec.policy import load_policy
from recommender.estimators import ESTIMATORS, Dataset
from tests.artefact_files import overwrite, replace_array
from tests.mlops.site import write_policy
from tests.mlops.tastes import dataset_of_tastes


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of_tastes()


@pytest.fixture(scope="module")
def given(dataset):
    return smoke_test_input(dataset, "ease", random_state=0)


@pytest.fixture
def folder(tmp_path, dataset):
    ESTIMATORS["ease"](regularization=5.0).fit(dataset).save(tmp_path / "model")
    return tmp_path / "model"


def test_a_good_model_passes_and_is_measured(folder, given):
    found = run_smoke_test(folder, given)

    assert all(found["checks"].values()), found
    assert len(found["checks"]) == 22
    assert (found["algorithm"], found["n_histories"], found["errors"]) == ("ease", 51, {})
    assert 0 < found["latency_ms"] <= found["latency_p95_ms"]
    assert 20 < found["memory_mb"] < 2000
    assert (found["liked_share"] > 0.5, found["n_liked"] > 50) == (True, True)


def test_a_cut_file_is_found(folder, given):
    array = next(folder.glob("*.npy"))
    overwrite(array, array.read_bytes()[:-1])

    found = run_smoke_test(folder, given)

    assert found["checks"] == {"loads_and_answers": False}
    assert "checksum" in found["error"]


def test_another_movie_map_is_detected_despite_valid_checksums(folder, given):
    manifest = json.loads((folder / "manifest.json").read_text())
    name = manifest["id_maps"]["movie_ids"]["file"]
    ids = np.load(folder / name)
    replace_array(folder, name, np.random.default_rng(1).permutation(ids))

    found = run_smoke_test(folder, given)

    assert found["liked_share"] < 0.25


def test_a_process_that_takes_too_long_is_ended(folder, given, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "config.yaml", gate={"max_smoke_test_seconds": 0.05}))

    assert "no answer within 0.05 s" in run_smoke_test(folder, given)["error"]


def test_a_process_that_takes_too_much_memory_fails_alone(folder, given, settings, tmp_path):
    settings.POLICY = load_policy(write_policy(tmp_path / "config.yaml", gate={"max_memory_mb": 1}))

    found = run_smoke_test(folder, given)

    assert not all(found["checks"].values())
    assert "MemoryError" in json.dumps(found)  # when it loads or when it answers, as the allocator has it


def lists(**changes) -> pd.DataFrame:
    good = {"user_id": [0, 0, 1], "movie_id": [1, 2, 2], "score": [2.0, 1.0, 1.0], "rank": [1, 2, 1]}
    return pd.DataFrame(good | changes)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"score": [2.0, np.nan, 1.0]}, "finite_scores"),
        ({"score": [1.0, 2.0, 1.0]}, "descending_scores"),
        ({"movie_id": [1, 2, 5]}, "no_seen_movies"),
        ({"movie_id": [1, 99, 2]}, "no_unknown_movies"),
        ({"movie_id": [1, 1, 2]}, "no_repeated_movies"),
        ({"rank": [0, 1, 1]}, "ranks_from_one"),
        ({"user_id": [0, 0, 0]}, "a_list_for_each"),
    ],
)
def test_each_fault_of_a_list_has_its_finding(changes, finding):
    histories = [{}, {5: 4.0}]
    known = {1, 2, 5, 6}
    assert all(check_lists(lists(), histories, known).values())

    assert check_lists(lists(**changes), histories, known)[finding] is False


def test_lists_that_are_too_long_or_of_another_shape_are_found():
    long = pd.DataFrame({"user_id": 0, "movie_id": range(11), "score": range(11, 0, -1), "rank": range(1, 12)})

    assert check_lists(long, [{}], set(range(20)))["at_most_k"] is False
    assert check_lists(long.rename(columns={"score": "points"}), [{}], set(range(20))) == {"columns": False}
