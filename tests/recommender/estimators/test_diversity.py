import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.diversity import diversify
from recommender.estimators import ESTIMATORS, Dataset
from recommender.estimators.diversity import choose_unlike
from recommender.estimators.ranking import pool_size
from recommender.evaluation.list_metrics import describe_lists
from tests.recommender.estimators.data import tastes
from tests.recommender.estimators.fitted_models import assert_lists, fitted

USERS = [100, 101, 117, 5]


def pools(k: int, **more: object) -> pd.DataFrame:
    return fitted("hybrid").recommend(USERS, k=k + 12, **more)


def test_only_the_best_of_the_candidates_come_into_a_list() -> None:
    assert pool_size(10, 10_000) == 130
    assert pool_size(3, 10_000) == 39
    assert pool_size(100, 10_000) == 220
    assert pool_size(10, 100) == 25
    assert pool_size(10, 8) == 10


def alike(pairs: list[tuple[int, int]], n: int) -> np.ndarray:
    likeness = np.eye(n)
    for one, other in pairs:
        likeness[one, other] = likeness[other, one] = 1.0
    return likeness


def test_of_two_alike_the_lower_one_makes_way() -> None:
    relevance = np.array([1.0, 0.9, 0.8, 0.0])
    likeness = alike([(0, 1)], 4)
    assert choose_unlike(relevance, likeness, 2, strength=0.5).tolist() == [0, 2]
    assert choose_unlike(relevance, likeness, 2, strength=0.05).tolist() == [0, 1]
    assert choose_unlike(relevance, likeness, 3, strength=0.5).tolist() == [0, 1, 2]


def test_the_scale_of_scores_does_not_matter() -> None:
    relevance = np.array([1.0, 0.9, 0.8, 0.0])
    for scale in (1e-6, 1.0, 1e6):
        assert choose_unlike(scale * relevance, alike([(0, 1)], 4), 2, strength=0.5).tolist() == [0, 2]


def test_equal_scores_choose_the_first_dissimilar_movies() -> None:
    assert choose_unlike(np.ones(4), alike([(0, 1), (0, 2)], 4), 2, strength=0.7).tolist() == [0, 3]
    assert choose_unlike(np.ones(4), np.ones((4, 4)), 2, strength=0.7).tolist() == [0, 1]


def test_without_strength_the_lists_are_the_model_s_own() -> None:
    pd.testing.assert_frame_equal(diversify(fitted("hybrid"), pools(6), 6, 0.0), fitted("hybrid").recommend(USERS, k=6))


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_lists_stay_lists(strength: float) -> None:
    """k rows, ranks from 1, scores that descend and are those that `explain` accounts for."""
    lists = diversify(fitted("hybrid"), pools(6), 6, strength)
    assert_lists(lists, 6)
    assert lists["user_id"].value_counts().to_dict() == dict.fromkeys(USERS, 6)
    first = lists[lists.user_id == 100]
    scores = fitted("hybrid").score_candidates([100], first["movie_id"])[0]
    np.testing.assert_allclose(first["score"], scores, rtol=1e-5)


def test_excluded_movies_stay_out_and_short_pools_are_kept_whole() -> None:
    candidates = [0, 7, 14, 21]
    few = pools(4, candidates=candidates, exclude=[{21}] * 4)
    lists = diversify(fitted("hybrid"), few, 4, 0.9)
    assert 21 not in set(lists["movie_id"])
    assert_lists(lists, 4)
    assert len(lists) == len(few)
    assert diversify(fitted("hybrid"), few[:0], 4, 0.9).empty


def test_a_strength_makes_lists_more_diverse() -> None:
    ratings = tastes()[0]
    plain, mixed = (
        describe_lists(
            diversify(fitted("hybrid"), pools(6), 6, strength).rename(columns={"user_id": "request"}), ratings
        )
        for strength in (0.0, 0.7)
    )
    assert mixed["intra_list_diversity"] > plain["intra_list_diversity"] + 0.01


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_refuses_a_strength_out_of_range(bad: float) -> None:
    with pytest.raises(ValueError, match="strength: expected a number from 0 to 1"):
        diversify(fitted("hybrid"), pools(3), 3, bad)


@pytest.mark.parametrize("algorithm", sorted(ESTIMATORS))
@pytest.mark.parametrize("lowest", [-3.0, 0.0, 0.4])
def test_relevance_follows_the_scores_and_is_never_negative(algorithm: str, lowest: float) -> None:
    relevance = fitted(algorithm).relevance(np.linspace(0.5, lowest, 20, dtype=np.float32))
    assert (np.diff(relevance) < 0).all()
    assert (relevance >= 0).all()


@pytest.mark.parametrize("algorithm", sorted(ESTIMATORS))
def test_likeness_is_symmetric_and_highest_with_itself(algorithm: str) -> None:
    likeness = fitted(algorithm).likeness([0, 7, 14, 210])
    np.testing.assert_allclose(likeness, likeness.T, atol=1e-6)
    assert ((likeness > -1e-6) & (likeness < 1 + 1e-5)).all()
    assert (np.diag(likeness)[:3] >= likeness[:3].max(axis=1) - 1e-6).all()


def test_likeness_looks_at_no_more_users_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.estimators.fitted_data.LIKENESS_USERS", 10)
    model = ESTIMATORS["popularity"]().fit(Dataset.from_frames(*tastes()))
    assert np.isfinite(model.likeness([0, 7, 14])).all()
    assert model._likeness_rows.shape[1] == 10


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 5), min_size=1, max_size=12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 9))
def test_any_relevance_gives_k_different_movies_in_order(
    values: list[float], k: int, strength: float, seed: int
) -> None:
    relevance = np.sort(np.array(values))[::-1]
    rows = np.abs(np.random.default_rng(seed).normal(size=(len(values), 3)))
    k = min(k, len(values))
    chosen = choose_unlike(relevance, rows @ rows.T, k, strength)
    assert len(chosen) == k
    assert (np.diff(chosen) > 0).all()


def test_a_penalty_is_taken_off_the_relevance():
    relevance, alike_to_none = np.array([1.0, 0.9, 0.8]), np.zeros((3, 3))
    fame = np.array([1.0, 0.0, 1.0])
    assert choose_unlike(relevance, alike_to_none, 1, 0.0, 0.5 * fame).tolist() == [1]
    assert choose_unlike(relevance, alike_to_none, 2, 0.0, -0.5 * fame).tolist() == [0, 2]
