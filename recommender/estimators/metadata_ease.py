"""EASE that learns from metadata and from rating values too, as further rows beside the users' positives.

With X the positives, V the residuals, F the movies' features (less of movies with few positives), D = diag(n_u^-e)
the users' weights, and m and r the weights of the further rows (see `item_rows`),

    P = (X' D X + r V' V + m F F' + lambda I)^-1,   B = I - P / diag(P)

so that movies that few people rated borrow from movies with the same people, keywords and words, and movies that the
same people like better than others do are near. The same weights predict stars: biases + s v B, where s is the
regression of the known residuals on v B (B has no diagonal, so none of them predicts itself).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.bias import residuals
from recommender.estimators.config import Config, check_number
from recommender.estimators.dataset import Dataset
from recommender.estimators.ease import EaseConfig, EaseRecommender, ease_weights
from recommender.estimators.inner_splits import inner_splits
from recommender.estimators.interactions import Array, row_numbers
from recommender.estimators.item_rows import ItemRows, inputs_of
from recommender.estimators.tune_items import DEFAULTS, tune_items
from recommender.estimators.validation import modelled_movies

RATING_USERS = 2000  # are enough to tell the scale of predicted residuals
RATING_BATCH = 256


@dataclass(frozen=True)
class MetadataEaseConfig(EaseConfig):
    """None: chosen on an inner split."""

    metadata_weight: float | None = None  # m
    user_exponent: float | None = None  # e: above 0, users with many positives count less for each
    residual_weight: float | None = None  # r
    history_weight: float | None = None  # how much a residual counts in the history that is scored

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("metadata_weight", "user_exponent", "residual_weight", "history_weight"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), at_least=0)


class MetadataEaseRecommender(EaseRecommender):
    algorithm = "metadata_ease"
    config_class: ClassVar[type[Config]] = MetadataEaseConfig
    uses_metadata = True

    def _fit(self, dataset: Dataset) -> None:
        features = dataset.movie_features[1]
        given = {name: getattr(self.config, name) for name in DEFAULTS}
        if None in given.values():
            splits = inner_splits(dataset, "random", self.random_state)[1]
            self.best_params_ = tune_items(splits, features, given)
        parameters = given | self.best_params_
        self.history_weight_ = float(parameters["history_weight"])
        self.modelled_ = modelled_movies(dataset, self.config.max_movies, self.algorithm)
        rows = ItemRows.of(dataset, self.modelled_, features)
        self.weights_ = ease_weights(rows.gram(parameters), parameters["regularization"], parameters["dropout"])
        self.residual_scale_ = _residual_scale(rows.above, self.weights_, self.random_state)

    def _inputs(self, history: csr_matrix) -> csr_matrix:
        return inputs_of(history, self._residuals(history), self.implicit_threshold_, self.history_weight_)

    def _residuals(self, history: csr_matrix) -> csr_matrix:
        return residuals(history, self._scale, self.rating_mean_, self.movie_biases_)

    def predicted_residuals(self, history: csr_matrix, item_idx: Array) -> Array:
        """By how many stars more than the biases say these users would rate those movies of fit."""
        return np.float32(self.residual_scale_) * self._weighted(self._residuals(history), item_idx)

    def _predict_ratings(self, history: csr_matrix, item_idx: Array) -> Array:
        stars = super()._predict_ratings(history, item_idx)
        is_fitted = item_idx < self.n_fitted_movies_
        stars[:, is_fitted] += self.predicted_residuals(history[:, : self.n_fitted_movies_], item_idx[is_fitted])
        return stars


def _residual_scale(above: csr_matrix, weights: Array, random_state: int) -> float:
    """The regression of known residuals on those predicted from the user's others; never below 0."""
    known = np.flatnonzero(np.diff(above.indptr))
    if len(known) > RATING_USERS:
        known = np.sort(np.random.default_rng(random_state).choice(known, size=RATING_USERS, replace=False))
    both, squares = 0.0, 0.0
    for start in range(0, len(known), RATING_BATCH):
        part = above[known[start : start + RATING_BATCH]]
        predicted = (part @ weights)[row_numbers(part), part.indices].astype(np.float64)
        both += float(predicted @ part.data)
        squares += float(predicted @ predicted)
    return max(both / squares, 0.0) if squares > 1e-9 else 0.0
