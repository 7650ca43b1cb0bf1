"""RP3beta: three random steps between users and movies, with popular movies held back.

(Paudel, Christoffel, Newell and Bernstein, "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
Applications", 2017.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix, diags

from recommender.estimators.config import Config, check_count, check_number
from recommender.estimators.dataset import Dataset
from recommender.estimators.item_knn import NeighborRecommender, nearest, tune_on_inner_split

Array = np.ndarray[Any, Any]

BETAS_GRID = (0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0)


@dataclass(frozen=True)
class RP3BetaConfig(Config):
    n_neighbors: int = 200
    alpha: float = 1.0  # every step's probability is raised to it
    beta: float | None = None  # the power of a movie's popularity that its scores are divided by; None: chosen

    def __post_init__(self) -> None:
        check_count("n_neighbors", self.n_neighbors)
        check_number("alpha", self.alpha, at_least=0)
        if self.beta is not None:
            check_number("beta", self.beta, at_least=0)


class RP3BetaRecommender(NeighborRecommender):
    """The similarity is sum_u n_i^-alpha n_u^-alpha n_j^-beta over the users u who liked both i and j."""

    algorithm = "rp3beta"
    config_class: ClassVar[type[Config]] = RP3BetaConfig

    def _fit(self, dataset: Dataset) -> None:
        config = self.config
        beta = config.beta
        if beta is None:
            beta = tune_on_inner_split(dataset, BETAS_GRID, self._walks, self.random_state)
            self.best_params_ = {"beta": beta}
        self.neighbors_ = self._walks(dataset.positives, beta)

    def _walks(self, positives: csr_matrix, beta: float) -> csr_matrix:
        of_users = np.maximum(np.diff(positives.indptr), 1).astype(np.float32) ** -self.config.alpha
        of_movies = np.maximum(np.bincount(positives.indices, minlength=positives.shape[1]), 1).astype(np.float32)
        first, last = of_movies**-self.config.alpha, of_movies**-beta
        visits = (diags(of_users) @ positives).T.tocsr()
        return nearest(visits, positives, self.config.n_neighbors, lambda rows: last[rows, None] * first)
