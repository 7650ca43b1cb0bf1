import math

import numpy as np
import pandas as pd
import pytest

from recommender.estimators import Dataset
from recommender.estimators.popularity import PRIOR_LIKES, PopularityRecommender, popularity_of
from tests.recommender.estimators.data import ratings_frame


def test_a_positive_loses_half_its_weight_in_a_half_life() -> None:
    """What counts now is beyond two likes, and on top of as many likes as there are."""
    rows = [(user, 10, 5.0) for user in range(4)] + [(user, 20, 5.0) for user in range(3)]
    ds = Dataset.from_frames(ratings_frame(rows, days=[10, 20, 20, 20, 0, 10, 20]))
    scores = PopularityRecommender(half_life_days=10).fit(ds).score_candidates([1], [10, 20])
    np.testing.assert_allclose(scores, [[3.5 - 2 + 4, 3.0]])


def test_the_prior_is_worth_no_more_than_its_likes() -> None:
    """A thousand people liked two movies long ago, three like another one now."""
    rows = [(user, user % 2, 5.0) for user in range(1000)] + [(user, 2, 5.0) for user in range(3)]
    scores = popularity_of(Dataset.from_frames(ratings_frame(rows, days=[0.0] * 1000 + [1e4] * 3)), 1.0)
    share = PRIOR_LIKES / 1003
    np.testing.assert_allclose(scores, [500 * share, 500 * share, 1 + 3 * share])


def test_one_wrong_clock_makes_nothing_current_and_nothing_old() -> None:
    rows = [(user, movie, 5.0) for movie in range(4) for user in range(10 - movie)]
    usual = Dataset.from_frames(ratings_frame(rows))
    wrong = Dataset.from_frames(ratings_frame([*rows, (99, 3, 5.0)], days=[*range(len(rows)), 30_000]))
    assert wrong.now == usual.now == usual.rated_at.max()
    scores = popularity_of(wrong, 10.0) - popularity_of(usual, 10.0)
    assert scores.tolist() == [0, 0, 0, 1]  # of all time


def test_one_account_counts_less_the_more_it_rates() -> None:
    rows = [(user, movie, 5.0) for movie in range(20) for user in range(movie, 50)]
    usual = popularity_of(Dataset.from_frames(ratings_frame(rows)), 30.0)
    gains = []
    for n in (1, 400, 10_000):
        burst = [(99, 19 + movie, 5.0) for movie in range(n)]
        days = [*range(len(rows)), *[len(rows)] * n]
        gains.append(popularity_of(Dataset.from_frames(ratings_frame(rows + burst, days)), 30.0)[19] - usual[19])
    assert gains[0] >= gains[1] > 100 * gains[2]


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
