import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from recommender.evaluation.metrics import accuracy, rmse

# List 0 shows two of its three right movies at ranks 1 and 3; list 1 none of its one; list 2 has no right movie.
OWNERS = np.array([0, 0, 0, 1])
RANKS = np.array([1, 3, 0, 0])


def test_ndcg_by_hand():
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert accuracy(OWNERS, RANKS, 3, k=3)["ndcg"] == pytest.approx([1.5 / ideal, 0, np.nan], nan_ok=True)


def test_ndcg_ideal_is_cut_at_k():
    ranks = np.r_[1, 2, np.zeros(28, dtype=int)]
    assert accuracy(np.zeros(30, dtype=int), ranks, 1, k=2)["ndcg"] == pytest.approx([1.0])


def test_hits_below_k_do_not_count():
    assert accuracy(np.array([0]), np.array([11]), 1, k=10)["ndcg"] == pytest.approx([0.0])
    assert accuracy(np.array([0]), np.array([11]), 1, k=10)["recall"] == pytest.approx([0.0])


def test_recall_and_precision_by_hand():
    assert accuracy(OWNERS, RANKS, 3, k=4)["recall"] == pytest.approx([2 / 3, 0, np.nan], nan_ok=True)
    assert accuracy(OWNERS, RANKS, 3, k=4)["precision"] == pytest.approx([2 / 4, 0, np.nan], nan_ok=True)


@given(st.lists(st.booleans(), min_size=2, max_size=30).filter(any), st.integers(1, 12))
def test_ndcg_agrees_with_scikit_learn(is_relevant, k):
    scores = -np.arange(len(is_relevant), dtype=float)
    ranks = np.flatnonzero(is_relevant) + 1
    expected = ndcg_score([np.array(is_relevant, dtype=float)], [scores], k=k)
    assert accuracy(np.zeros(len(ranks), dtype=int), ranks, 1, k)["ndcg"] == pytest.approx([expected])


def test_rmse_by_hand():
    assert rmse(np.array([4.0, 3.0]), np.array([5.0, 1.0])) == pytest.approx(np.sqrt(2.5))
    assert np.isnan(rmse(np.array([]), np.array([])))
