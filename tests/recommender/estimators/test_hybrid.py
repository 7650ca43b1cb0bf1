from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset, load_recommender
from recommender.estimators.content import ContentRecommender
from recommender.estimators.ease import EaseRecommender, MetadataEaseRecommender
from recommender.estimators.hybrid import HybridRecommender
from recommender.estimators.reranker import signed_sqrt
from tests.recommender.estimators.data import tastes

ITEMS = {
    "regularization": 2.0,
    "metadata_weight": 1.0,
    "user_exponent": 0.0,
    "residual_weight": 0.5,
    "history_weight": 0.1,
}
FIXED = ITEMS | {
    "content_regularization": 1.0,
    "content_steepness": 0.5,
    "popularity_weight": 0.0,
    "cold_user_weight": 0.0,
    "half_life_days": 30.0,
    "reranker": False,
    "taste_weight": 0.0,
}
NEW = pd.DataFrame(
    {"movie_id": [1001, 1002], "genres": [["Drama", "War"], ["Comedy"]], "keywords": [["trench"], ["wedding"]]}
)


def dataset() -> Dataset:
    return Dataset.from_frames(*tastes())


def hybrid(data: Dataset | None = None, **more: float) -> HybridRecommender:
    return HybridRecommender(**(FIXED | more)).fit(data or dataset())


def lately_liked(data: Dataset) -> np.ndarray:
    """Each movie's likes, each halved every 30 days of its age."""
    age = (data.rated_at.max() - data.rated_at) / (86_400e9 * 30)
    likes = np.exp2(-age) * (data.ratings.data >= (data.implicit_threshold or 0))
    return np.bincount(data.ratings.indices, weights=likes, minlength=data.n_movies)


def test_without_popularity_it_ranks_like_metadata_ease() -> None:
    data = dataset()
    component = MetadataEaseRecommender(**ITEMS).fit(data)
    mine, theirs = hybrid(data).recommend(data.user_ids, k=8), component.recommend(data.user_ids, k=8)
    assert mine["movie_id"].tolist() == theirs["movie_id"].tolist()


def test_with_all_extra_weights_at_zero_it_is_ease() -> None:
    data = Dataset.from_frames(tastes()[0])
    ease = EaseRecommender(regularization=2.0).fit(data)
    mine = hybrid(data, metadata_weight=0.0, residual_weight=0.0, history_weight=0.0).recommend(data.user_ids, k=8)
    assert mine["movie_id"].tolist() == ease.recommend(data.user_ids, k=8)["movie_id"].tolist()


def test_new_movies_rank_as_the_content_component_ranks_them() -> None:
    data = dataset()
    new = data.movie_ids[~data.is_rated]
    content = ContentRecommender(regularization=1.0, steepness=0.5).fit(data)
    mine = hybrid(data).recommend(data.user_ids, candidates=new)
    assert mine["movie_id"].tolist() == content.recommend(data.user_ids, candidates=new)["movie_id"].tolist()


def test_few_likes_of_a_kind_bring_more_of_the_kind() -> None:
    history = {0: 5.0, 14: 5.0, 28: 5.0}  # all of Drama and War
    wars = {movie for place, movie in enumerate(dataset().movie_ids.tolist()) if place % 2 == 0}
    plain, tasteful = (hybrid(popularity_weight=0.2, taste_weight=weight) for weight in (0.0, 0.3))
    of_kind = [set(model.recommend_for_history([history], k=8)["movie_id"]) & wars for model in (plain, tasteful)]
    assert len(of_kind[1]) > len(of_kind[0])
    assert (
        tasteful.recommend_for_history([{}])["movie_id"].tolist()
        == plain.recommend_for_history([{}])["movie_id"].tolist()
    )
    [named] = tasteful.named_features(history, [42])
    assert named.name in ("genre: Drama", "genre: War")
    assert plain.named_features(history, [42]) == [None]


def test_a_heavy_popularity_weight_ranks_by_what_is_popular_now() -> None:
    data = dataset()
    unseen = np.where(data.ratings.toarray() > 0, -np.inf, lately_liked(data))
    expected = data.movie_ids[np.argsort(-unseen, axis=1, kind="stable")[:, :5]]
    mine = hybrid(data, popularity_weight=1e4).recommend(data.user_ids, k=5)
    assert mine["movie_id"].tolist() == expected.ravel().tolist()


