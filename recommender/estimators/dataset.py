"""The frozen container for training data."""

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
from recommender.estimators.interactions import Array, keep_entries, latest_ratings, positives_of
from recommender.estimators.lazy_pandas import pd

CLOCK_PEOPLE = 3
CLOCK_LEAD_NS = 30 * 86_400 * 10**9


@dataclass(frozen=True, eq=False)
class Dataset:
    """A frozen users x movies matrix of ratings, and movie metadata. Every recommender learns from it.

    Build it with `from_frames`.

    Attributes
    ----------
    user_ids, movie_ids : numpy.ndarray
        Sorted ids. Movies include those that occur only in the ratings or only in the metadata.
    ratings : scipy.sparse.csr_matrix of shape (users, movies)
        All ratings, stored explicitly, so that a rating of 0 also counts as seen.
    rated_at : numpy.ndarray of int64
        Nanoseconds since 1970 (UTC), for each entry of `ratings.data`.
    movies : pandas.DataFrame
        Metadata, one row per movie in the order of `movie_ids`.
    implicit_threshold : float or None
        Ratings of at least this value are positives. None makes all ratings positives.

    Examples
    --------
    >>> dataset.n_users, dataset.n_movies, dataset.ratings.nnz, dataset.positives.nnz
    (4, 5, 10, 9)
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
        """Build a dataset from data frames. If a user rated a movie repeatedly, the latest rating counts.

        Index, row order and datetime unit of the frames do not matter.

        Parameters
        ----------
        ratings
            Columns user_id, movie_id, rating (a finite number) and optionally rated_at (UTC). Rows with equal times
            keep their order.
        movies
            Columns movie_id and any of title, release_date, genres, keywords, cast, directors, countries, overview and
            language. Lists are Python lists of str. `[]`, `""`, NaN and NaT mean missing.
        implicit_threshold
            See `Dataset`.

        Returns
        -------
        Dataset
            Ids keep their type, int or str.

        Raises
        ------
        ValueError
            A column is missing or contains a value that cannot be read. The message names the column and the row.

        Examples
        --------
        >>> Dataset.from_frames(ratings).implicit_threshold is None
        True
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
        matrix, rated_at = latest_ratings(rows, cols, values, times, (len(user_ids), len(movie_ids)))
        return cls(user_ids, movie_ids, matrix, rated_at, columns.align_movies(metadata, movie_ids), threshold)

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def n_movies(self) -> int:
        """Number of movies, rated or not."""
        return len(self.movie_ids)

    @cached_property
    def positives(self) -> csr_matrix:
        """scipy.sparse.csr_matrix of shape (users, movies), with 1.0 for each positive."""
        return positives_of(self.ratings, self.implicit_threshold)

    @cached_property
    def is_rated(self) -> Array:
        """Mask of the movies with ratings of any value."""
        return np.bincount(self.ratings.indices, minlength=self.n_movies) > 0

    @cached_property
    def popularity(self) -> Array:
        """Number of positives of each movie."""
        return np.bincount(self.positives.indices, minlength=self.n_movies).astype(np.float64)

    @cached_property
    def titles(self) -> list[str]:
        """Title of each movie, empty if unknown."""
        return list(self.movies["title"])

    @cached_property
    def movie_features(self) -> tuple[MovieFeatures, csr_matrix]:
        """The metadata vocabulary and the feature matrix of the movies, computed once for all models."""
        vocabulary = MovieFeatures.fit(self.movies)
        return vocabulary, vocabulary.transform(self.movies)

    @cached_property
    def rating_biases(self) -> tuple[RatingScale, float, Array]:
        """The rating scale, the mean rating and the bias of each movie, for `predict_ratings`."""
        scale = RatingScale.of(self.ratings.data)
        return scale, *fit_biases(self.ratings, scale)

    @cached_property
    def now(self) -> int:
        """The time of the latest credible rating, or 0 without ratings.

        Sort users by the time of their last rating, latest first. Ratings more than CLOCK_LEAD_NS after the last rating
        of user number CLOCK_PEOPLE are not credible. Thus a single wrong clock cannot set this time.
        """
        if not len(self.rated_at):
            return 0
        latest = np.sort(np.maximum.reduceat(self.rated_at, self.ratings.indptr[:-1][np.diff(self.ratings.indptr) > 0]))
        return int(self.rated_at[self.rated_at <= latest[-CLOCK_PEOPLE:][0] + CLOCK_LEAD_NS].max())

    @property
    def has_times(self) -> bool:
        """Whether the ratings have more than one distinct time."""
        return len(self.rated_at) > 0 and bool((self.rated_at != self.rated_at[0]).any())

    def keep(self, mask: Array) -> Self:
        """Return a dataset with the same users and movies and only some of the ratings.

        Parameters
        ----------
        mask
            Booleans in the order of `ratings.data`, True for each rating to keep.

        Returns
        -------
        Dataset
            A new dataset. This one does not change.

        Examples
        --------
        >>> dataset.keep(dataset.ratings.data >= 4.5).ratings.nnz
        7
        """
        return replace(self, ratings=keep_entries(self.ratings, mask), rated_at=self.rated_at[mask])

    def fingerprint(self) -> str:
        """Return a checksum of the content.

        Returns
        -------
        str
            sha256 as a hex string, equal for frames that differ only in row order, index or extra columns.

        Examples
        --------
        >>> dataset.fingerprint() == Dataset.from_frames(ratings[::-1], movies, implicit_threshold=4.0).fingerprint()
        True
        """
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
