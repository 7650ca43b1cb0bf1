"""The hybrid's tuned parameters, and the data used for tuning."""

import logging

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from recommender.estimators.hybrid import HybridRecommender
from recommender.estimators.inner_splits import MIN_USERS, inner_splits
from recommender.estimators.reranker import NOW
from tests.recommender.estimators.data import tastes

DAYS = 60


def fashions(n_users: int = 400, seed: int = 0) -> Dataset:
    """Everyone rates what is in fashion at that time: each ten days another five of sixty movies."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        for day in rng.uniform(0, DAYS, 8):
            in_fashion = 5 * int(day // 5) + int(rng.integers(5))
            rows.append((user, in_fashion, 5.0, day))
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating", "day"])
    ratings["rated_at"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(ratings.pop("day"), unit="D")
    return Dataset.from_frames(ratings)


def test_time_windows_train_on_what_came_before_them() -> None:
    dataset = fashions(n_users=600)
    way, splits = inner_splits(dataset, "time", 0)
    assert way == "time"
    assert len(splits) >= 2
    for split in splits:
        assert len(split.users) >= MIN_USERS
        assert (np.diff(split.answers.indptr) > 0).all()
        assert (np.diff(split.train.positives[split.users].indptr) > 0).all()
        assert split.answers.multiply(split.train.positives[split.users]).nnz == 0
    ends = [split.train.now for split in splits]
    assert ends == sorted(ends, reverse=True)
    assert ends[0] < dataset.now - 6 * 86_400 * 10**9


@pytest.mark.parametrize(("data", "reason"), [("few users", "300 users"), ("no time", "time is constant")])
def test_falls_back_to_a_random_split_and_says_so(data: str, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    ratings, movies = tastes()
    dataset = Dataset.from_frames(ratings if data == "few users" else ratings.drop(columns="rated_at"), movies)
    with caplog.at_level(logging.INFO):
        way, splits = inner_splits(dataset, "time", 0)
    assert way == "random"
    assert splits[0].answers.nnz > 0
    assert reason in caplog.text


def test_present_popularity_counts_where_fashions_change() -> None:
    model = HybridRecommender().fit(fashions())
    assert model.best_params_["validation"] == "time"
    assert model.best_params_["popularity_weight"] > 0
    assert model.best_params_["half_life_days"] <= 14
    assert set(model.recommend_for_history([{0: 5.0}], k=5)["movie_id"]) == {55, 56, 57, 58, 59}


def test_chooses_only_what_is_not_given() -> None:
    dataset = Dataset.from_frames(*tastes())
    model = HybridRecommender(regularization=3.0, popularity_weight=0.0).fit(dataset)
    items = {"metadata_weight", "user_exponent", "residual_weight", "history_weight"}
    of_content = {"content_regularization", "content_steepness"}
    assert set(model.best_params_) == items | of_content | {
        "half_life_days",
        "cold_user_weight",
        "reranker",
        "validation",
    }
    assert model.reranker_weights_[0, NOW] == 0.0
    assert model.collaborative_.config.regularization == 3.0


def test_chooses_nothing_when_all_is_given() -> None:
    items = {"regularization": 3.0, "metadata_weight": 1.0, "user_exponent": 0.0}
    residuals = {"residual_weight": 0.2, "history_weight": 0.1}
    content = {"content_regularization": 1.0, "content_steepness": 0.5}
    blend = {"half_life_days": 7.0, "popularity_weight": 0.1, "cold_user_weight": 0.0, "reranker": False}
    model = HybridRecommender(**items, **residuals, **content, **blend)
    assert model.fit(Dataset.from_frames(*tastes())).best_params_ == {}
