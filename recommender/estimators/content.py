"""Movies scored from their metadata alone, so that a movie without any rating can be recommended.

The weights of an item-item model (EASE) among the most rated movies are the targets of a kernel ridge regression
from metadata. With B those weights, K = F F' the kernel of the movies' features and c any movie,

    score(user, c) = x_user (B + a I) (K + r I)^-1 F f_c

in which all but f_c is known after fit: a user becomes a vector over features, and a new movie is one row of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.linalg.lapack import spotrf, spotrs
from scipy.sparse import csr_matrix, vstack

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, check_count, check_number
from recommender.estimators.content_choice import choose_regularization
from recommender.estimators.dataset import Dataset
from recommender.estimators.ease import ease_weights, gram_matrix
from recommender.estimators.explanation import Contribution
from recommender.estimators.features import MovieFeatures, regress_on_features
from recommender.estimators.histories import map_columns
from recommender.estimators.validation import most_rated

Array = np.ndarray[Any, Any]

FEATURE_REASONS = 10
POPULARITY_REGULARIZATION = 10.0


@dataclass(frozen=True)
class ContentConfig(Config):
    regularization: float | None = None  # r of the kernel ridge; None: chosen on movies hidden from an inner fit
    item_regularization: float = 500.0  # lambda of the item-item model; quality is flat around it
    history_weight: float = 0.1  # a: how much liked movies count by their own metadata
    max_movies: int = 5000  # the most rated movies that are learnt from: memory grows with its square (100 MB)

    def __post_init__(self) -> None:
        if self.regularization is not None:
            check_number("regularization", self.regularization, above=0)
        check_number("item_regularization", self.item_regularization, above=0)
        check_number("history_weight", self.history_weight, at_least=0)
        check_count("max_movies", self.max_movies)


class ContentRecommender(Recommender):
    algorithm = "content"
    config_class: ClassVar[type[Config]] = ContentConfig
    scores_new_movies = True
    uses_metadata = True

    def _fit(self, dataset: Dataset) -> None:
        vocabulary, features = dataset.movie_features
        config = self.config
        regularization = config.regularization
        if regularization is None:
            regularization = choose_regularization(
                dataset, features, config.item_regularization, config.history_weight, self.random_state
            )
            self.chosen_ = {"regularization": regularization}
        self.feature_names_ = [list(name) for name in vocabulary.names]
        self.token_weights_ = vocabulary.token_weights
        self.features_ = features
        self.modelled_ = most_rated(dataset, self.config.max_movies)
        self.modelled_features_ = features[self.modelled_]
        weights = ease_weights(gram_matrix(map_columns(dataset.positives, self.modelled_)), config.item_regularization)
        weights[np.diag_indices_from(weights)] += config.history_weight
        self.weights_ = ridge_dual(self.modelled_features_, weights.T, regularization).T
        rated = np.flatnonzero(dataset.is_rated)
        share = np.log1p(dataset.popularity[rated]) / np.log1p(dataset.popularity.max())
        self.share_mean_, self.share_weights_ = regress_on_features(features[rated], share, POPULARITY_REGULARIZATION)

    def _score_history(self, history: csr_matrix, columns: Array | None) -> Array:
        liked = map_columns(self._positives(history), self.modelled_)
        features = self.features_ if columns is None else self.features_[columns]
        if features.shape[0] < liked.shape[0]:
            wanted = (self.modelled_features_ @ features.T).toarray()
            few: Array = liked @ (self.weights_ @ wanted)
            return few
        scores: Array = (features @ self._user_features(liked).T).T
        return scores

    def _user_features(self, liked: csr_matrix) -> Array:
        """What each user likes, as weights over the features (users, features)."""
        users: Array = (self.modelled_features_.T @ (liked @ self.weights_).T).T
        return users

    def _similarities(self, columns: Array) -> Array:
        """Cosine of the metadata."""
        return feature_cosines(self.features_, columns)

    def feature_shares(self, history: csr_matrix, column: int) -> list[tuple[str, str, float]]:
        """(kind, token, part) of one user's score of a movie, greatest first; all parts sum to the score."""
        user = self._user_features(map_columns(self._positives(history), self.modelled_))[0]
        row = self.features_[column]
        parts = row.data * user[row.indices]
        order = np.argsort(-np.abs(parts), kind="stable")[:FEATURE_REASONS]
        return [(*self.feature_names_[row.indices[at]], float(parts[at])) for at in order if parts[at]]

    def _feature_contributions(self, history: csr_matrix, column: int) -> list[Contribution]:
        return [
            Contribution("feature", f"{kind}:{token}", f"{kind}: {token}", part)
            for kind, token, part in self.feature_shares(history, column)
        ]

    def _add_movies(self, movies: pd.DataFrame, columns: Array) -> None:
        rows = MovieFeatures(self.feature_names_, self.token_weights_).transform(movies)
        n_before = self.features_.shape[0]
        place = np.arange(len(self.movie_ids_))
        place[columns] = n_before + np.arange(len(columns))
        self.features_ = vstack([self.features_, rows], format="csr")[place]

    @cached_property
    def _prior_share(self) -> Array:
        """For movies without ratings what their metadata lets expect, so that an empty history has an order."""
        share = np.array(super()._prior_share)
        new = np.flatnonzero(~self.is_rated_)
        expected = self.share_mean_ + self.features_[new] @ self.share_weights_
        share[new] = np.expm1(np.clip(expected, 0, 1) * np.log1p(self.popularity_.max())) / self.popularity_.max()
        return share


def ridge_dual(features: csr_matrix, targets: Array, regularization: float) -> Array:
    """(F F' + regularization I)^-1 targets, by Cholesky in float32."""
    kernel = np.asfortranarray((features @ features.T).toarray(), dtype=np.float32)
    kernel[np.diag_indices_from(kernel)] += regularization
    factor, failed = spotrf(kernel, lower=1, overwrite_a=1)
    if failed:
        raise ValueError(f"regularization: {regularization} is too small for the metadata (LAPACK says {failed})")
    solution: Array = spotrs(factor, np.asfortranarray(targets, dtype=np.float32), lower=1, overwrite_b=1)[0]
    return solution


def feature_cosines(features: csr_matrix, columns: Array) -> Array:
    length = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    length[length == 0] = 1
    cosines: Array = (features[columns] @ features.T).toarray() / length[columns][:, None] / length
    return cosines
