import math

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from recommender.estimators.popularity import PopularityRecommender
from tests.recommender.estimators.data import ratings_frame


def test_a_positive_loses_half_its_weight_in_a_half_life() -> None:
    rows = [(1, 10, 5.0), (2, 10, 5.0), (3, 20, 5.0)]
    ds = Dataset.from_frames(ratings_frame(rows, days=[0, 10, 20]))
    scores = PopularityRecommender(half_life_days=10).fit(ds).score_candidates([1], [10, 20])
    np.testing.assert_allclose(scores, [[0.25 + 0.5, 1.0]])


def test_all_time_counts_positives() -> None:
    rows = [(1, 10, 5.0), (2, 10, 4.0), (3, 10, 1.0), (3, 20, 5.0)]
    ds = Dataset.from_frames(ratings_frame(rows), implicit_threshold=4)
    scores = PopularityRecommender(half_life_days=math.inf).fit(ds).score_candidates([99], [10, 20])
    assert scores.tolist() == [[2.0, 1.0]]


def test_chooses_a_short_half_life_where_fashions_change() -> None:
    rng = np.random.default_rng(0)
    days = np.sort(rng.uniform(0, 400, 4000))
    rows = [(int(rng.integers(400)), int(day // 10) * 5 + int(rng.integers(5)), 5.0) for day in days]
    model = PopularityRecommender().fit(Dataset.from_frames(ratings_frame(rows, days.tolist())))
    assert model.best_params_["half_life_days"] <= 14


def test_chooses_all_time_where_times_say_nothing() -> None:
    ratings = ratings_frame([(1, 10, 5.0), (2, 20, 5.0)]).assign(rated_at=pd.Timestamp("2020-01-01"))
    model = PopularityRecommender().fit(Dataset.from_frames(ratings))
    assert model.best_params_ == {"half_life_days": math.inf}


@pytest.mark.parametrize("bad", [0, -1, float("nan"), "week"])
def test_refuses_a_half_life_that_is_no_positive_number(bad: object) -> None:
    with pytest.raises(ValueError, match="half_life_days: expected a number above 0"):
        PopularityRecommender(half_life_days=bad)
