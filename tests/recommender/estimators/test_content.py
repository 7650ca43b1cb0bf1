import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from recommender.estimators.content import ContentRecommender, ridge_dual
from recommender.estimators.features import MovieFeatures
from tests.recommender.estimators.data import ratings_frame, tastes

FIXED = {"regularization": 1.0, "item_regularization": 2.0}


def model(**more: float) -> ContentRecommender:
    return ContentRecommender(**(FIXED | more)).fit(Dataset.from_frames(*tastes()))


def newcomers() -> pd.DataFrame:
    """A war film and a comedy; even users like the first kind, odd ones the second."""
    genres, keywords = [["Drama", "War"], ["Comedy"]], [["trench"], ["wedding"]]
    return pd.DataFrame({"movie_id": [1001, 1002], "genres": genres, "keywords": keywords})


def test_a_new_movie_is_first_for_those_who_like_its_kind() -> None:
    lists = model().with_movies(newcomers()).recommend([100, 101, 102, 103], k=1, candidates=[1001, 1002])
    assert lists["movie_id"].tolist() == [1001, 1002, 1001, 1002]


def test_the_score_is_the_formula() -> None:
    """x (B + a I) (K + r I)^-1 F f with dense numpy."""
    ratings, movies = tastes()
    dataset = Dataset.from_frames(ratings, movies)
    fitted = ContentRecommender(regularization=3.0, item_regularization=2.0, history_weight=0.3).fit(dataset)
    rated = np.flatnonzero(dataset.is_rated)
    liked = dataset.positives.toarray()[:, rated].astype(float)
    inverse = np.linalg.inv(liked.T @ liked + 2.0 * np.eye(len(rated)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.3)
    features = MovieFeatures().fit(dataset.movies).transform(dataset.movies).toarray().astype(float)
    kernel = features[rated] @ features[rated].T
    expected = liked @ weights @ np.linalg.solve(kernel + 3.0 * np.eye(len(rated)), features[rated] @ features.T)
    scores = fitted.score_candidates(dataset.user_ids, dataset.movie_ids)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_a_movie_added_later_scores_as_one_that_fit_knew() -> None:
    """The same metadata, and so the same words, in a movie that fit knew and in one that came after it."""
    ratings, movies = tastes()
    fitted = ContentRecommender(**FIXED).fit(Dataset.from_frames(ratings, movies))
    twin = movies[movies.movie_id == 210].assign(movie_id=9999)
    scores = fitted.with_movies(twin).score_candidates([100, 101, 5], [210, 9999])
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], rtol=1e-5, atol=1e-9)


def test_metadata_of_an_unrated_movie_can_change() -> None:
    fitted = model()
    changed = fitted.with_movies(pd.DataFrame({"movie_id": [210], "genres": [["Comedy"]], "keywords": [["wedding"]]}))
    before, after = (m.score_candidates([101], [210])[0, 0] for m in (fitted, changed))
    assert after > before
    assert changed.movie_ids_.tolist() == fitted.movie_ids_.tolist()


def test_few_columns_score_as_all_of_them() -> None:
    fitted = model()
    users, movies = fitted.user_ids_, fitted.movie_ids_
    np.testing.assert_allclose(
        fitted.score_candidates(users, movies[3:5]), fitted.score_candidates(users, movies)[:, 3:5], atol=1e-6
    )


def test_reasons_name_the_features_that_made_the_score() -> None:
    reasons = model().with_movies(newcomers()).explain(100, 1001)
    features = reasons[reasons.kind == "feature"]
    assert {"genre: War", "keyword: trench"} <= set(features["name"])
    # These are all the features of the movie, so their parts are the whole score but the popularity prior.
    assert features["contribution"].sum() == pytest.approx(reasons["contribution"].sum(), rel=1e-3, abs=1e-5)


def test_a_new_user_gets_the_new_movies_of_the_more_popular_kind_first() -> None:
    rows = [(user, movie, 5.0) for user in range(30) for movie in range(12) if movie % 2 == 0 or user == movie]
    genres = [["Drama"] if movie % 2 == 0 else ["Western"] for movie in range(12)]
    movies = pd.DataFrame({"movie_id": range(14), "genres": [*genres, ["Western"], ["Drama"]]})
    fitted = ContentRecommender(**FIXED).fit(Dataset.from_frames(ratings_frame(rows), movies))
    assert fitted.recommend_for_history([{}], candidates=[12, 13])["movie_id"].tolist() == [13, 12]


def test_chooses_its_regularization_and_says_so() -> None:
    fitted = ContentRecommender().fit(Dataset.from_frames(*tastes()))
    assert fitted.chosen_["regularization"] > 0
    assert model().chosen_ == {}


def test_without_any_metadata_it_still_answers() -> None:
    lists = ContentRecommender(**FIXED).fit(Dataset.from_frames(tastes()[0])).recommend([100], k=5)
    assert len(lists) == 5
    assert np.isfinite(lists["score"]).all()


def test_keeps_to_the_most_rated_movies_of_its_limit() -> None:
    fitted = model(max_movies=5)
    assert len(fitted.modelled_) == 5
    assert fitted.popularity_[fitted.modelled_].min() >= np.sort(fitted.popularity_)[-5]


def test_the_ridge_solves_its_equation() -> None:
    features = MovieFeatures().fit(tastes()[1]).transform(tastes()[1])
    targets = np.random.default_rng(0).normal(size=(features.shape[0], 3))
    kernel = (features @ features.T).toarray() + 0.7 * np.eye(features.shape[0])
    np.testing.assert_allclose(kernel @ ridge_dual(features, targets, 0.7), targets, atol=1e-3)


@pytest.mark.parametrize(("name", "bad"), [("regularization", 0), ("item_regularization", -1), ("max_movies", 0)])
def test_refuses_parameters_out_of_range(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match=name):
        ContentRecommender(**{name: bad})
