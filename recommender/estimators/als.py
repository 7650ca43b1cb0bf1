"""Implicit alternating least squares with the `implicit` library, which only this module imports."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, count, number
from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, cosines, product_of_items
from recommender.estimators.progress import report
from recommender.estimators.validation import Holdout, best_of

ALPHAS_GRID = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
REGULARIZATIONS_GRID = tuple(20 * 2.5**step for step in range(-6, 7))  # 0.08 to 4,900
TUNING_USERS = 5000
TUNING_EPOCHS = 8
SMALL = 50_000  # positives below which threads cost more than they save


@dataclass(frozen=True)
class AlsConfig(Config):
    n_components: int = count(64)  # length of the vectors
    epochs: int = count(15)  # passes over the data
    regularization: float | None = number(None, above=0)  # lambda in the paper
    alpha: float | None = number(None, above=0)  # confidence in a positive; it is 1 for all other movies


class AlsRecommender(Recommender):
    """The factor model of Hu, Koren and Volinsky (2008). Users are folded in from their history."""

    algorithm = "als"
    config_class: ClassVar[type[Config]] = AlsConfig

    def _fit(self, dataset: Dataset) -> None:
        config = self.config
        self.best_params_ = _choose(dataset, config, self.random_state)
        self.regularization_ = float(self.best_params_.get("regularization", config.regularization))
        self.alpha_ = float(self.best_params_.get("alpha", config.alpha))
        self.item_factors_ = _item_factors(
            dataset.positives,
            replace(config, regularization=self.regularization_, alpha=self.alpha_),
            self.random_state,
            on_epoch=lambda number, *_: report((number + 1) / config.epochs),
        )

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        liked = self._positives(history)
        users = solve_users(liked, self.item_factors_, self._gram, self.regularization_, self.alpha_)
        return product_of_items(users.astype(np.float32), self._by_component, item_idx)

    def _input_weights(self, rated: Array, item_idx: Array) -> Array:
        """Return alpha y_i' A^-1 y_j for the liked movies i, where `solve_users` inverts A.

        See section 5 of the paper.
        """
        rows, wanted = (self.item_factors_[at].astype(np.float64) for at in (rated, item_idx))
        left = self._gram + self.regularization_ * np.eye(rows.shape[1]) + (self.alpha_ - 1) * (rows.T @ rows)
        return np.asarray(self.alpha_ * rows @ np.linalg.solve(left, wanted.T))

    def _similarities(self, item_idx: Array) -> Array:
        return cosines(self._by_component, item_idx)

    @cached_property
    def _by_component(self) -> Array:
        return np.ascontiguousarray(self.item_factors_.T)

    @cached_property
    def _gram(self) -> Array:
        return gram_of(self.item_factors_)


def _item_factors(
    positives: csr_matrix, config: AlsConfig, random_state: int, on_epoch: Callable[..., object] | None = None
) -> Array:
    """Train item factors from small seeded uniform values. A movie without likes has factors of 0."""
    from implicit.cpu.als import AlternatingLeastSquares  # imported here because only training needs the library

    with threadpool_limits(1, "blas"):  # BLAS threads would slow down the library's own threads
        model = AlternatingLeastSquares(
            factors=config.n_components,
            iterations=config.epochs,
            regularization=config.regularization,
            alpha=config.alpha,
            random_state=random_state,
            num_threads=1 if positives.nnz < SMALL else 0,
        )
        model.fit(positives, show_progress=False, callback=on_epoch)
    factors: Array = np.array(model.item_factors, dtype=np.float32)
    factors[np.bincount(positives.indices, minlength=positives.shape[1]) == 0] = 0
    return factors


def solve_users(liked: csr_matrix, items: Array, gram: Array, regularization: float, alpha: float) -> Array:
    """Return x_u = (Y'Y + (alpha - 1) Y_u'Y_u + lambda I)^-1 alpha Y_u'1, the user step of implicit ALS.

    (Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", 2008, with confidence alpha for a
    positive and 1 for the rest.) Y_u are the rows of the liked items and `gram` is Y'Y in float64. A user without likes
    has a zero vector.
    """
    n_components = items.shape[1]
    left = np.repeat((gram + regularization * np.eye(n_components))[None], liked.shape[0], axis=0)
    right = np.zeros((liked.shape[0], n_components, 1))
    for row in range(liked.shape[0]):
        rows = items[liked.indices[liked.indptr[row] : liked.indptr[row + 1]]].astype(np.float64)
        left[row] += (alpha - 1) * (rows.T @ rows)
        right[row, :, 0] = alpha * rows.sum(axis=0)
    return np.asarray(np.linalg.solve(left, right)[:, :, 0])


def gram_of(items: Array) -> Array:
    """Return Y'Y (components, components) in float64 for item factors Y (movies, components)."""
    factors = np.asarray(items, dtype=np.float64)
    return np.asarray(factors.T @ factors)


def _choose(dataset: Dataset, config: AlsConfig, random_state: int) -> dict[str, float]:
    """Return the parameters that were not given, tuned for nDCG@10 on a held-out fifth of each sampled user's ratings.

    The regularization is tuned first, with a medium alpha. Then alpha is tuned while the regularization changes in
    proportion, because quality depends mostly on their ratio.
    """
    alpha, regularization = config.alpha, config.regularization
    if alpha is not None and regularization is not None:
        return {}
    holdout = Holdout.of(dataset, random_state, TUNING_USERS)

    def quality(alpha: float, regularization: float) -> float:
        if not holdout.history.nnz or not holdout.answers.nnz:
            return float("nan")
        tried = replace(config, epochs=TUNING_EPOCHS, regularization=regularization, alpha=alpha)
        items = _item_factors(holdout.history, tried, random_state)
        users = solve_users(holdout.history, items, gram_of(items), regularization, alpha)
        return holdout.quality(users.astype(np.float32) @ items.T)

    chosen: dict[str, float] = {}
    if regularization is None:
        tried_alpha = alpha or ALPHAS_GRID[len(ALPHAS_GRID) // 2]
        regularization = best_of(REGULARIZATIONS_GRID, lambda value: quality(tried_alpha, value))
        ratio = regularization / tried_alpha
        chosen["regularization"] = regularization
        if alpha is None:
            chosen["alpha"] = best_of(ALPHAS_GRID, lambda value: quality(value, ratio * value))
            chosen["regularization"] = ratio * chosen["alpha"]
    else:
        chosen["alpha"] = best_of(ALPHAS_GRID, lambda value: quality(value, regularization))
    return chosen
