"""EASE, a linear item-item model in closed form, fitted to positives only or also to metadata and rating values.

(Steck, "Embarrassingly Shallow Autoencoders", WWW 2019.) The second model is fitted to further rows besides the
positives. With X the positives, V the residuals, F the movies' features (scaled down for movies with few positives),
D = diag(n_u^-e) the user weights, and m and r the weights of the further rows (see `item_weights`),

    P = (X' D X + r V' V + m F F' + lambda I)^-1,   B = I - P / diag(P)

Movies with few ratings thus borrow from movies with the same people, keywords and words, and movies are close if the
same people rate both higher than others do. The same weights predict stars as biases + s v B, where s is the
regression of the known residuals on v B (B has a zero diagonal, so no residual predicts itself).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix, identity

from recommender.estimators.base import Recommender
from recommender.estimators.bias import residuals
from recommender.estimators.compact import MAX_WEIGHTS, keep_largest, picked, weighted
from recommender.estimators.config import Config, count, number
from recommender.estimators.dataset import Dataset
from recommender.estimators.inner_splits import inner_splits
from recommender.estimators.interactions import Array, once, ordered_product, places_of, row_numbers, select_items
from recommender.estimators.item_weights import ItemRows, ease_weights, gram_matrix, inputs_of
from recommender.estimators.tune_items import DEFAULTS, tune_items
from recommender.estimators.validation import Holdout, best_of, modelled_movies

REGULARIZATIONS_GRID = tuple(250.0 * 2.0**step for step in range(-6, 7))  # 4 to 16,000
TUNING_MOVIES = 2000
TUNING_USERS = 2000
RATING_USERS = 2000  # enough to estimate the scale of predicted residuals
RATING_BATCH = 256
LAPACK_LIMIT = 46_000  # the square of the number of movies must fit into a 32-bit index


@dataclass(frozen=True)
class EaseConfig(Config):
    regularization: float | None = number(None, above=0)  # lambda in the paper
    # p of the denoising variant (EDLAE). Above 0, frequently rated movies are regularized more strongly.
    dropout: float = number(0.0, at_least=0, below=1)
    max_movies: int = count(20_000, at_most=LAPACK_LIMIT)  # most-rated movies kept; memory grows quadratically (1.6 GB)
    max_weights: int = count(MAX_WEIGHTS)  # mean number of weights kept per movie


class EaseRecommender(Recommender):
    """EASE on positives: score(user, movie) = sum of weights[liked, movie] over the movies that the user liked."""

    algorithm = "ease"
    config_class: ClassVar[type[Config]] = EaseConfig

    def _fit(self, dataset: Dataset) -> None:
        regularization = self.config.regularization
        if regularization is None:
            regularization = _tune_regularization(dataset, self.config.dropout, self.random_state)
            self.best_params_ = {"regularization": regularization}
        self.modelled_ = modelled_movies(dataset, self.config.max_movies, self.algorithm)
        positives = select_items(dataset.positives, self.modelled_)
        weights = ease_weights(gram_matrix(positives), regularization, self.config.dropout)
        self.weights_ = keep_largest(weights, self.config.max_weights)

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        return self._weighted(self._inputs(history), item_idx)

    def _weighted(self, inputs: csr_matrix, item_idx: Array | None) -> Array:
        """Return inputs @ weights. Movies that are not modelled get 0."""
        inputs = select_items(inputs, self.modelled_)
        if item_idx is not None and len(item_idx) * 8 < len(self.modelled_):
            return self._weighted_few(inputs, item_idx)
        scores = np.zeros((inputs.shape[0], self.n_fitted_movies_), dtype=np.float32)
        scores[:, self.modelled_] = weighted(inputs, self.weights_)
        return scores if item_idx is None else scores[:, item_idx]

    def _weighted_few(self, inputs: csr_matrix, item_idx: Array) -> Array:
        """Return the same sums for a few movies, without reading the weights of the others."""
        columns, is_modelled = places_of(item_idx, self.modelled_)
        rows = np.unique(inputs.indices)
        scores = np.zeros((inputs.shape[0], len(item_idx)), dtype=np.float32)
        scores[:, is_modelled] = ordered_product(select_items(inputs, rows), picked(self.weights_, rows, columns))
        return scores

    def _input_weights(self, rated: Array, item_idx: Array) -> Array:
        weights = np.zeros((len(rated), len(item_idx)))
        (rows, is_row), (columns, is_column) = (places_of(movies, self.modelled_) for movies in (rated, item_idx))
        weights[np.ix_(is_row, is_column)] = picked(self.weights_, rows, columns)
        return weights

    def _similarities(self, item_idx: Array) -> Array:
        rated_one = identity(self.n_fitted_movies_, dtype=np.float32, format="csr")[item_idx]
        return self._weighted(rated_one, None)


def _tune_regularization(dataset: Dataset, dropout: float, random_state: int) -> float:
    """Return the value with the best nDCG@10 on a held-out fifth of each user's ratings, for the most-rated movies.

    With few movies, a trial takes a fraction of a second. With few users, one split is too noisy, so several splits are
    averaged.
    """
    n_splits = int(np.clip(np.ceil(TUNING_USERS / max(dataset.n_users, 1)), 1, 4))
    holdouts = [Holdout.of(dataset, random_state + at, TUNING_USERS, TUNING_MOVIES) for at in range(n_splits)]
    grams = [gram_matrix(holdout.liked) for holdout in holdouts]

    def quality(regularization: float) -> float:
        if not all(holdout.answers.nnz for holdout in holdouts):
            return float("nan")
        weights = (ease_weights(gram.copy(), regularization, dropout) for gram in grams)
        pairs = zip(holdouts, weights, strict=True)
        return float(np.mean([part.quality(part.history @ of_part) for part, of_part in pairs]))

    return best_of(REGULARIZATIONS_GRID, quality)


@dataclass(frozen=True)
class MetadataEaseConfig(EaseConfig):
    """Parameters that are None are tuned on inner splits."""

    metadata_weight: float | None = number(None, at_least=0)  # m: weight of the metadata rows
    user_exponent: float | None = number(None, at_least=0)  # e: above 0, each positive of an active user counts less
    residual_weight: float | None = number(None, at_least=0)  # r: weight of rating values in the fit
    history_weight: float | None = number(None, at_least=0)  # weight of rating values in a history


class MetadataEaseRecommender(EaseRecommender):
    algorithm = "metadata_ease"
    config_class: ClassVar[type[Config]] = MetadataEaseConfig

    def _fit(self, dataset: Dataset) -> None:
        features, given = dataset.movie_features[1], {name: getattr(self.config, name) for name in DEFAULTS}
        if None in given.values():
            splits = inner_splits(dataset, "random", self.random_state)[1]
            self.best_params_ = tune_items(splits, features, given)
        parameters = given | self.best_params_
        self.history_weight_ = float(parameters["history_weight"])
        self.modelled_ = modelled_movies(dataset, self.config.max_movies, self.algorithm)
        rows = ItemRows.of(dataset, self.modelled_, features)
        self.weights_ = keep_largest(rows.weights(parameters), self.config.max_weights)
        self.residual_scale_ = _residual_scale(rows.above, self.weights_, self.random_state)

    def _inputs(self, history: csr_matrix) -> csr_matrix:
        threshold, weight = self.implicit_threshold_, self.history_weight_
        return once(history, (self, "inputs"), lambda: inputs_of(history, self._residuals(history), threshold, weight))

    def _residuals(self, history: csr_matrix) -> csr_matrix:
        return residuals(history, self._scale, self.rating_mean_, self.movie_biases_)

    def predicted_residuals(self, history: csr_matrix, item_idx: Array) -> Array:
        """Return by how many stars the users' predicted ratings of fitted movies exceed the biases."""
        return np.float32(self.residual_scale_) * self._weighted(self._residuals(history), item_idx)

    def _predict_ratings(self, history: csr_matrix, item_idx: Array) -> Array:
        stars = super()._predict_ratings(history, item_idx)
        is_fitted = item_idx < self.n_fitted_movies_
        stars[:, is_fitted] += self.predicted_residuals(history[:, : self.n_fitted_movies_], item_idx[is_fitted])
        return stars


def _residual_scale(above: csr_matrix, weights: csr_matrix, random_state: int) -> float:
    """Return the slope of known residuals on those predicted from the user's other ratings, at least 0."""
    known = np.flatnonzero(np.diff(above.indptr))
    if len(known) > RATING_USERS:
        known = np.sort(np.random.default_rng(random_state).choice(known, size=RATING_USERS, replace=False))
    both, squares = 0.0, 0.0
    for start in range(0, len(known), RATING_BATCH):
        part = above[known[start : start + RATING_BATCH]]
        predicted = weighted(part, weights)[row_numbers(part), part.indices].astype(np.float64)
        both += float(predicted @ part.data)
        squares += float(predicted @ predicted)
    return max(both / squares, 0.0) if squares > 1e-9 else 0.0
