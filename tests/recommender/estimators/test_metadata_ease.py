"""The item-item model with metadata and rating values, and its tuned parameters."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from recommender.estimators.bias import residuals
from recommender.estimators.ease import MetadataEaseRecommender
from recommender.estimators.item_weights import add_rows, inputs_of, weighted_gram
from tests.recommender.estimators.data import ratings_frame, tastes

GIVEN = {
    "regularization": 2.0,
    "metadata_weight": 1.5,
    "user_exponent": 0.25,
    "residual_weight": 0.5,
    "history_weight": 0.2,
}


def dataset(threshold: float | None = None) -> Dataset:
    return Dataset.from_frames(*tastes(), implicit_threshold=threshold)


def test_weights_match_the_closed_form_solution() -> None:
    data = dataset()
    movies = np.flatnonzero(data.popularity > 0)
    liked = data.positives.toarray()[:, movies]
    weights = np.diff(data.positives.indptr) ** -0.25
    weights *= liked.sum() / (weights @ liked).sum()
    above = residuals(data.ratings, *data.rating_biases).toarray()[:, movies]
    counts = data.popularity[movies][:, None]
    features = data.movie_features[1].toarray()[movies] * np.sqrt(counts / (counts + 3))
    gram = liked.T @ (weights[:, None] * liked) + 0.5 * above.T @ above + 1.5 * features @ features.T
    inverse = np.linalg.inv(gram + 2 * np.eye(len(movies)))
    expected = inverse / -np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(MetadataEaseRecommender(**GIVEN).fit(data).weights_.toarray(), expected, atol=1e-4)


def test_scores_are_the_weights_of_positives_and_of_residuals() -> None:
    data = dataset()
    model = MetadataEaseRecommender(**GIVEN).fit(data)
    above = residuals(data.ratings, *data.rating_biases).toarray()
    inputs = data.positives.toarray() + 0.2 * above
    expected = inputs[:, model.modelled_] @ model.weights_
    movies = model.movie_ids_[model.modelled_]
    np.testing.assert_allclose(model.score_candidates(data.user_ids, movies), expected, atol=1e-4)


def test_ratings_below_the_threshold_count_by_their_residual() -> None:
    data = Dataset.from_frames(ratings_frame([(1, 1, 5.0), (1, 2, 3.0), (1, 3, 0.5)]), implicit_threshold=4)
    above = data.ratings.copy()
    above.data = np.array([0.5, 0.0, -2.5])
    counted = inputs_of(data.ratings, above, 4.0, 0.2)
    np.testing.assert_allclose(counted.toarray(), [[1.1, 0.2, -0.3]], rtol=1e-6)
    assert inputs_of(data.ratings, above, 4.0, 0.0).toarray().tolist() == [[1.0, 0.0, 0.0]]


@cache
def two_camps(threshold: float | None = None) -> MetadataEaseRecommender:
    """Each user gives their own camp's movies five stars and the other's two, so a movie's mean tells nothing."""
    rng = np.random.default_rng(3)
    asked = [(user, movie) for user in range(60) for movie in range(20) if rng.random() < 0.5]
    rows = [(user, movie, 5.0 if (user + movie) % 2 == 0 else 2.0) for user, movie in asked]
    data = Dataset.from_frames(ratings_frame(rows), implicit_threshold=threshold)
    return MetadataEaseRecommender(**GIVEN | {"residual_weight": 1.0}).fit(data)


def scores_of(model: MetadataEaseRecommender, *histories: dict[int, float]) -> list[np.ndarray]:
    """For each history the mean score of movie 0's camp, and of the other."""
    lists = model.recommend_for_history(histories, k=20, exclude_seen=False)
    lists = lists[~lists["movie_id"].isin([0, 1])]
    means = lists.groupby(["user_id", lists["movie_id"] % 2])["score"].mean()
    return [means[row].to_numpy() for row in range(len(histories))]


@pytest.mark.parametrize("threshold", [None, 3.5])
def test_a_bad_rating_counts_against_the_movies_that_are_near(threshold: float | None) -> None:
    good, bad = scores_of(two_camps(threshold), {0: 5.0}, {0: 0.5})
    assert bad[0] < good[0]
    assert bad[0] - bad[1] < good[0] - good[1]


def test_a_bad_rating_lowers_similar_movies_below_no_rating() -> None:
    none, bad = scores_of(two_camps(3.5), {}, {0: 0.5})
    assert bad[0] < none[0]


def test_a_changed_and_a_removed_rating_count_at_once() -> None:
    model = two_camps()
    before, changed, removed = scores_of(model, {1: 5.0, 0: 5.0}, {1: 5.0, 0: 1.0}, {1: 5.0})
    assert before[0] > changed[0]
    np.testing.assert_array_equal(removed, scores_of(model, {1: 5.0})[0])
    assert not np.allclose(removed, changed)


def test_stars_know_tastes_beyond_the_biases() -> None:
    model = two_camps()
    stars = model.predict_ratings([0, 1], model.movie_ids_)
    own_camp = np.arange(20) % 2 == 0
    assert stars[0, own_camp].min() > stars[0, ~own_camp].max() + 0.5
    assert stars[1, ~own_camp].min() > stars[1, own_camp].max() + 0.5


def test_equal_ratings_leave_no_residuals_to_weigh() -> None:
    ratings, movies = tastes()
    model = MetadataEaseRecommender().fit(Dataset.from_frames(ratings.assign(rating=4.0), movies))
    assert model.best_params_["residual_weight"] == 0.0
    assert model.residual_scale_ == 0.0
    np.testing.assert_allclose(model.predict_ratings([100, 5], [0, 7]), 4.0)


def test_chooses_only_what_is_not_given() -> None:
    model = MetadataEaseRecommender(**{name: GIVEN[name] for name in ("regularization", "residual_weight")})
    assert set(model.fit(dataset()).best_params_) == {"metadata_weight", "user_exponent", "history_weight"}
    assert MetadataEaseRecommender(**GIVEN).fit(dataset()).best_params_ == {}


def test_without_metadata_its_weight_is_zero() -> None:
    model = MetadataEaseRecommender().fit(Dataset.from_frames(tastes()[0]))
    assert model.best_params_["metadata_weight"] == 0.0


def test_user_weights_keep_the_mean_weight_of_a_positive() -> None:
    positives = dataset().positives
    flat, weighted = weighted_gram(positives, 0.0), weighted_gram(positives, 0.5)
    np.testing.assert_allclose(flat, (positives.T @ positives).toarray(), rtol=1e-5)
    assert np.trace(weighted) == pytest.approx(np.trace(flat), rel=1e-5)
    # of two users, of 1 and of 4 positives, the second counts half as much for each with exponent 1/2
    few_many = Dataset.from_frames(pd.DataFrame({"user_id": [1, 2, 2, 2, 2], "movie_id": range(5), "rating": 5.0}))
    gram = weighted_gram(few_many.positives, 0.5)
    assert gram[0, 0] / gram[1, 1] == pytest.approx(2.0, rel=1e-5)


def test_rows_add_their_weighted_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.estimators.item_weights.BLOCK", 3)
    features = dataset().movie_features[1]
    gram = np.eye(features.shape[0], dtype=np.float32)
    add_rows(gram, features, 2.5)
    np.testing.assert_allclose(gram, np.eye(len(gram)) + 2.5 * (features @ features.T).toarray(), rtol=1e-5)


@pytest.mark.parametrize("name", ["metadata_weight", "user_exponent", "residual_weight", "history_weight"])
def test_refuses_weights_below_zero(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        MetadataEaseRecommender(**{name: -1})
