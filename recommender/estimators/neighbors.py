"""Item-based nearest neighbours by shared likes: ItemKNN and RP3beta."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix, diags, vstack

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, count, number
from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array
from recommender.estimators.ranking import EXACT_BITS
from recommender.estimators.validation import Holdout, best_of

SHRINKAGES_GRID = tuple(10.0 * 2.0**step for step in range(-5, 6))  # 0.3 to 320
BETAS_GRID = (0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0)
TUNING_MOVIES = 2000
TUNING_USERS = 2000
BLOCK = 256


@dataclass(frozen=True)
class ItemKNNConfig(Config):
    n_neighbors: int = count(200)  # kept per movie
    shrinkage: float | None = number(None, at_least=0)  # shrinks the cosines of rarely liked movies


class NeighborRecommender(Recommender):
    """Base class. score(user, j) is the sum of the similarities of the liked movies i that are neighbours of j."""

    score_bits = EXACT_BITS  # neither fit nor scoring uses BLAS
    tuned: ClassVar[str]  # the hyper-parameter of `_nearest_neighbors` to tune if it is not given
    grid: ClassVar[tuple[float, ...]]

    @abstractmethod
    def _nearest_neighbors(self, positives: csr_matrix, value: float) -> csr_matrix:
        """Return similarities (liked, scored)."""

    def _fit(self, dataset: Dataset) -> None:
        value = getattr(self.config, self.tuned)
        if value is None:
            value = self._tune(dataset)
            self.best_params_ = {self.tuned: value}
        self.neighbors_ = self._nearest_neighbors(dataset.positives, value)

    def _tune(self, dataset: Dataset) -> float:
        """Return the value with the best nDCG@10 on a held-out fifth of each user's ratings."""
        holdout = Holdout.of(dataset, self.random_state, TUNING_USERS, TUNING_MOVIES)

        def quality(value: float) -> float:
            if not holdout.answers.nnz:
                return float("nan")
            return holdout.quality((holdout.history @ self._nearest_neighbors(holdout.liked, value)).toarray())

        return best_of(self.grid, quality)

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        scores: Array = (self._positives(history) @ self.neighbors_).toarray()
        return scores if item_idx is None else scores[:, item_idx]

    def _input_weights(self, rated: Array, item_idx: Array) -> Array:
        return np.asarray(self.neighbors_[rated][:, item_idx].toarray())

    def _similarities(self, item_idx: Array) -> Array:
        return np.asarray(self._by_target[item_idx].toarray())

    @cached_property
    def _by_target(self) -> csr_matrix:
        return self.neighbors_.T.tocsr()


class ItemKNNRecommender(NeighborRecommender):
    """Item-based kNN. The similarity is n_ij / (sqrt(n_i n_j) + shrinkage)."""

    algorithm = "item_knn"
    config_class: ClassVar[type[Config]] = ItemKNNConfig
    tuned, grid = "shrinkage", SHRINKAGES_GRID

    def _nearest_neighbors(self, positives: csr_matrix, value: float) -> csr_matrix:
        root = np.sqrt(np.bincount(positives.indices, minlength=positives.shape[1])).astype(np.float32)
        smallest = np.float32(1e-12)  # avoids 0 / 0 for two movies without likes
        return _nearest(
            positives.T.tocsr(),
            positives,
            self.config.n_neighbors,
            lambda rows: 1 / np.maximum(root[rows, None] * root + np.float32(value), smallest),
        )


@dataclass(frozen=True)
class RP3BetaConfig(Config):
    n_neighbors: int = count(200)  # kept per movie
    alpha: float = number(1.0, at_least=0)  # exponent of each step's probability
    beta: float | None = number(None, at_least=0)  # exponent of the popularity by which a movie's scores are divided


class RP3BetaRecommender(NeighborRecommender):
    """A three-step random walk between users and movies that penalizes popular movies.

    The similarity is sum_u n_i^-alpha n_u^-alpha n_j^-beta over the users u who liked both i and j. (Paudel,
    Christoffel, Newell and Bernstein, "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
    Applications", 2017.)
    """

    algorithm = "rp3beta"
    config_class: ClassVar[type[Config]] = RP3BetaConfig
    tuned, grid = "beta", BETAS_GRID

    def _nearest_neighbors(self, positives: csr_matrix, value: float) -> csr_matrix:
        of_users = np.maximum(np.diff(positives.indptr), 1).astype(np.float32) ** -self.config.alpha
        of_movies = np.maximum(np.bincount(positives.indices, minlength=positives.shape[1]), 1).astype(np.float32)
        first, last = of_movies**-self.config.alpha, of_movies**-value
        visits = (diags(of_users) @ positives).T.tocsr()
        return _nearest(visits, positives, self.config.n_neighbors, lambda rows: last[rows, None] * first)


def _nearest(
    together: csr_matrix, positives: csr_matrix, n_neighbors: int, scale: Callable[[slice], Array]
) -> csr_matrix:
    """Return similarities (liked, scored) with the `n_neighbors` highest of each scored movie.

    They are the products `together @ positives` times `scale`. `together` is movies x users. `scale` returns the
    factors (scored, liked) for a slice of the scored movies.
    """
    n_movies = positives.shape[1]
    n_neighbors = min(n_neighbors, n_movies)
    kept: list[csr_matrix] = []
    for start in range(0, n_movies, BLOCK):
        rows = slice(start, min(start + BLOCK, n_movies))
        similarity = (together[rows] @ positives).toarray() * scale(rows)
        similarity[np.arange(len(similarity)), start + np.arange(len(similarity))] = 0
        best = np.sort(np.argpartition(-similarity, n_neighbors - 1, axis=1)[:, :n_neighbors], axis=1)
        values = np.take_along_axis(similarity, best, axis=1)
        indptr = np.arange(len(similarity) + 1) * n_neighbors
        block = csr_matrix((values.ravel(), best.ravel(), indptr), shape=similarity.shape)
        block.eliminate_zeros()
        kept.append(block)
    neighbors = vstack(kept).T.tocsr()
    neighbors.sort_indices()
    return neighbors
