"""Scores movies from their metadata only, so that movies without ratings can be recommended.

The weights of an item-item model (EASE) among the most rated movies are the targets of a kernel ridge regression from
metadata (see `metadata_regression`). With B these weights and k the kernel between a movie and the training movies,

    score(user, movie) = x_user (B + a I) (K + R)^-1 k

Only k depends on the movie. `right_` is the product of all factors before k except x_user, and a movie's vector is
`right_` k. If these vectors would take too much memory, they are reduced to a few numbers, and x_user is multiplied by
`left_` first. Vectors are stored as integers (see `compact`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix, vstack

from recommender.estimators.base import Recommender
from recommender.estimators.compact import RoundedColumns, add_weighted_rows, taken_rows
from recommender.estimators.config import Config, count, number
from recommender.estimators.dataset import Dataset
from recommender.estimators.explaining import Contribution
from recommender.estimators.features import MovieFeatures, named_tokens, shared_features
from recommender.estimators.interactions import (
    Array,
    as_sparse,
    once,
    ordered_product,
    places_of,
    select_items,
    unit_rows,
    with_values,
)
from recommender.estimators.item_weights import ease_weights, gram_matrix
from recommender.estimators.memory import forget_pages
from recommender.estimators.metadata_regression import BLOCK, Ridge, factorize, kernel, noise, regress_on_features
from recommender.estimators.movie_table import MovieTable
from recommender.estimators.tune_content import tune_content
from recommender.estimators.validation import modelled_movies

logger = logging.getLogger(__name__)

FEATURE_REASONS = 10
SCORED_AT_ONCE = 4096  # movies without vectors that are scored at a time; bounds the memory of their kernel rows
POPULARITY_REGULARIZATION = 10.0
N_FACTORS = 256
# Factors on the weights of the kinds of metadata. A kernel multiplies agreements, so broad kinds need more weight and
# narrow ones less than in a sum. Tuned on other random draws of hidden movies than those reported.
KIND_WEIGHTS = {"genre": 2.0, "year": 2.0, "cast": 0.45, "director": 2.0, "overview": 0.5}
TUNED = ("regularization", "steepness")


@dataclass(frozen=True)
class ContentConfig(Config):
    regularization: float | None = number(None, above=0)  # of the kernel ridge regression; tuned on hidden movies
    steepness: float | None = number(None, above=0)  # how strongly agreement in many kinds of features counts
    item_regularization: float = number(500.0, above=0)  # of the item-item model; has little effect on quality
    history_weight: float = number(0.1, at_least=0)  # weight of the metadata of liked movies
    max_movies: int = count(5000)  # most rated movies to learn from; memory grows quadratically (100 MB)
    # Memory for the vectors of other movies. Beyond it, they are reduced to N_FACTORS numbers.
    max_vectors_mb: float = number(128.0, at_least=0)


class ContentRecommender(Recommender):
    algorithm = "content"
    config_class: ClassVar[type[Config]] = ContentConfig
    scores_new_movies = True
    vector_scales_ = np.empty((1, 0), dtype=np.float32)  # default for older artefacts, which are not rounded
    added_ = np.empty(0, dtype=np.int64)  # empty before `with_movies`
    added_vectors_, added_scales_ = np.empty((0, 0), dtype=np.int16), np.empty((1, 0), dtype=np.float32)

    def _fit(self, dataset: Dataset) -> None:
        vocabulary, features = dataset.movie_features
        self.feature_names_ = [list(name) for name in vocabulary.names]
        self.token_weights_ = vocabulary.token_weights
        self.features_ = self._weighted(features)
        config = self.config
        parameters = {name: getattr(config, name) for name in TUNED}
        if None in parameters.values():
            weights_of = partial(_item_weights, config=config)
            tuned = tune_content(dataset, self.features_, weights_of, parameters, self.random_state)
            self.best_params_ = {name: tuned[name] for name in TUNED if parameters[name] is None}
            parameters = tuned
        self.steepness_ = float(parameters["steepness"])
        self.modelled_ = modelled_movies(dataset, config.max_movies, self.algorithm)
        self.modelled_features_ = self.features_[self.modelled_]
        weights = _item_weights(select_items(dataset.positives, self.modelled_), config)
        self._learn_kernel(weights, noise(dataset.popularity[self.modelled_], parameters["regularization"]))
        self.keep_vectors(~np.isin(np.arange(dataset.n_movies), self.modelled_))
        rated = np.flatnonzero(dataset.is_rated)
        share = np.log1p(dataset.popularity[rated]) / np.log1p(dataset.popularity.max())
        self.share_mean_, self.share_weights_ = regress_on_features(
            self.features_[rated], share, POPULARITY_REGULARIZATION
        )

    def _weighted(self, features: csr_matrix, power: float = 0.5) -> csr_matrix:
        """Return the features with each block scaled by its relevance to likes (KIND_WEIGHTS)."""
        weights = np.array([KIND_WEIGHTS.get(kind, 1.0) for kind, _ in self.feature_names_], dtype=np.float32)
        return with_values(features, features.data * (weights**power)[features.indices])

    @cached_property
    def _metadata_rows(self) -> csr_matrix:
        """Return unit rows for comparing movies, without the weights for predicting likes."""
        return unit_rows(self._weighted(self.features_, -0.5))

    def _learn_kernel(self, weights: Array, of_movies: Array) -> None:
        """Set `right_` and `left_`. `left_` is empty if vectors are not reduced."""
        among = kernel(self.modelled_features_, self.modelled_features_, self.steepness_)
        n_others = self.features_.shape[0] - len(among)
        is_small = n_others * len(among) * np.dtype(np.int16).itemsize <= self.config.max_vectors_mb * 1e6
        if is_small or len(among) <= N_FACTORS:
            self.left_ = np.empty((0, 0), dtype=np.float32)
            self.right_ = Ridge(among, of_movies).solve(weights.T).T
            return
        logger.info("content: cutting the vectors of %d movies to %d numbers to save memory", n_others, N_FACTORS)
        self.left_, self.right_ = factorize(weights, among, of_movies, N_FACTORS, self.random_state)

    def keep_vectors(self, is_kept: Array) -> None:
        """Compute the vectors of these movies now, one per column. Other movies are scored without vectors."""
        self.kept_ = np.flatnonzero(is_kept)
        self.vectors_, self.vector_scales_ = self._vectors(self.features_[self.kept_], np.float32)

    def _vectors(self, features: csr_matrix, precision: type[np.floating[Any]]) -> RoundedColumns:
        vectors = np.empty((len(self.right_), features.shape[0]), dtype=np.float32)
        for start in range(0, features.shape[0], BLOCK):
            rows = features[start : start + BLOCK]
            alike = kernel(rows, self.modelled_features_, self.steepness_).T.astype(precision, copy=False)
            for at in range(0, len(vectors), BLOCK):
                right = self.right_[at : at + BLOCK].astype(precision, copy=False)
                vectors[at : at + BLOCK, start : start + BLOCK] = right @ alike
        forget_pages(self.right_)  # lists rarely read it
        return RoundedColumns.of(vectors)

    @cached_property
    def _place(self) -> Array:
        """Position of each movie's vector, with those from fit before those added later; -1 without one."""
        place = np.full(len(self.movie_ids_), -1, dtype=np.int64)
        place[self.kept_] = np.arange(len(self.kept_))
        place[self.added_] = len(self.kept_) + np.arange(len(self.added_))
        return place

    def _columns(self, place: Array) -> Iterator[tuple[RoundedColumns, Array, Array]]:
        """Yield the vectors from fit and those added later, each with a mask of `place` and the positions in it."""
        n_kept = len(self.kept_)
        of_fit, is_of_fit = RoundedColumns(self.vectors_, self.vector_scales_), place < n_kept
        if is_of_fit.any():
            yield of_fit, is_of_fit, place[is_of_fit]
        if not is_of_fit.all():
            added = RoundedColumns(self.added_vectors_, self.added_scales_)
            yield added, ~is_of_fit, place[~is_of_fit] - n_kept

    def _tastes(self, history: csr_matrix) -> Array | csr_matrix:
        """Return the users' factor of the scores: their liked movies (sparse), or a short vector per user."""

        def tastes() -> Array | csr_matrix:
            liked = select_items(self._positives(history), self.modelled_)
            return liked @ self.left_ if self.left_.size else liked

        return once(history, (self, "tastes"), tastes)

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        item_idx = np.arange(len(self.movie_ids_)) if item_idx is None else item_idx
        tastes = self._tastes(history)
        place = self._place[item_idx]
        has_vector = place >= 0
        if has_vector.all():
            return self._score_kept(tastes, place)
        scores = np.empty((history.shape[0], len(item_idx)), dtype=np.float32)
        scores[:, has_vector] = self._score_kept(tastes, place[has_vector])
        known = self._known(tastes)
        others = np.flatnonzero(~has_vector)
        for start in range(0, len(others), SCORED_AT_ONCE):
            at = others[start : start + SCORED_AT_ONCE]
            scores[:, at] = self._score_features(known, self.features_[item_idx[at]])
        return scores

    def _known(self, tastes: Array | csr_matrix) -> Array:
        """Return the product of all factors before k in the users' scores."""
        if not isinstance(tastes, csr_matrix):
            return ordered_product(tastes, self.right_)
        liked = np.unique(tastes.indices)
        return ordered_product(select_items(tastes, liked), self.right_[liked])

    def _score_kept(self, tastes: Array | csr_matrix, place: Array) -> Array:
        rows = tastes if isinstance(tastes, csr_matrix) else as_sparse(tastes)
        scores = np.empty((rows.shape[0], len(place)), dtype=np.float32)
        for vectors, is_theirs, at in self._columns(place):
            scores[:, is_theirs] = vectors.weighted(rows)[:, at]
        return scores

    def _score_features(self, known: Array, features: csr_matrix) -> Array:
        """Return the scores of any movies from their features, without stored vectors."""
        return ordered_product(known, kernel(self.modelled_features_, features, self.steepness_))

    def _input_weights(self, rated: Array, item_idx: Array) -> Array:
        rows, is_row = places_of(rated, self.modelled_)
        place = self._place[item_idx]
        kept = place >= 0
        weights = np.zeros((len(rated), len(item_idx)))
        left = self.left_[rows] if self.left_.size else None
        for vectors, is_theirs, at in self._columns(place[kept]):
            columns = vectors.at(rows if left is None else np.arange(len(self.right_)), at)
            weights[np.ix_(is_row, np.flatnonzero(kept)[is_theirs])] = columns if left is None else left @ columns
        if not kept.all():
            right = self.right_[rows] if left is None else left @ self.right_
            alike = kernel(self.modelled_features_, self.features_[item_idx[~kept]], self.steepness_)
            weights[np.ix_(is_row, ~kept)] = right @ alike
        return weights

    def _metadata_likeness(self, column: int) -> Array:
        return np.asarray(self._metadata_rows @ self._metadata_rows[column].toarray()[0])

    def _similarities(self, item_idx: Array) -> Array:
        """Return the cosine of the metadata."""
        return self._likeness_to_all(item_idx)

    def _feature_contributions(self, history: csr_matrix, item_idx: Array) -> list[list[Contribution]]:
        """Return the drop in the score of each movie without each token, largest first."""
        known = self._known(self._tastes(history))[0]
        return [self._lost_without_tokens(known, column) for column in item_idx.tolist()]

    def _lost_without_tokens(self, known: Array, column: int) -> list[Contribution]:
        own = slice(*self.features_.indptr[column : column + 2])
        tokens, values = self.features_.indices[own], self.features_.data[own]
        indptr, having, alike = taken_rows(self._modelled_by_token, tokens)  # modelled movies that have each token
        common = np.zeros(len(known), dtype=np.float32)
        add_weighted_rows(common, self._modelled_by_token, tokens, values)
        weighted = known * np.exp(np.float32(self.steepness_) * common)
        left = np.exp(np.repeat(np.float32(-self.steepness_) * values, np.diff(indptr)) * alike)
        lost = weighted[having] * (1 - left)
        parts = np.array([lost[a:b].sum() for a, b in pairwise(indptr.tolist())], dtype=np.float64)
        order = np.argsort(-np.abs(parts), kind="stable")[:FEATURE_REASONS].tolist()
        names = (self.feature_names_[tokens[at]] for at in order)
        return [
            Contribution("feature", f"{kind}:{token}", f"{kind}: {token}", float(parts[at]))
            for at, (kind, token) in zip(order, names, strict=True)
            if parts[at]
        ]

    def _shared_features(self, liked: Array, ids: set[str]) -> set[str]:
        return shared_features(self.features_[liked], self._named_tokens, ids)

    @cached_property
    def _named_tokens(self) -> dict[str, int]:
        return named_tokens(self.feature_names_)

    @cached_property
    def _modelled_by_token(self) -> csr_matrix:
        return self.modelled_features_.T.tocsr()

    def _add_movies(self, movies: MovieTable, item_idx: Array) -> None:
        rows = self._weighted(MovieFeatures(self.feature_names_, self.token_weights_).transform(movies))
        n_before = self.features_.shape[0]
        place = np.arange(len(self.movie_ids_))
        place[item_idx] = n_before + np.arange(len(item_idx))
        self.features_ = vstack([self.features_, rows], format="csr")[place]
        # Computed in double precision, so that a movie's values do not depend on the other movies in the call. Stored
        # apart from the vectors of fit, which all processes share.
        vectors, scales = self._vectors(rows, np.float64)
        if (stay := ~np.isin(self.added_, item_idx)).any():
            vectors = np.concatenate([self.added_vectors_[:, stay], vectors], axis=1)
            scales = np.concatenate([self.added_scales_[:, stay], scales], axis=1)
        self.added_ = np.concatenate([self.added_[stay], item_idx])
        self.added_vectors_, self.added_scales_ = vectors, scales

    @cached_property
    def _likeness_rows(self) -> csr_matrix:
        return unit_rows(self.features_)

    @cached_property
    def _prior_share(self) -> Array:
        """Expected popularity from metadata for movies without ratings, so that an empty history gives an order."""
        share = np.array(super()._prior_share)
        new = np.flatnonzero(~self.is_rated_)
        expected = self.share_mean_ + self.features_[new] @ self.share_weights_
        share[new] = np.expm1(np.clip(expected, 0, 1) * np.log1p(self.popularity_.max())) / self.popularity_.max()
        return share


def _item_weights(positives: csr_matrix, config: ContentConfig) -> Array:
    """Return B + a I."""
    weights = ease_weights(gram_matrix(positives), config.item_regularization)
    weights[np.diag_indices_from(weights)] += config.history_weight
    return weights
