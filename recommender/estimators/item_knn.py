"""Item-based nearest neighbours on who liked both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix, vstack

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, check_count, check_number
from recommender.estimators.dataset import Dataset
from recommender.estimators.histories import map_columns
from recommender.estimators.validation import best_of, most_rated, ndcg_of_scores, sample_users, split_random

Array = np.ndarray[Any, Any]

SHRINKAGES_TRIED = tuple(10.0 * 2.0**step for step in range(-5, 6))  # 0.3 to 320
CHOICE_MOVIES = 2000
CHOICE_USERS = 2000
BLOCK = 256


@dataclass(frozen=True)
class ItemKNNConfig(Config):
    n_neighbors: int = 200
    shrinkage: float | None = None  # None: chosen on an inner split

    def __post_init__(self) -> None:
        check_count("n_neighbors", self.n_neighbors)
        if self.shrinkage is not None:
            check_number("shrinkage", self.shrinkage, at_least=0)


class ItemKNNRecommender(Recommender):
    """score(user, j) = sum over the liked movies i among j's neighbours of n_ij / (sqrt(n_i n_j) + shrinkage)."""

    algorithm = "item_knn"
    config_class: ClassVar[type[Config]] = ItemKNNConfig

    def _fit(self, dataset: Dataset) -> None:
        shrinkage = self.config.shrinkage
        if shrinkage is None:
            shrinkage = _choose_shrinkage(dataset, self.config.n_neighbors, self.random_state)
            self.chosen_ = {"shrinkage": shrinkage}
        self.neighbors_ = neighbor_matrix(dataset.positives, self.config.n_neighbors, shrinkage)

    def _score_history(self, history: csr_matrix, columns: Array | None) -> Array:
        scores: Array = (self._positives(history) @ self.neighbors_).toarray()
        return scores if columns is None else scores[:, columns]

    def _similarities(self, columns: Array) -> Array:
        similarities: Array = self._by_target[columns].toarray()
        return similarities

    @cached_property
    def _by_target(self) -> csr_matrix:
        return self.neighbors_.T.tocsr()


def neighbor_matrix(positives: csr_matrix, n_neighbors: int, shrinkage: float) -> csr_matrix:
    """Similarities (liked, scored), of which each scored movie keeps its `n_neighbors` highest."""
    by_movie = positives.T.tocsr()
    n_movies = positives.shape[1]
    n_neighbors = min(n_neighbors, n_movies)
    root = np.sqrt(np.diff(by_movie.indptr)).astype(np.float32)
    kept: list[csr_matrix] = []
    for start in range(0, n_movies, BLOCK):
        together = (by_movie[start : start + BLOCK] @ positives).toarray()
        scale = root[start : start + BLOCK, None] * root + np.float32(shrinkage)
        similarity = np.divide(together, scale, out=np.zeros_like(together), where=together > 0)
        similarity[np.arange(len(together)), start + np.arange(len(together))] = 0
        nearest = np.sort(np.argpartition(-similarity, n_neighbors - 1, axis=1)[:, :n_neighbors], axis=1)
        values = np.take_along_axis(similarity, nearest, axis=1)
        indptr = np.arange(len(together) + 1) * n_neighbors
        block = csr_matrix((values.ravel(), nearest.ravel(), indptr), shape=together.shape)
        block.eliminate_zeros()
        kept.append(block)
    neighbors = vstack(kept).T.tocsr()
    neighbors.sort_indices()
    return neighbors


def _choose_shrinkage(dataset: Dataset, n_neighbors: int, random_state: int) -> float:
    """The best nDCG@10 on a fifth of each user's ratings, from the rest, among the most rated movies."""
    train, answers = split_random(dataset, share=0.2, random_state=random_state)
    modelled = most_rated(train, CHOICE_MOVIES)
    judged = sample_users(answers, CHOICE_USERS, random_state)
    liked = map_columns(train.positives, modelled)
    seen, wanted = (map_columns(matrix[judged], modelled) for matrix in (train.ratings, answers))

    def quality(shrinkage: float) -> float:
        if not wanted.nnz:
            return float("nan")
        scores = (liked[judged] @ neighbor_matrix(liked, n_neighbors, shrinkage)).toarray()
        return float(np.nanmean(ndcg_of_scores(scores, seen, wanted)))

    return best_of(SHRINKAGES_TRIED, quality)
