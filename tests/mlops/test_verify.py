"""Saved models in a fresh process: the good one, and seeded bad ones, each with its own finding."""

import numpy as np
import pandas as pd
import pytest

from mlops.artifacts import verify_in_fresh_process
from mlops.verify import check_lists
from recommender.estimators import Dataset
from recommender.estimators.popularity import PopularityRecommender

PROBE = [{}, {1: 4.0}, {2: 5.0, 3: 1.0}]


@pytest.fixture
def folder(tmp_path):
    ratings = pd.DataFrame({"user_id": [1, 2, 2, 3], "movie_id": [1, 2, 3, 4], "rating": [4.0, 5.0, 1.0, 3.0]})
    PopularityRecommender().fit(Dataset.from_frames(ratings)).save(tmp_path / "model")
    return tmp_path / "model"


def test_a_good_model_passes_and_is_measured(folder):
    found = verify_in_fresh_process(folder, PROBE)

    assert all(found["checks"].values()), found
    assert (found["algorithm"], found["n_histories"]) == ("popularity", 3)
    assert found["latency_ms"] > 0
    assert set(found["lists"]["1"]) == {2, 3, 4}


def test_a_cut_file_is_found(folder):
    array = next(folder.glob("*.npy"))
    array.write_bytes(array.read_bytes()[:-1])

    found = verify_in_fresh_process(folder, PROBE)

    assert found["checks"] == {"loads_and_answers": False}
    assert "checksum" in found["error"]


def test_a_folder_without_a_model_is_found(tmp_path):
    assert "manifest.json is missing" in verify_in_fresh_process(tmp_path, PROBE)["error"]


def test_a_history_that_breaks_the_process_is_a_finding(folder):
    assert verify_in_fresh_process(folder, [{1: float("nan")}])["checks"] == {"loads_and_answers": False}


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
