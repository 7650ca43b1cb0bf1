"""Scores of a fitted model, predicted ratings and similar movies.

A score does not depend on the other users and movies in a call, so a list and its explanation agree to the last bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.attribution import Attributing
from recommender.estimators.bias import user_biases
from recommender.estimators.fitted_data import History
from recommender.estimators.ids import IdArray, id_array
from recommender.estimators.interactions import Array, products_of_rows, resized
from recommender.estimators.lazy_pandas import pd
from recommender.estimators.ranking import (
    BATCH_USERS,
    EXCLUDED,
    SCORE_BITS,
    Scoring,
    check_k,
    list_frame,
    round_scores,
    top_k,
)


class Scorer(Attributing, ABC):
    """The scoring part of the base class. A model implements `_score_history` and may override other defaults."""

    scores_new_movies: ClassVar[bool] = False
    # Weight of the popularity prior. A movie's positives divided by those of the most popular movie, times this weight,
    # are added to each score. Thus an empty history gives a ranking by popularity, and popularity breaks ties.
    popularity_prior: ClassVar[float] = 1e-6
    score_bits: ClassVar[int] = SCORE_BITS

    @abstractmethod
    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        """Return finite scores (users, len(item_idx)) for rows of ratings. `item_idx` None means all movies.

        A score must not depend, to the last bit, on other users and movies in the call. Elementwise arithmetic and
        `ordered_product` guarantee this, but BLAS does not. If `scores_new_movies` is set, positions refer to
        `movie_ids_`. Otherwise they refer to the fitted movies only, and the history contains no others.
        """

    def _similarities(self, item_idx: Array) -> Array:
        """Return similarities (len(item_idx), movies). The default is the cosine of the users who liked each movie."""
        by_movie = self._positives_by_movie
        together = products_of_rows(by_movie, item_idx).astype(np.float64)
        norms = np.sqrt(np.maximum(np.diff(by_movie.indptr), 1.0))
        return np.asarray(together / norms[item_idx][:, None] / norms)

    def _predict_ratings(self, history: csr_matrix, item_idx: Array) -> Array:
        """Return predicted stars (users, len(item_idx)), unclipped. The default is mean + user bias + movie bias."""
        of_users = user_biases(history, self._scale, self.rating_mean_, self.movie_biases_)
        return np.asarray(self.rating_mean_ + of_users[:, None] + self.movie_biases_[item_idx])

    def score_candidates(self, user_ids: Iterable[Any], movie_ids: Iterable[Any]) -> Array:
        """Score every given movie for every given user.

        No movie is excluded and all scores are finite. Scores rank the movies of one user; their unit depends on the
        algorithm.

        Parameters
        ----------
        user_ids
            Users. Users unknown to `fit` are scored with an empty history.
        movie_ids
            Movies that the model knows from `fit` or `with_movies`.

        Returns
        -------
        numpy.ndarray of shape (users, movies)
            A score for each pair, in the order given.

        Raises
        ------
        ValueError
            A movie is unknown, or an argument is not a flat list of ids.

        Examples
        --------
        >>> model.score_candidates(["ann", "cleo"], [3, 5]).round(2)
        array([[0.4 , 0.  ],
               [0.  , 0.67]])
        """
        return self._in_batches(user_ids, movie_ids, self._scores)

    def predict_ratings(self, user_ids: Iterable[Any], movie_ids: Iterable[Any]) -> Array:
        """Predict the ratings that users would give, in stars.

        By default mean + user bias + movie bias (Koren, Bell and Volinsky, "Matrix factorization techniques for
        recommender systems", 2009, equation 3); `ease` and `hybrid` add their own terms.

        Parameters
        ----------
        user_ids
            Users. Users unknown to `fit` get the prediction for an average user.
        movie_ids
            Movies that the model knows.

        Returns
        -------
        numpy.ndarray of shape (users, movies)
            Stars on the 0.5-5 scale, clipped to the range of the fitted ratings.

        Raises
        ------
        ValueError
            A movie is unknown, or an argument is not a flat list of ids.

        Examples
        --------
        >>> model.predict_ratings(["ann"], [3, 4]).round(1)
        array([[4.5, 4.5]])
        """
        stars = self._in_batches(user_ids, movie_ids, self._predict_ratings)
        return self._scale.clip(stars)

    def score_histories(self, histories: Sequence[History], movie_ids: Iterable[Any]) -> tuple[Array, Array, Array]:
        """Score movies and predict ratings for users who need not be known.

        Parameters
        ----------
        histories
            One {movie_id: rating} per user.
        movie_ids
            Movies that the model knows.

        Returns
        -------
        tuple of numpy.ndarray
            Scores (users, movies), predicted stars (users, movies), and each user's mean rating in stars (users,).

        Raises
        ------
        ValueError
            A movie is unknown, or `histories` is not a list of mappings.

        Examples
        --------
        >>> scores, stars, means = model.score_histories([{1: 5.0}, {4: 4.0}], [2, 5])
        >>> scores.shape, stars.shape, means.shape
        ((2, 2), (2, 2), (2,))
        """
        history, item_idx = self._from_mappings(histories), self._item_idx(movie_ids, "movie_ids")
        stars = self._scale.clip(self._predict_ratings(history, item_idx))
        means = self.rating_mean_ + user_biases(history, self._scale, self.rating_mean_, self.movie_biases_)
        return self._scores(history, item_idx), stars, np.asarray(means)

    def _in_batches(self, user_ids: Iterable[Any], movie_ids: Iterable[Any], compute: Scoring) -> Array:
        history = self._history_of(id_array(user_ids, "user_ids"))
        item_idx = self._item_idx(movie_ids, "movie_ids")
        result = np.empty((history.shape[0], len(item_idx)))
        if len(item_idx):
            for start in range(0, history.shape[0], BATCH_USERS):
                result[start : start + BATCH_USERS] = compute(history[start : start + BATCH_USERS], item_idx)
        return result

    def _scores(self, history: csr_matrix, item_idx: Array) -> Array:
        """Return float64 scores of any known movies, with the popularity prior, checked to be finite."""
        compute = self._score_history if self.scores_new_movies else self._score_fitted
        everything = len(item_idx) == len(self.movie_ids_) and bool((item_idx == np.arange(len(item_idx))).all())
        scores = round_scores(compute(history, None if everything else item_idx), self.score_bits)
        if self.popularity_prior:
            scores += self.popularity_prior * self._prior_share[item_idx]
        if not np.isfinite(scores).all():
            raise FloatingPointError(f"{type(self).__name__}: a score is not finite")
        return scores

    def _score_fitted(self, history: csr_matrix, item_idx: Array | None) -> Array:
        """Return scores from a model that cannot score new movies, which get the user's lowest score."""
        history = resized(history, self.n_fitted_movies_)
        if item_idx is None:
            item_idx = np.arange(len(self.movie_ids_))
        is_new = ~self.is_rated_[item_idx]
        if not is_new.any():
            everything = len(item_idx) == self.n_fitted_movies_ == self.is_rated_.sum()
            return self._score_history(history, None if everything else item_idx)
        scores = self._score_history(history, None)
        lowest = scores[:, self.is_rated_[: self.n_fitted_movies_]].min(axis=1)
        result = np.repeat(lowest[:, None], len(item_idx), axis=1)
        result[:, ~is_new] = scores[:, item_idx[~is_new]]
        return result

    def similar(self, movie_ids: Iterable[Any], k: int = 10) -> pd.DataFrame:
        """List the movies most similar to each given movie.

        The similarity is the cosine of the movies' positives (Sarwar and others, "Item-based collaborative filtering
        recommendation algorithms", 2001), unless the algorithm defines its own measure.

        Parameters
        ----------
        movie_ids
            Movies that the model knows. Repeated ids count once.
        k
            Length of each list, 1 or more.

        Returns
        -------
        pandas.DataFrame
            movie_id, similar_id, score and rank (from 1). A movie is never similar to itself.

        Raises
        ------
        ValueError
            A movie is unknown, or `k` is not a whole number of 1 or more.

        Examples
        --------
        >>> model.similar([2], k=2)[["similar_id", "rank"]]
           similar_id  rank
        0           1     1
        1           3     2
        """
        k = check_k(k)
        item_idx = pd.unique(self._item_idx(movie_ids, "movie_ids"))
        lists = [self._similar(int(column), k) for column in item_idx]
        picked, scores = [best for best, _ in lists], [scores for _, scores in lists]
        frame = list_frame(self.movie_ids_[item_idx], self.movie_ids_, picked, scores)
        return frame.set_axis(["movie_id", "similar_id", "score", "rank"], axis=1)

    def similar_to(self, movie_id: Any, k: int = 10) -> tuple[IdArray, Array]:
        """List the movies most similar to one movie, without the overhead of a data frame.

        Parameters
        ----------
        movie_id
            A movie that the model knows.
        k
            Length of the list, 1 or more.

        Returns
        -------
        tuple of numpy.ndarray
            Ids of at most k movies, best first, and their similarity scores.

        Raises
        ------
        ValueError
            The movie is unknown, or `k` is not a whole number of 1 or more.

        Examples
        --------
        >>> ids, scores = model.similar_to(2, k=2)
        >>> ids.tolist()
        [1, 3]
        """
        [column] = self._item_idx([movie_id], "movie_ids")
        picked, scores = self._similar(int(column), check_k(k))
        return self.movie_ids_[picked], scores

    def _similar(self, column: int, k: int) -> tuple[Array, Array]:
        """Return the positions of the most similar movies, and their scores."""
        candidates = self._id_order if self.scores_new_movies else self._rated_idx
        line = round_scores(self._similarity(column)[candidates], self.score_bits)
        line += self.popularity_prior * self._prior_share[candidates]
        line[candidates == column] = EXCLUDED
        best = top_k(line, k)
        return candidates[best], line[best]

    def _similarity(self, column: int) -> Array:
        n_modelled = len(self.movie_ids_) if self.scores_new_movies else self.n_fitted_movies_
        line = np.zeros(len(self.movie_ids_))
        if column < n_modelled:
            line[:n_modelled] = self._similarities(np.array([column]))[0]
        return line
