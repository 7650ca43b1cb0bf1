"""Predicted stars on the 0.5-5 scale: the mean plus shrunk user and movie biases, fitted in alternating passes.

    b_m = sum_u (r_um - mean - b_u) / (n_m + movie_shrinkage),   b_u likewise

These are the baseline predictors of Koren, Bell and Volinsky 2009, fitted as ridge regression.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.interactions import Array, row_numbers, with_values

LOWEST, HIGHEST = 0.5, 5.0
MOVIE_SHRINKAGE = 3.0
USER_SHRINKAGE = 4.0
N_PASSES = 8


@dataclass(frozen=True)
class RatingScale:
    """Converts ratings to stars: stars = unit * (rating - offset). `low` and `high` are the range of the data in stars.

    Ratings from 0 to 5 are already stars. Ratings up to 10 are divided by 2, and ratings up to 100 by 20. Any other
    range is mapped linearly to 0.5-5.
    """

    unit: float
    offset: float
    low: float
    high: float

    @classmethod
    def of(cls, ratings: Array) -> Self:
        lowest, highest = float(ratings.min()), float(ratings.max())
        unit, offset = 1.0, 0.0
        if lowest < 0 or highest > 100:
            unit = (HIGHEST - LOWEST) / max(highest - lowest, 1e-12) if np.isfinite(highest - lowest) else 0.0
            offset = lowest - LOWEST / unit if unit else 0.0
        elif highest > 10:
            unit = 1 / 20
        elif highest > 5:
            unit = 1 / 2
        low, high = np.clip([unit * (lowest - offset), unit * (highest - offset)], LOWEST, HIGHEST)
        return cls(unit, offset, float(low), float(high))

    def stars(self, ratings: Array) -> Array:
        """Return the ratings in stars, 0.5 to 5."""
        return np.clip(self.unit * (ratings - self.offset), LOWEST, HIGHEST)

    def clip(self, stars: Array) -> Array:
        """Return predicted stars, clipped to the range of the data."""
        return np.clip(stars, self.low, self.high)


def fit_biases(ratings: csr_matrix, scale: RatingScale) -> tuple[float, Array]:
    """Return the mean and the biases of the movies. A movie without ratings has a bias of 0."""
    stars = scale.stars(ratings.data)
    mean = float(stars.mean())
    n_users, n_movies = ratings.shape
    rows = row_numbers(ratings)
    per_user = np.bincount(rows, minlength=n_users) + USER_SHRINKAGE
    per_movie = np.bincount(ratings.indices, minlength=n_movies) + MOVIE_SHRINKAGE
    of_users, of_movies = np.zeros(n_users), np.zeros(n_movies)
    for _ in range(N_PASSES):
        rest = stars - mean - of_users[rows]
        of_movies = np.bincount(ratings.indices, weights=rest, minlength=n_movies) / per_movie
        rest = stars - mean - of_movies[ratings.indices]
        of_users = np.bincount(rows, weights=rest, minlength=n_users) / per_user
    return mean, of_movies


def user_biases(history: csr_matrix, scale: RatingScale, mean: float, of_movies: Array) -> Array:
    """Return the users' biases, computed only from their histories, so that unknown users have one too."""
    rest = scale.stars(history.data) - mean - of_movies[history.indices]
    sums = np.bincount(row_numbers(history), weights=rest, minlength=history.shape[0])
    return np.asarray(sums / (np.diff(history.indptr) + USER_SHRINKAGE))


def residuals(history: csr_matrix, scale: RatingScale, mean: float, of_movies: Array) -> csr_matrix:
    """Return the float32 difference in stars between each rating and its expectation from the biases."""
    of_users = user_biases(history, scale, mean, of_movies)
    expected = mean + np.repeat(of_users, np.diff(history.indptr)) + of_movies[history.indices]
    return with_values(history, (scale.stars(history.data) - expected).astype(np.float32))
