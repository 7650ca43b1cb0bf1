import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from recommender.estimators.content import ContentRecommender
from recommender.estimators.features import MovieFeatures
from recommender.estimators.metadata_regression import Ridge, factorize, kernel, noise
from recommender.estimators.tune_content import STEEPNESSES_GRID
from tests.recommender.estimators.data import ratings_frame, tastes

FIXED = {"regularization": 10.0, "steepness": 0.5, "item_regularization": 2.0}


def model(**more: float) -> ContentRecommender:
    return ContentRecommender(**(FIXED | more)).fit(Dataset.from_frames(*tastes()))


def new_movies() -> pd.DataFrame:
    """A war film and a comedy; even users like the first kind, odd ones the second."""
    genres, keywords = [["Drama", "War"], ["Comedy"]], [["trench"], ["wedding"]]
    return pd.DataFrame({"movie_id": [1001, 1002], "genres": genres, "keywords": keywords})


def test_a_new_movie_is_first_for_those_who_like_its_kind() -> None:
    lists = model().with_movies(new_movies()).recommend([100, 101, 102, 103], k=1, candidates=[1001, 1002])
    assert lists["movie_id"].tolist() == [1001, 1002, 1001, 1002]


def test_the_score_is_the_formula() -> None:
    """x (B + a I) (K + R)^-1 k with dense numpy."""
    ratings, movies = tastes()
    dataset = Dataset.from_frames(ratings, movies)
    parameters = {"regularization": 3.0, "steepness": 0.4, "item_regularization": 2.0, "history_weight": 0.3}
    fitted = ContentRecommender(**parameters).fit(dataset)
    rated = np.flatnonzero(dataset.is_rated)
    liked = dataset.positives.toarray()[:, rated].astype(float)
    inverse = np.linalg.inv(liked.T @ liked + 2.0 * np.eye(len(rated)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.3)
    features = fitted._weighted(MovieFeatures.fit(dataset.movies).transform(dataset.movies)).toarray().astype(float)
    likeness = np.exp(0.4 * features[rated] @ features.T)
    logs = np.log(liked.sum(axis=0))
    of_movies = 3.0 * np.exp(0.2 * (logs - logs.mean()))
    expected = liked @ weights @ np.linalg.solve(likeness[:, rated] + np.diag(of_movies), likeness)
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
    comedy = tastes()[1].query("movie_id == 217").assign(movie_id=210)
    changed = fitted.with_movies(comedy)
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
    reasons = model().with_movies(new_movies()).explain(100, 1001)
    assert {"genre: War", "keyword: trench"} <= set(reasons[reasons.kind == "feature"]["name"])


def test_a_feature_s_reason_is_what_the_score_loses_without_it() -> None:
    fitted = model().with_movies(new_movies())
    reasons = fitted.explain(100, 1001).set_index("name")["contribution"]
    bare = fitted.with_movies(new_movies()[:1].assign(keywords=[[]]))
    lost = fitted.score_candidates([100], [1001]) - bare.score_candidates([100], [1001])
    assert reasons["keyword: trench"] == pytest.approx(float(lost[0, 0]), rel=1e-3)


def test_new_users_get_new_movies_of_the_popular_kind_first() -> None:
    rows = [(user, movie, 5.0) for user in range(30) for movie in range(12) if movie % 2 == 0 or user == movie]
    genres = [["Drama"] if movie % 2 == 0 else ["Western"] for movie in range(12)]
    movies = pd.DataFrame({"movie_id": range(14), "genres": [*genres, ["Western"], ["Drama"]]})
    fitted = ContentRecommender(**FIXED).fit(Dataset.from_frames(ratings_frame(rows), movies))
    assert fitted.recommend_for_history([{}], candidates=[12, 13])["movie_id"].tolist() == [13, 12]


def test_chooses_its_kernel_and_says_so() -> None:
    fitted = ContentRecommender().fit(Dataset.from_frames(*tastes()))
    assert fitted.best_params_["regularization"] > 0
    assert fitted.best_params_["steepness"] in STEEPNESSES_GRID
    assert model().best_params_ == {}
    half = ContentRecommender(steepness=0.7).fit(Dataset.from_frames(*tastes()))
    assert set(half.best_params_) == {"regularization"}


def test_the_kernel_is_chosen_that_finds_hidden_movies() -> None:
    """Only both genres together say who likes a movie, so that a kernel that is nearly linear cannot."""
    kinds = [(year, genre) for year in ("1950-06-01", "2010-06-01") for genre in ("War", "Comedy")]
    movies = [(kinds[movie % 4], movie) for movie in range(80)]
    frame = pd.DataFrame(
        {
            "movie_id": range(80),
            "release_date": pd.to_datetime([year for (year, _), _ in movies]),
            "genres": [[genre] for (_, genre), _ in movies],
        }
    )
    rng = np.random.default_rng(0)
    rows = [(user, movie, 5.0) for user in range(60) for movie in range(80) if (movie % 4 in (0, 3)) == user % 2]
    rows = [row for row in rows if rng.random() < 0.5]
    chosen = ContentRecommender().fit(Dataset.from_frames(ratings_frame(rows), frame)).best_params_
    assert chosen["steepness"] > min(STEEPNESSES_GRID)


def test_without_any_metadata_it_still_answers() -> None:
    lists = ContentRecommender(**FIXED).fit(Dataset.from_frames(tastes()[0])).recommend([100], k=5)
    assert len(lists) == 5
    assert np.isfinite(lists["score"]).all()


def test_keeps_to_the_most_rated_movies_of_its_limit() -> None:
    fitted = model(max_movies=5)
    assert len(fitted.modelled_) == 5
    assert fitted.popularity_[fitted.modelled_].min() >= np.sort(fitted.popularity_)[-5]


def test_the_ridge_solves_its_equation() -> None:
    among, targets, of_movies = problem()
    learnt = Ridge(among.astype(np.float32), of_movies).solve(targets)
    np.testing.assert_allclose((among + np.diag(of_movies)) @ learnt, targets, atol=1e-3)


def test_factors_come_close_to_what_they_stand_for() -> None:
    among, targets, of_movies = problem()
    weights = (targets @ targets.T).astype(np.float32)  # of rank 3
    exact = weights @ np.linalg.solve(among + np.diag(of_movies), among)
    left, right = factorize(weights, among.astype(np.float32), of_movies, 6, 0)
    assert (left.shape, right.shape) == ((len(among), 6), (6, len(among)))
    np.testing.assert_allclose(left @ right @ among, exact, atol=1e-3 * np.abs(exact).max())


def test_the_noise_grows_with_how_many_know_a_movie() -> None:
    few, many = noise(np.array([1.0, 1024.0]), 3.0)
    assert many / few == pytest.approx(4.0)
    assert few * many == pytest.approx(9.0)


def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    features = MovieFeatures.fit(tastes()[1]).transform(tastes()[1])
    targets = np.random.default_rng(0).normal(size=(features.shape[0], 3))
    return kernel(features, features, 0.4).astype(float), targets, noise(np.arange(1, len(targets) + 1), 0.7)


def test_short_vectors_stand_in_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.estimators.content.N_FACTORS", 20)
    short, long = model(max_vectors_mb=0.0), model()
    assert (len(short.vectors_), len(long.vectors_)) == (20, 30)
    for grown in (short.with_movies(new_movies()), long.with_movies(new_movies())):
        assert grown.vectors_.flags.c_contiguous  # else each list would copy them first
        lists = grown.recommend([100, 101, 102, 103], k=1, candidates=[1001, 1002])
        assert lists["movie_id"].tolist() == [1001, 1002, 1001, 1002]


@pytest.mark.parametrize(
    ("name", "bad"),
    [("regularization", 0), ("steepness", 0), ("item_regularization", -1), ("max_movies", 0), ("max_vectors_mb", -1)],
)
def test_refuses_parameters_out_of_range(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match=name):
        ContentRecommender(**{name: bad})
