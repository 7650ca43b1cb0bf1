"""Small fitted models, and assertions on their answers, for the tests of estimators."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal

from recommender.estimators import ESTIMATORS, Dataset
from recommender.estimators.base import Recommender
from tests.recommender.estimators.data import QUICK, tastes

MOVIES = [int(movie) for movie in np.arange(34) * 7]  # of which the last four have no rating
UNRATED = MOVIES[-4:]


def build(algorithm: str, **more: Any) -> Recommender:
    return ESTIMATORS[algorithm](**QUICK.get(algorithm, {}), **more)


@cache
def dataset(seed: int = 0) -> Dataset:
    return Dataset.from_frames(*tastes(seed))


@cache
def fitted(algorithm: str) -> Recommender:
    """Read-only: a test that changes a model builds its own."""
    return build(algorithm).fit(dataset())


def rated_by(user: int) -> dict[int, float]:
    ratings = tastes()[0]
    own = ratings[ratings.user_id == user]
    return dict(zip(own.movie_id.tolist(), own.rating.tolist(), strict=True))


def rated_by_users() -> set[int]:
    return {*tastes()[0]["user_id"].tolist(), 5}


def assert_same_list(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """The same movies with the same scores, to the last bit, in the same order."""
    assert one["movie_id"].tolist() == other["movie_id"].tolist()
    assert one["score"].tolist() == other["score"].tolist()


def answers(model: Recommender) -> list[Any]:
    """Everything a model says, for comparing two of them."""
    users = [100, 101, 139, 5]
    return [
        model.recommend(users, k=7),
        model.recommend_for_history([{0: 5.0, 14: 4.5}, {}, {7: 0.5}], k=7),
        model.similar([0, 7], k=5),
        model.explain(100, 7),
        model.score_candidates(users, MOVIES),
        model.predict_ratings(users, MOVIES),
    ]


def assert_same_answers(one: Recommender, other: Recommender) -> None:
    for first, second in zip(answers(one), answers(other), strict=True):
        if isinstance(first, pd.DataFrame):
            assert_frame_equal(first, second, check_exact=True)
        else:
            np.testing.assert_array_equal(first, second)


def assert_lists(frame: pd.DataFrame, k: int) -> None:
    """Ranks 1..n with n <= k, scores that descend, no movie twice."""
    assert list(frame.columns) == ["user_id", "movie_id", "score", "rank"]
    for _, rows in frame.groupby("user_id"):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert len(rows) <= k
        assert rows["score"].is_monotonic_decreasing
        assert rows["movie_id"].is_unique
    assert np.isfinite(frame["score"]).all()
