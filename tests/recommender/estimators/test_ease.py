import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from recommender.estimators.ease import EaseRecommender
from recommender.estimators.item_weights import ease_weights, mirror_upper
from tests.recommender.estimators.data import ratings_frame, tastes

pytestmark = pytest.mark.ml_test("I2")


def closed_form(interactions: np.ndarray, regularization: float) -> np.ndarray:
    """As the paper writes it."""
    inverse = np.linalg.inv(interactions.T @ interactions + regularization * np.eye(interactions.shape[1]))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def test_weights_are_the_paper_s_closed_form() -> None:
    rng = np.random.default_rng(1)
    interactions = (rng.random((50, 12)) < 0.3).astype(float)
    weights = ease_weights((interactions.T @ interactions).astype(np.float32), 3.0)
    np.testing.assert_allclose(weights, closed_form(interactions, 3.0), atol=1e-5)


def test_dropout_adds_its_odds_of_each_movie_s_positives() -> None:
    gram = np.array([[4.0, 2, 1], [2, 6, 2], [1, 2, 3]])
    inverse = np.linalg.inv(gram + 0.5 / 0.5 * np.diag(np.diag(gram)) + 2 * np.eye(3))
    expected = inverse / -np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(ease_weights(gram.astype(np.float32), 2.0, dropout=0.5), expected, atol=1e-6)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, "half"])
def test_refuses_a_dropout_that_is_no_share(dropout: object) -> None:
    with pytest.raises(ValueError, match="dropout"):
        EaseRecommender(dropout=dropout)


def test_scores_are_the_weights_of_what_was_liked() -> None:
    rows = [(1, 10, 5.0), (1, 20, 5.0), (2, 10, 5.0), (2, 20, 5.0), (3, 20, 5.0), (3, 30, 5.0), (4, 10, 1.0)]
    ds = Dataset.from_frames(ratings_frame(rows), implicit_threshold=3)
    weights = closed_form(ds.positives.toarray().astype(float), 0.5)
    model = EaseRecommender(regularization=0.5).fit(ds)
    np.testing.assert_allclose(model.score_candidates([1], [10, 20, 30])[0], weights[0] + weights[1], atol=1e-5)
    np.testing.assert_allclose(model.score_candidates([3], [10])[0], weights[1, 0] + weights[2, 0], atol=1e-5)


def test_one_triangle_is_copied_over_the_other_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.estimators.item_weights.BLOCK", 3)
    full = np.arange(64.0).reshape(8, 8)
    full += full.T
    upper = np.triu(full)
    mirror_upper(upper)
    np.testing.assert_array_equal(upper, full)


def test_movies_beyond_the_budget_are_ranked_by_popularity() -> None:
    ratings, movies = tastes()
    model = EaseRecommender(regularization=1.0, max_movies=5).fit(Dataset.from_frames(ratings, movies))
    most_rated = ratings["movie_id"].value_counts()
    assert model.weights_.shape == (5, 5)
    assert set(model.movie_ids_[model.modelled_]) <= set(most_rated[most_rated >= most_rated.iloc[4]].index)
    lists = model.recommend([100], k=99, exclude_seen=False)
    rest = lists[~lists["movie_id"].isin(model.movie_ids_[model.modelled_])]
    assert most_rated[rest["movie_id"]].is_monotonic_decreasing


def test_scoring_few_movies_gives_what_scoring_all_gives() -> None:
    model = EaseRecommender(regularization=1.0, max_movies=20).fit(Dataset.from_frames(*tastes()))
    users, movies = [100, 101, 7], [0, 7, 14, 203, 231]
    everything = model.score_candidates(users, model.movie_ids_)
    columns = np.searchsorted(model.movie_ids_, movies)
    for column, movie in zip(columns, movies, strict=True):
        np.testing.assert_allclose(model.score_candidates(users, [movie])[:, 0], everything[:, column], rtol=1e-6)


def test_chooses_the_regularisation_on_its_own_data() -> None:
    ds = Dataset.from_frames(*tastes())
    model = EaseRecommender().fit(ds)
    assert set(model.best_params_) == {"regularization"}
    again = EaseRecommender(regularization=model.best_params_["regularization"]).fit(ds)
    pd.testing.assert_frame_equal(model.recommend([100]), again.recommend([100]))
    assert again.best_params_ == {}


@pytest.mark.parametrize(
    ("name", "bad"), [("regularization", 0), ("regularization", -1.0), ("max_movies", 0), ("max_movies", 10**6)]
)
def test_refuses_parameters_out_of_range(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=name):
        EaseRecommender(**{name: bad})
