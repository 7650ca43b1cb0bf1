"""The frozen container that every recommender learns from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators import columns
from recommender.estimators.bias import RatingScale, fit_biases
from recommender.estimators.features import MovieFeatures
from recommender.estimators.ids import IdArray, IdIndex, factorize_ids, id_array, join_ids
from recommender.estimators.interactions import Array, keep_entries, positives_of
from recommender.estimators.lazy_pandas import pd

CLOCK_PEOPLE = 3
CLOCK_LEAD_NS = 30 * 86_400 * 10**9


@dataclass(frozen=True, eq=False)
class Dataset:
    """Ratings as sparse users x movies matrices, and the movies' metadata in the same order.

    `ratings` stores every rating explicitly, also a rating of 0, which is seen like any other;
    `rated_at` is int64 nanoseconds since 1970 (UTC) for each entry of `ratings.data`.
    `user_ids` and `movie_ids` are sorted; `movie_ids` are those of ratings and of metadata together.
    """

    user_ids: IdArray
    movie_ids: IdArray
    ratings: csr_matrix
    rated_at: Array
    movies: pd.DataFrame
    implicit_threshold: float | None = None

    @classmethod
    def from_frames(
        cls, ratings: pd.DataFrame, movies: pd.DataFrame | None = None, implicit_threshold: float | None = None
    ) -> Self:
        """Read frames of any index, row order and datetime unit; of duplicates the latest wins.

        ratings: user_id, movie_id, rating and, if known, rated_at (UTC; ties keep the row order).
        movies: movie_id and any of title, release_date, genres, keywords, cast, directors, overview, language.
        Ratings at or above `implicit_threshold` are positives; None makes all of them so.
        """
        threshold = None if implicit_threshold is None else float(implicit_threshold)
        if threshold is not None and not np.isfinite(threshold):
            raise ValueError(f"implicit_threshold: expected a number or None, got {implicit_threshold!r}")
        columns.require(ratings, (columns.USER_ID, columns.MOVIE_ID, columns.RATING), "ratings")
        rows, user_ids = factorize_ids(id_array(ratings[columns.USER_ID], columns.USER_ID))
        rated = id_array(ratings[columns.MOVIE_ID], columns.MOVIE_ID)
        values, times = columns.read_ratings(ratings), columns.read_times(ratings)
        metadata = columns.read_movies(movies)
        described = id_array(metadata[columns.MOVIE_ID].to_numpy(), columns.MOVIE_ID)
        movie_ids = join_ids(rated, described, columns.MOVIE_ID)
        cols = IdIndex(movie_ids).positions(rated)
        matrix, rated_at = _latest(rows, cols, values, times, (len(user_ids), len(movie_ids)))
        return cls(user_ids, movie_ids, matrix, rated_at, columns.align_movies(metadata, movie_ids), threshold)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_movies(self) -> int:
        return len(self.movie_ids)

    @cached_property
    def positives(self) -> csr_matrix:
        """1.0 where the rating is a positive."""
        return positives_of(self.ratings, self.implicit_threshold)

    @cached_property
    def is_rated(self) -> Array:
        """Which movies have a rating, positive or not."""
        return np.bincount(self.ratings.indices, minlength=self.n_movies) > 0

    @cached_property
    def popularity(self) -> Array:
        """Each movie's number of positives."""
        return np.bincount(self.positives.indices, minlength=self.n_movies).astype(np.float64)

    @cached_property
    def titles(self) -> list[str]:
        return list(self.movies["title"])

    @cached_property
    def movie_features(self) -> tuple[MovieFeatures, csr_matrix]:
        """The vocabulary of the metadata and the movies' features in it, made once for the models that share them."""
        vocabulary = MovieFeatures.fit(self.movies)
        return vocabulary, vocabulary.transform(self.movies)

    @cached_property
    def rating_biases(self) -> tuple[RatingScale, float, Array]:
        scale = RatingScale.of(self.ratings.data)
        return scale, *fit_biases(self.ratings, scale)

    @cached_property
    def now(self) -> int:
        """The latest rated_at (0 where there is none) that no single wrong clock sets: at most CLOCK_LEAD_NS after the
        moment at which the CLOCK_PEOPLE-th latest of all people last rated."""
        if not len(self.rated_at):
            return 0
        latest = np.sort(np.maximum.reduceat(self.rated_at, self.ratings.indptr[:-1][np.diff(self.ratings.indptr) > 0]))
        return int(self.rated_at[self.rated_at <= latest[-CLOCK_PEOPLE:][0] + CLOCK_LEAD_NS].max())

    @property
    def has_times(self) -> bool:
        return len(self.rated_at) > 0 and bool((self.rated_at != self.rated_at[0]).any())

    def keep(self, mask: Array) -> Self:
        """The same users and movies with only the ratings where `mask` (in the order of `ratings.data`) is true."""
        return replace(self, ratings=keep_entries(self.ratings, mask), rated_at=self.rated_at[mask])

    def fingerprint(self) -> str:
        """sha256 of the content: equal for frames that differ only in row order, index or extra columns."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for ids in (self.user_ids, self.movie_ids):
            digest.update(json.dumps(ids.tolist()).encode())
        for array in (self.ratings.indptr, self.ratings.indices, self.ratings.data, self.rated_at):
            kind = np.float64 if array.dtype.kind == "f" else np.int64
            digest.update(np.ascontiguousarray(array, dtype=kind).tobytes())
        digest.update(json.dumps(self.implicit_threshold).encode())
        for name in columns.MOVIE_COLUMNS[1:]:
            values = self.movies[name]
            cells = values.astype(str).tolist() if name == columns.RELEASE_DATE else values.tolist()
            digest.update(json.dumps([name, cells]).encode())
        return digest.hexdigest()


def _latest(rows: Array, cols: Array, values: Array, times: Array, shape: tuple[int, int]) -> tuple[csr_matrix, Array]:
    """The last rating by time, then by row order, of each user and movie, as CSR with its times."""
    pairs = rows.astype(np.int64) * max(shape[1], 1) + cols
    order = np.lexsort((times, pairs))
    pairs = pairs[order]
    is_last = np.append(pairs[1:] != pairs[:-1], True) if len(pairs) else np.empty(0, dtype=bool)
    kept = order[is_last]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows[kept], minlength=shape[0]))])
    return csr_matrix((values[kept], cols[kept], indptr), shape=shape), times[kept]
