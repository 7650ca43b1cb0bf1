"""Features of a movie besides its audience: its trend at several half-lives, its age and its share of likes.

trend = log(1 + 2 n),   n = sum over the movie's positives of 2^(-age / half-life)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.compact import weighted
from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, product_of_items
from recommender.estimators.lazy_pandas import pd
from recommender.estimators.popularity import DAY_NS, trend_of

HALF_LIVES_DAYS = (1.0, 4.0, 14.0, 90.0, math.inf)
ITEM_FEATURES = ("now", *(f"trend_{days:g}" for days in HALF_LIVES_DAYS), "liked", "age")  # rows of `item_features_of`
AGE = ITEM_FEATURES.index("age")
YEAR_NS = 365.25 * DAY_NS
LIKED_SHRINKAGE = 3.0
GENRE_SHRINKAGE = 5.0
MAX_GENRES = 32
TASTE_SHRINKAGE = 2.0


def item_features_of(dataset: Dataset, half_life_days: float) -> Array:
    """Return float32 (ITEM_FEATURES, movies). The feature `now` is the trend at the given half-life."""
    trends = [trend_of(dataset, days) for days in (half_life_days, *HALF_LIVES_DAYS)]
    rated = np.bincount(dataset.ratings.indices, minlength=dataset.n_movies)
    share = dataset.popularity.sum() / max(rated.sum(), 1)
    liked = np.log((dataset.popularity + LIKED_SHRINKAGE * share) / (rated + LIKED_SHRINKAGE))
    return np.stack([*trends, liked, _ages(dataset)]).astype(np.float32)


def _ages(dataset: Dataset) -> Array:
    """Return the log ages of the movies. The default age is the time since the first rating."""
    first = np.full(dataset.n_movies, dataset.now, dtype=np.int64)
    np.minimum.at(first, dataset.ratings.indices, dataset.rated_at)
    return log_ages(dataset.movies["release_date"], dataset.now, (dataset.now - first) / YEAR_NS)


def log_ages(release_dates: pd.Series[Any] | Sequence[Any], now: int, otherwise: Array | float = 0.0) -> Array:
    """Return log(1 + years since release). `otherwise` holds the years for movies without a release date."""
    dates = np.asarray(release_dates, dtype="datetime64[s]")
    years = (now / 1e9 - dates.astype(np.int64)) * 1e9 / YEAR_NS
    return np.asarray(np.log1p(np.maximum(np.where(np.isnat(dates), otherwise, years), 0)))


class Genres(NamedTuple):
    """The most frequent genres, their movies, and each genre's share of all likes."""

    of_movies: csr_matrix  # (movies, genres), ones
    parts: Array  # (genres, movies): the same, scaled so that each movie's values sum to 1
    shares: Array

    @classmethod
    def of(cls, features: csr_matrix, names: Sequence[Sequence[str]], popularity: Array) -> Self:
        item_idx = [column for column, (kind, _) in enumerate(names) if kind == "genre"]
        has = (features[:, item_idx] > 0).toarray().astype(np.float32)
        has = has[:, np.argsort(-has.sum(axis=0), kind="stable")[:MAX_GENRES]]
        shares = (popularity @ has + 1) / (popularity.sum() + 1 + len(item_idx))
        parts = has / np.maximum(has.sum(axis=1, keepdims=True), 1)
        return cls(csr_matrix(has), np.ascontiguousarray(parts.T), shares.astype(np.float32))

    def affinity(self, liked: csr_matrix, item_idx: Array) -> Array:
        """Return the mean `lift` of each movie's genres for each user, (users, item_idx)."""
        return product_of_items(self.lift(liked), self.parts, item_idx)

    def lift(self, liked: csr_matrix) -> Array:
        """Return the log ratio of each genre's share of the user's likes to its share of all likes, (users, genres)."""
        n_liked = np.diff(liked.indptr)[:, None]
        of_users = weighted(liked, self.of_movies)
        lift: Array = np.log((of_users + GENRE_SHRINKAGE * self.shares) / ((n_liked + GENRE_SHRINKAGE) * self.shares))
        return lift.astype(np.float32)


class Tastes(NamedTuple):
    """Naive Bayes evidence of a taste from genres and years.

    The evidence for a movie is the sum of log P(has the genre | likes) / P(has it) over all genres, plus the same for
    years. It tells how much likelier the movie's genres and years are among the user's likes than among everyone's. A
    genre common to all of a user's likes is strong evidence against movies without it. Likes of many kinds give little
    evidence.
    """

    of_movies: csr_matrix  # (movies, genres and bins): ones for genres; shares for years, which sum to 1
    n_genres: int
    prior: Array  # the mean over all likes

    @classmethod
    def of(cls, features: csr_matrix, names: Sequence[Sequence[str]], popularity: Array) -> Self:
        kinds = [np.flatnonzero([kind == wanted for kind, _ in names]) for wanted in ("genre", "year")]
        genres, years = ((features[:, columns].toarray()) for columns in kinds)
        genres = (genres > 0).astype(np.float32)
        years /= np.maximum(years.sum(axis=1, keepdims=True), 1e-9)
        of_movies = np.hstack([genres, years]).astype(np.float32)
        likes = np.ascontiguousarray(of_movies.T) @ popularity
        prior = np.minimum((likes + 0.5) / (popularity.sum() + 1), 0.99).astype(np.float32)
        return cls(csr_matrix(of_movies), genres.shape[1], prior)

    def match(self, of_traits: Array, bare: Array, item_idx: Array) -> Array:
        """Return the float32 evidence for each movie, (users, item_idx). See `evidence` for the arguments."""
        return np.asarray((self.of_movies @ of_traits.T).T[:, item_idx] + bare)

    def evidence(self, liked: csr_matrix) -> tuple[Array, Array]:
        """Return the evidence of each genre and bin (users, genres and bins), and that of a movie without any (users,
        1).
        """
        n_liked = np.diff(liked.indptr)[:, None]
        n_genres, counts = self.n_genres, weighted(liked, self.of_movies)
        shares = (counts + TASTE_SHRINKAGE * self.prior) / (n_liked + TASTE_SHRINKAGE)
        has = np.log(shares / self.prior)
        lacks = np.log((1 - shares[:, :n_genres]) / (1 - self.prior[:n_genres]))
        has[:, :n_genres] -= lacks
        return has.astype(np.float32), lacks.sum(axis=1, keepdims=True).astype(np.float32)
