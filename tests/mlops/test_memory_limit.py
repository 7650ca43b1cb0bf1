"""The memory limit in config.yaml determines how many movies an item-item model covers. The log says so."""

import logging

import pandas as pd
import pytest

from mlops.evaluation.open_parameters import movies_in_memory, with_memory_limit
from recommender.estimators import ESTIMATORS, Dataset
from recommender.estimators.ease import LAPACK_LIMIT
from tests.mlops.conftest import use_policy
from tests.mlops.site import write_policy


def test_the_matrix_of_all_pairs_fits_into_the_memory():
    for memory_mb in (50, 500, 2000):
        n = movies_in_memory(memory_mb)
        assert 0.75 * memory_mb < 4 * n * n / 1e6 < memory_mb
    assert movies_in_memory(2000) == 20_000
    assert movies_in_memory(10**6) == LAPACK_LIMIT


@pytest.mark.parametrize(("algorithm", "is_bounded"), [("ease", True), ("hybrid", True), ("als", False)])
def test_it_bounds_models_with_such_a_matrix_alone(settings, tmp_path, algorithm, is_bounded):
    use_policy(settings, write_policy(tmp_path / "config.yaml", training={"memory_mb": 50}))

    assert ("max_movies" in with_memory_limit(algorithm, {})) is is_bounded
    assert with_memory_limit("ease", {"max_movies": 7}) == {"max_movies": 7}


def test_a_model_that_is_cut_to_the_most_rated_movies_says_so(caplog):
    pairs = [(user, movie) for user in range(6) for movie in range(4) if movie <= user]
    ratings = pd.DataFrame(pairs, columns=["user_id", "movie_id"]).assign(rating=4.0)
    dataset = Dataset.from_frames(ratings)

    with caplog.at_level(logging.INFO, "recommender"):
        ESTIMATORS["ease"](regularization=1.0, max_movies=2).fit(dataset)
    assert "ease: 2 of 4 movies are modelled, those with the most positives (61.1 % of all)" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO, "recommender"):
        ESTIMATORS["ease"](regularization=1.0, max_movies=4).fit(dataset)
    assert "modelled" not in caplog.text
