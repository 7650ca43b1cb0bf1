import math

import numpy as np
import pandas as pd

from recommender.estimators import Dataset
from recommender.estimators.item_features import AGE, ITEM_FEATURES, Genres, item_features_of, log_ages
from tests.recommender.estimators.data import ratings_frame


def dataset() -> Dataset:
    rows = [(1, 10, 5.0), (2, 10, 5.0), (3, 20, 1.0)]
    movies = pd.DataFrame(
        {
            "movie_id": [10, 20, 30],
            "release_date": ["2010-01-05", None, "2030-01-01"],
            "genres": [["War", "Drama"], ["Drama"], []],
        }
    )
    return Dataset.from_frames(ratings_frame(rows, days=[0, 3, 4]), movies, implicit_threshold=4)


def test_trends_count_late_positives_most() -> None:
    item_features = item_features_of(dataset(), half_life_days=1.0)
    now, day, forever = (item_features[ITEM_FEATURES.index(name)] for name in ("now", "trend_1", "trend_inf"))
    np.testing.assert_allclose(day, np.log1p(2 * np.array([2.0**-4 + 2.0**-1, 0, 0])), rtol=1e-6)
    np.testing.assert_allclose(forever, np.log1p([4.0, 0, 0]), rtol=1e-6)
    np.testing.assert_array_equal(now, day)


def test_liked_share_is_smoothed_towards_the_mean() -> None:
    liked = item_features_of(dataset(), half_life_days=7.0)[ITEM_FEATURES.index("liked")]
    np.testing.assert_allclose(np.exp(liked), [(2 + 2) / (2 + 3), (0 + 2) / (1 + 3), 2 / 3], rtol=1e-6)


def test_age_counts_from_release_or_else_from_the_first_rating() -> None:
    ages = np.expm1(item_features_of(dataset(), half_life_days=7.0)[AGE])
    np.testing.assert_allclose(ages, [10, 0, 0], atol=1e-2)
    a_year_later = pd.Timestamp("2021-01-05").value
    dates = pd.Series(pd.to_datetime(["2020-01-05", None]))
    np.testing.assert_allclose(log_ages(dates, a_year_later, otherwise=3.0), np.log1p([1.0, 3.0]), atol=1e-2)


def test_genre_affinity_is_positive_for_above_average_taste() -> None:
    data = dataset()
    vocabulary, features = data.movie_features
    genres = Genres.of(features, vocabulary.names, np.array([10.0, 90.0, 0.0]))
    liked = data.positives[[0, 2]]  # of movie 10, and of nothing
    affinity = genres.affinity(liked, np.arange(3))
    assert affinity[0, 0] > 0.3 > abs(affinity[0, 1])
    np.testing.assert_allclose(affinity[1], 0, atol=1e-6)
    assert affinity[0, 2] == 0  # a movie without genres
    assert genres.parts.sum(axis=0).tolist() == [1, 1, 0]
    assert math.isclose(genres.shares.max(), 101 / 103, rel_tol=1e-6)
