"""The state common to all fitted recommenders: users, movies, ratings and the position of each id."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators import interactions as matrices
from recommender.estimators.bias import RatingScale
from recommender.estimators.dataset import Dataset
from recommender.estimators.ids import IdArray, IdIndex, id_array
from recommender.estimators.interactions import Array, HistoryRows, once, positives_of

History = Mapping[Any, float]

LIKENESS_USERS = 2048  # enough to tell which movies share an audience, for any number of users


class LikenessRows:
    """Computes products of one row with all rows. They equal the full matrix product to the last bit."""

    def __init__(self, rows: csr_matrix) -> None:
        self._rows = rows

    def __getitem__(self, place: int) -> Array:
        return np.asarray(matrices.products_of_rows(self._rows, [place])[0])


class FittedData:
    """The fitted state shared by all models, and look-ups built from it on first use."""

    # Attributes that are neither fitted state (`..._`) nor a cache. A second fit keeps them.
    PARAMETERS = ("config", "random_state")

    def _require_fit(self) -> None:
        if not hasattr(self, "best_params_"):
            raise RuntimeError(f"{type(self).__name__} has not learnt anything yet: call fit first")

    def _learn_data(self, dataset: Dataset) -> None:
        self.user_ids_ = dataset.user_ids
        self.movie_ids_ = dataset.movie_ids
        self.n_fitted_movies_ = dataset.n_movies
        self.is_rated_ = dataset.is_rated
        self.titles_ = dataset.titles
        self.interactions_ = dataset.ratings
        self.implicit_threshold_ = dataset.implicit_threshold
        self.data_fingerprint_ = dataset.fingerprint()
        self.popularity_ = dataset.popularity
        scale, self.rating_mean_, self.movie_biases_ = dataset.rating_biases
        self.rating_scale_ = list(astuple(scale))

    def _forget(self, *, fitted: bool) -> None:
        """Drop the caches and, with `fitted`, the fitted state."""
        for name in list(vars(self)):
            if name not in self.PARAMETERS and (fitted or not name.endswith("_")):
                delattr(self, name)

    def _extend(self, new: IdArray) -> None:
        if len(new):
            kind = np.int64 if self.movie_ids_.dtype == new.dtype == np.int64 else object
            self.movie_ids_ = np.concatenate([self.movie_ids_.astype(kind), new.astype(kind)])
        self.titles_ = [*self.titles_, *[""] * len(new)]
        self.is_rated_ = np.append(self.is_rated_, np.zeros(len(new), dtype=bool))
        self.popularity_ = np.append(self.popularity_, np.zeros(len(new)))
        self.movie_biases_ = np.append(self.movie_biases_, np.zeros(len(new)))
        self.interactions_ = matrices.resized(self.interactions_, len(self.movie_ids_))

    def _positives(self, history: csr_matrix) -> csr_matrix:
        threshold = self.implicit_threshold_
        return once(history, ("positives", threshold), lambda: positives_of(history, threshold))

    def _item_idx(self, movie_ids: Iterable[Any], name: str) -> Array:
        return matrices.item_positions(self._movies, id_array(movie_ids, name), name)

    def _candidate_idx(self, candidates: Iterable[Any]) -> Array:
        is_candidate = np.zeros(len(self.movie_ids_), dtype=bool)
        is_candidate[self._item_idx(candidates, "candidates")] = True
        return self._id_order[is_candidate[self._id_order]]

    def _excluded(self, exclude: Sequence[Iterable[Any]] | None, n_users: int) -> list[Array] | None:
        if exclude is None:
            return None
        sets = list(exclude)
        if len(sets) != n_users:
            raise ValueError(f"exclude: expected one set of movie ids for each of {n_users} users, got {len(sets)}")
        return [self._item_idx(ids, "exclude") for ids in sets]

    def _history_of(self, user_ids: IdArray) -> csr_matrix:
        """Return the users' ratings from `fit`. Unknown users get an empty row."""
        rows = self._users.positions(user_ids)
        return matrices.take_rows(self.interactions_, rows)

    def history_row(self, history: History | HistoryRows) -> HistoryRows:
        """Return the history as a matrix row. Methods accept it in place of a history, so that it is parsed once."""
        return history if isinstance(history, HistoryRows) else self._from_mappings([history])

    def _from_mappings(self, histories: Sequence[History]) -> HistoryRows:
        if isinstance(histories, (Mapping, str)):
            raise ValueError("histories: expected a list of {movie_id: rating}, one a user")
        return matrices.from_mappings(self._movies, list(histories), len(self.movie_ids_))

    def likeness(self, movie_ids: Iterable[Any]) -> Array:
        """Return the pairwise likeness, 0 to 1, of the movies (movies, movies). Fast for the length of a list."""
        rows = self._likeness_rows[self._item_idx(movie_ids, "movie_ids")]
        return np.asarray((rows @ rows.T).toarray())

    def likeness_rows(self, movie_ids: Iterable[Any]) -> LikenessRows:
        """Return `likeness` with rows computed on access, for callers that read only few of them."""
        return LikenessRows(self._likeness_rows[self._item_idx(movie_ids, "movie_ids")])

    def _likeness_to_all(self, item_idx: Array) -> Array:
        """Return the likeness of a few movies to all movies (item_idx, movies)."""
        return matrices.products_of_rows(self._likeness_rows, item_idx)

    def fame(self, movie_ids: Iterable[Any]) -> Array:
        """Return how well known each movie is, on a log scale: 0 without positives, 1 for the most popular movie."""
        known = np.log1p(self.popularity_[self._item_idx(movie_ids, "movie_ids")])
        return np.asarray(known / max(float(np.log1p(self.popularity_.max())), 1.0))

    def relevance(self, scores: Array) -> Array:
        """Return the relative relevance, at least 0, of each movie of a list. `scores` must be descending."""
        return np.asarray(scores - scores[-1])

    @cached_property
    def _users(self) -> IdIndex:
        self._require_fit()
        return IdIndex(self.user_ids_)

    @cached_property
    def _movies(self) -> IdIndex:
        self._require_fit()
        return IdIndex(self.movie_ids_)

    @cached_property
    def _id_order(self) -> Array:
        """Positions sorted by movie id. `with_movies` appends movies, so positions are not always sorted."""
        return np.argsort(self.movie_ids_, kind="stable")

    @cached_property
    def _rated_idx(self) -> Array:
        return self._id_order[self.is_rated_[self._id_order]]

    @cached_property
    def _prior_share(self) -> Array:
        """Each movie's positives divided by those of the most popular movie."""
        return np.asarray(self.popularity_ / max(float(self.popularity_.max()), 1.0))

    @cached_property
    def _positives_by_movie(self) -> csr_matrix:
        return matrices.resized(self._positives(self.interactions_), self.n_fitted_movies_).T.tocsr()

    @cached_property
    def _likeness_rows(self) -> csr_matrix:
        """Unit rows of each movie's raters. Their dot products are the likenesses."""
        return self._raters(LIKENESS_USERS)

    def _raters(self, n_users: int) -> csr_matrix:
        """Return unit rows of each movie's raters, from an even sample of at most `n_users` users."""
        sampled = self.interactions_[:: max(1, -(-len(self.user_ids_) // n_users))]
        rated = matrices.with_values(sampled, np.ones(sampled.nnz, dtype=np.float32))
        return matrices.unit_rows(rated.T.tocsr())

    @cached_property
    def _scale(self) -> RatingScale:
        return RatingScale(*self.rating_scale_)
