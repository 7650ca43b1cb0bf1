import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recommender.evaluation.list_metrics import (
    coverage,
    intra_list_diversity,
    mean_popularity,
    novelty,
    personalisation,
    popularity_gini,
)


def test_coverage_counts_distinct_movies():
    assert coverage(np.array([0, 0, 3]), 8) == 2 / 8


def test_novelty_in_bits():
    # Rated by half of 8 users: 1 bit; by one of 8: 3 bits; by nobody: as by one.
    assert novelty(np.array([0, 1, 2]), np.array([4, 1, 0]), 8) == pytest.approx((1 + 3 + 3) / 3)


def test_mean_popularity_is_the_share_of_users_who_rated_a_movie():
    assert mean_popularity(np.array([0, 1, 1]), np.array([4, 1]), 8) == pytest.approx((0.5 + 0.125 + 0.125) / 3)
    assert np.isnan(mean_popularity(np.array([], dtype=int), np.array([4, 1]), 8))


def test_gini_is_zero_for_equal_shares_and_high_for_one_movie():
    assert popularity_gini(np.array([0, 1, 2, 3]), 4) == pytest.approx(0)
    assert popularity_gini(np.array([2, 2, 2]), 4) == pytest.approx(3 / 4)
    # Shares 1/4 and 3/4 of two movies: mean absolute difference 1/2 over twice the mean 1/2.
    assert popularity_gini(np.array([0, 1, 1, 1]), 2) == pytest.approx(1 / 4)


def test_personalisation_is_the_share_not_shared():
    owners = np.array([0, 0, 1, 1, 2, 2])
    assert personalisation(owners, np.array([0, 1, 0, 1, 0, 1])) == pytest.approx(0)
    assert personalisation(owners, np.array([0, 1, 2, 3, 4, 5])) == pytest.approx(1)
    # Of three pairs of lists one shares one of two movies.
    assert personalisation(owners, np.array([0, 1, 0, 2, 3, 4])) == pytest.approx(1 - 0.5 / 3)
    assert np.isnan(personalisation(np.array([0, 0]), np.array([1, 2])))


def test_diversity_by_who_rated_the_movies():
    # Movies 0 and 1 were rated by the same users, 2 by half of them and another, 3 by nobody.
    ratings = csr_matrix(np.array([[5, 1, 2, 0], [3, 4, 0, 0], [0, 0, 4, 0]]))
    owners = np.array([7, 7, 8, 8, 9, 9])
    assert intra_list_diversity(owners[:2], np.array([0, 1]), ratings) == pytest.approx(0)
    assert intra_list_diversity(owners[:2], np.array([0, 2]), ratings) == pytest.approx(1 - 1 / 2)
    assert intra_list_diversity(owners, np.array([0, 1, 0, 2, 0, 3]), ratings) == pytest.approx((0 + 0.5 + 1) / 3)
    assert np.isnan(intra_list_diversity(np.array([0]), np.array([1]), ratings))


def test_diversity_of_many_lists_is_their_mean():
    rng = np.random.default_rng(0)
    ratings = csr_matrix((rng.random((50, 30)) < 0.3).astype(float))
    lists = [rng.choice(30, 5, replace=False) for _ in range(150)]
    unit = ratings.toarray() / np.linalg.norm(ratings.toarray(), axis=0)
    cosines = unit.T @ unit
    expected = np.mean([1 - (cosines[np.ix_(m, m)].sum() - 5) / 20 for m in lists])
    assert intra_list_diversity(np.repeat(np.arange(150), 5), np.concatenate(lists), ratings) == pytest.approx(expected)
