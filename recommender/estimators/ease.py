"""EASE: a linear item-item model in closed form (Steck, "Embarrassingly Shallow Autoencoders", WWW 2019)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_matrix

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, check_count, check_number
from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, select_items
from recommender.estimators.validation import (
    best_of,
    modelled_movies,
    most_rated,
    ndcg_of_scores,
    sample_users,
    split_random,
)

REGULARIZATIONS_GRID = tuple(250.0 * 2.0**step for step in range(-6, 7))  # 4 to 16,000
TUNING_MOVIES = 2000
TUNING_USERS = 2000
BLOCK = 1024
LAPACK_LIMIT = 46_000  # movies squared must stay within a 32-bit index


@dataclass(frozen=True)
class EaseConfig(Config):
    regularization: float | None = None  # the lambda of the paper; None: chosen on an inner split
    dropout: float = 0.0  # the p of the denoising form (EDLAE): above 0, movies rated much are held back more
    max_movies: int = 20_000  # only the most rated ones are modelled: memory grows with its square (1.6 GB)

    def __post_init__(self) -> None:
        if self.regularization is not None:
            check_number("regularization", self.regularization, above=0)
        check_dropout(self.dropout)
        check_count("max_movies", self.max_movies)
        if self.max_movies > LAPACK_LIMIT:
            raise ValueError(f"max_movies: at most {LAPACK_LIMIT}, got {self.max_movies}")


class EaseRecommender(Recommender):
    """score(user, movie) = sum of weights[liked, movie] over the movies that the user liked."""

    algorithm = "ease"
    config_class: ClassVar[type[Config]] = EaseConfig

    def _fit(self, dataset: Dataset) -> None:
        regularization = self.config.regularization
        if regularization is None:
            regularization = _tune_regularization(dataset, self.config.dropout, self.random_state)
            self.best_params_ = {"regularization": regularization}
        self.modelled_ = modelled_movies(dataset, self.config.max_movies, self.algorithm)
        positives = select_items(dataset.positives, self.modelled_)
        self.weights_ = ease_weights(gram_matrix(positives), regularization, self.config.dropout)

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        return self._weighted(self._inputs(history), item_idx)

    def _inputs(self, history: csr_matrix) -> csr_matrix:
        """What each rating of a history counts as: 1 for a positive."""
        return self._positives(history)

    def _weighted(self, inputs: csr_matrix, item_idx: Array | None) -> Array:
        """inputs @ weights; 0 for movies that are not modelled."""
        inputs = select_items(inputs, self.modelled_)
        if item_idx is not None and len(item_idx) * 8 < len(self.modelled_):
            return self._weighted_few(inputs, item_idx)
        scores = np.zeros((inputs.shape[0], self.n_fitted_movies_), dtype=np.float32)
        scores[:, self.modelled_] = inputs @ self.weights_
        return scores if item_idx is None else scores[:, item_idx]

    def _weighted_few(self, inputs: csr_matrix, item_idx: Array) -> Array:
        """The same sums without touching the weights of the other movies."""
        place = np.searchsorted(self.modelled_, item_idx)
        place[place == len(self.modelled_)] = 0
        is_modelled = self.modelled_[place] == item_idx
        rows = np.unique(inputs.indices)
        scores = np.zeros((inputs.shape[0], len(item_idx)), dtype=np.float32)
        scores[:, is_modelled] = select_items(inputs, rows) @ self.weights_[np.ix_(rows, place[is_modelled])]
        return scores

    def _similarities(self, item_idx: Array) -> Array:
        rated_one = csr_matrix(
            (np.ones(len(item_idx), dtype=np.float32), (np.arange(len(item_idx)), item_idx)),
            shape=(len(item_idx), self.n_fitted_movies_),
        )
        scores = np.zeros(rated_one.shape, dtype=np.float32)
        scores[:, self.modelled_] = select_items(rated_one, self.modelled_) @ self.weights_
        return scores


def gram_matrix(matrix: csr_matrix) -> Array:
    """matrix.T @ matrix, dense float32, built in blocks so that no second copy of it exists."""
    by_movie = matrix.T.tocsr()
    n = matrix.shape[1]
    gram = np.empty((n, n), dtype=np.float32)
    for start in range(0, n, BLOCK):
        gram[start : start + BLOCK] = (by_movie[start : start + BLOCK] @ matrix).toarray()
    return gram


def check_dropout(dropout: float) -> None:
    """Raise ValueError unless 0 <= dropout < 1."""
    check_number("dropout", dropout, at_least=0)
    if dropout >= 1:
        raise ValueError(f"dropout: expected a share below 1, got {dropout!r}")


def ease_weights(gram: Array, regularization: float, dropout: float = 0.0) -> Array:
    """B = I - P / diag(P) with P = (G + lambda I)^-1 and so a zero diagonal. The Gram matrix is overwritten.

    With dropout p, P = (G + p / (1 - p) diag(G) + lambda I)^-1: the expectation over histories of which a share p
    is dropped at random (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020).

    LAPACK's Cholesky inverse is several times faster than numpy's general one. It works on column-major
    arrays and fills one triangle, so it is given the transposed view and the other triangle is copied over.
    """
    gram[np.diag_indices_from(gram)] += regularization + dropout / (1 - dropout) * gram.diagonal()
    factor, failed = spotrf(gram.T, lower=1, overwrite_a=1)
    if not failed:
        inverse, failed = spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise ValueError(f"regularization: {regularization} is too small for the ratings (LAPACK says {failed})")
    weights: Array = inverse.T
    mirror_upper(weights)
    diagonal = weights.diagonal().copy()
    for start in range(0, len(weights), BLOCK):
        weights[start : start + BLOCK] /= -diagonal
    weights[np.diag_indices_from(weights)] = 0
    return weights


def mirror_upper(matrix: Array) -> None:
    """Copy the upper triangle onto the lower one, in blocks."""
    for start in range(0, len(matrix), BLOCK):
        stop = min(start + BLOCK, len(matrix))
        matrix[start:stop, :start] = matrix[:start, start:stop].T
        square = matrix[start:stop, start:stop]
        square[...] = np.triu(square) + np.triu(square, 1).T


def _tune_regularization(dataset: Dataset, dropout: float, random_state: int) -> float:
    """The best nDCG@10 on a fifth of each user's ratings, from the rest, among the most rated movies.

    Restricting the movies makes a trial a fraction of a second. With few users one split is too noisy, so
    the mean over several counts.
    """
    n_splits = int(np.clip(np.ceil(TUNING_USERS / max(dataset.n_users, 1)), 1, 4))
    trials = [_trial(dataset, dropout, random_state + split) for split in range(n_splits)]
    return best_of(REGULARIZATIONS_GRID, lambda value: float(np.mean([trial(value) for trial in trials])))


def _trial(dataset: Dataset, dropout: float, random_state: int) -> Callable[[float], float]:
    """The quality of a regularisation on one inner split."""
    train, answers = split_random(dataset, share=0.2, random_state=random_state)
    modelled = most_rated(train, TUNING_MOVIES)
    sampled = sample_users(answers, TUNING_USERS, random_state)
    liked = select_items(train.positives, modelled)
    seen = select_items(train.ratings[sampled], modelled)
    wanted = select_items(answers[sampled], modelled)
    gram = gram_matrix(liked)

    def quality(regularization: float) -> float:
        if not wanted.nnz:
            return float("nan")
        weights = ease_weights(gram.copy(), regularization, dropout)
        return float(np.nanmean(ndcg_of_scores(liked[sampled] @ weights, seen, wanted)))

    return quality