def test_score_is_root_of_prediction_plus_weighted_trend() -> None:
    data = dataset()
    plain = MetadataEaseRecommender(**ITEMS).fit(data).score_candidates([100, 101], [0, 7, 14])
    popular = lately_liked(data)[np.searchsorted(data.movie_ids, [0, 7, 14])]
    expected = signed_sqrt(plain) + 0.2 * np.log1p(2 * popular)
    scores = hybrid(data, popularity_weight=0.2).score_candidates([100, 101], [0, 7, 14])
    np.testing.assert_allclose(scores, expected, atol=1e-3)


def test_a_new_movie_is_first_for_those_who_like_its_kind() -> None:
    lists = hybrid().with_movies(NEW).recommend([100, 101, 102, 103], k=1, candidates=[1001, 1002])
    assert lists["movie_id"].tolist() == [1001, 1002, 1001, 1002]


@pytest.mark.parametrize("popularity_weight", [0.0, 0.2])
def test_a_movie_added_later_scores_as_one_that_fit_knew(popularity_weight: float) -> None:
    model = hybrid(popularity_weight=popularity_weight)
    twin = tastes()[1].query("movie_id == 210").assign(movie_id=9999)
    scores = model.with_movies(twin).score_candidates([100, 101, 5], [210, 9999])
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], rtol=1e-5, atol=1e-9)


def test_movies_can_be_added_twice_in_any_order_of_ids() -> None:
    model = hybrid(popularity_weight=0.1)
    one = model.with_movies(NEW)
    two = model.with_movies(NEW[1:]).with_movies(NEW[:1])
    np.testing.assert_array_equal(
        one.score_candidates([100, 101], [1001, 1002, 0]), two.score_candidates([100, 101], [1001, 1002, 0])
    )


def test_a_new_movie_is_expected_to_trend_as_movies_like_it() -> None:
    """All late ratings go to comedies."""
    rows = [(user, movie, 5.0, day) for user in range(20) for movie, day in ((user % 4, 1), (4 + user % 4, 300))]
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating", "day"])
    ratings["rated_at"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(ratings.pop("day"), unit="D")
    genres = [["Western"]] * 4 + [["Comedy"]] * 4 + [["Western"], ["Comedy"]]
    data = Dataset.from_frames(ratings, pd.DataFrame({"movie_id": range(10), "genres": genres}))
    lists = hybrid(data, popularity_weight=1.0, half_life_days=7.0).recommend_for_history([{}], candidates=[8, 9])
    assert lists["movie_id"].tolist() == [9, 8]


def test_rated_movies_beyond_the_limit_are_scored_by_metadata() -> None:
    model = hybrid(max_movies=6)
    left_out = np.flatnonzero(model.is_rated_ & ~model._is_collaborative)
    assert len(left_out) > 0
    ids = model.movie_ids_[left_out]
    expected = signed_sqrt(model.content_.score_candidates([100], ids))
    np.testing.assert_allclose(model.score_candidates([100], ids), expected, atol=2e-3)


def test_reasons_for_a_new_movie_name_its_features() -> None:
    reasons = hybrid().with_movies(NEW).explain(100, 1001)
    assert {"genre: War", "keyword: trench"} <= set(reasons[reasons.kind == "feature"]["name"])
    assert not (hybrid().explain(100, 7)["kind"] == "feature").any()


def test_memory_mapped_arrays_are_enough_to_add_movies(tmp_path: Path) -> None:
    model = hybrid(popularity_weight=0.1)
    model.save(tmp_path / "model")
    loaded = load_recommender(tmp_path / "model").with_movies(NEW)
    expected = model.with_movies(NEW).score_candidates([100], [1001, 0])
    np.testing.assert_array_equal(loaded.score_candidates([100], [1001, 0]), expected)


@pytest.mark.parametrize("column", ["title", "release_date", "genres", "keywords", "cast", "directors", "overview"])
def test_works_without_any_one_kind_of_metadata(column: str) -> None:
    ratings, movies = tastes()
    lists = hybrid(Dataset.from_frames(ratings, movies.drop(columns=column))).recommend([100], candidates=[210, 217])
    assert len(lists) == 2


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("validation", "latest"),
        ("popularity_weight", -1),
        ("half_life_days", 0),
        ("content_regularization", 0),
        ("content_steepness", -1),
    ],
)
def test_refuses_parameters_out_of_range(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=name):
        HybridRecommender(**{name: bad})
