"""Compact matrices of weights."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recommender.estimators.compact import RoundedColumns, keep_largest, weighted
from recommender.estimators.ease import EaseRecommender
from tests.recommender.estimators.fitted_models import dataset

WEIGHTS = np.array([[0, 2, -3], [4, 0, 1], [-5, 3, 0], [0.5, -1, 2]], dtype=np.float32)


def test_keeps_the_weights_of_the_largest_size_wherever_they_are() -> None:
    kept = keep_largest(WEIGHTS, 1)
    assert kept.toarray().tolist() == [[0, 0, -3], [4, 0, 0], [-5, 3, 0], [0, 0, 0]]
    assert kept.dtype == np.float32
    assert kept.has_sorted_indices


def test_of_a_large_matrix_about_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.estimators.compact.SAMPLE", 1000)
    weights = np.random.default_rng(0).normal(size=(100, 100)).astype(np.float32)
    assert keep_largest(weights, 20).nnz == pytest.approx(2000, rel=0.1)


def test_a_small_matrix_is_kept_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.estimators.compact.BLOCK", 2)
    np.testing.assert_array_equal(keep_largest(WEIGHTS, 4).toarray(), WEIGHTS)


@pytest.mark.parametrize("weights", [WEIGHTS, csr_matrix(WEIGHTS)])
def test_scores_are_sums_of_the_rows(weights: np.ndarray | csr_matrix) -> None:
    rows = csr_matrix(np.array([[1, 0, 2, 0], [0, 0, 0, 0], [0.5, 1, 0, -1]], dtype=np.float32))
    scores = weighted(rows, weights)
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores, rows.toarray() @ WEIGHTS)


def test_a_score_depends_on_no_other_user_and_no_other_movie() -> None:
    model = EaseRecommender(regularization=1.0, max_weights=5).fit(dataset())
    together = model.score_candidates(model.user_ids_, model.movie_ids_)
    for user, expected in zip(model.user_ids_.tolist(), together, strict=True):
        np.testing.assert_array_equal(model.score_candidates([user], model.movie_ids_)[0], expected)
        np.testing.assert_array_equal(model.score_candidates([user], model.movie_ids_[:3])[0], expected[:3])


def test_rounding_loses_no_more_than_its_steps() -> None:
    matrix = np.random.default_rng(0).normal(size=(40, 7)).astype(np.float32) * 10.0 ** np.arange(-3, 4)
    matrix[:, 2] = 0
    columns = RoundedColumns.of(matrix)
    rows, at = np.array([3, 0, 39]), np.array([6, 2, 0])
    largest = np.abs(matrix).max(axis=0)
    assert columns.values.nbytes == matrix.nbytes / 4
    assert (np.abs(columns.at(rows, at) - matrix[np.ix_(rows, at)]) <= largest[at] / 60_000).all()
    history = csr_matrix(np.random.default_rng(1).choice([0, 1, 0.5], size=(3, 40)).astype(np.float32))
    assert np.allclose(columns.weighted(history), history @ matrix, atol=largest * 1e-3)
    for row in range(3):
        np.testing.assert_array_equal(columns.weighted(history[[row]])[0], columns.weighted(history)[row])
