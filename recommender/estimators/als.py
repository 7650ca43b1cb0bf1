"""Implicit alternating least squares, by the `implicit` library; this file alone imports it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, check_count, check_number
from recommender.estimators.dataset import Dataset
from recommender.estimators.factors import cosines, gram_of, solve_users
from recommender.estimators.interactions import Array, product_of_items
from recommender.estimators.progress import report
from recommender.estimators.validation import best_of, ndcg_of_scores, sample_users, split_random

ALPHAS_GRID = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
REGULARIZATIONS_GRID = tuple(20 * 2.5**step for step in range(-6, 7))  # 0.08 to 4,900
TUNING_USERS = 5000
TUNING_EPOCHS = 8
SMALL = 50_000  # positives, below which threads cost more than they save


@dataclass(frozen=True)
class AlsConfig(Config):
    n_components: int = 64
    epochs: int = 15
    regularization: float | None = None  # None: chosen on an inner split
    alpha: float | None = None  # confidence in a positive, that in the absence of one being 1; None: chosen

    def __post_init__(self) -> None:
        check_count("n_components", self.n_components)
        check_count("epochs", self.epochs)
        for name in ("regularization", "alpha"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), above=0)


class AlsRecommender(Recommender):
    """Factors of Hu, Koren and Volinsky 2008; users are always folded in from their history (solve_users)."""

    algorithm = "als"
    config_class: ClassVar[type[Config]] = AlsConfig

    def _fit(self, dataset: Dataset) -> None:
        config = self.config
        self.best_params_ = _choose(dataset, config, self.random_state)
        self.regularization_ = float(self.best_params_.get("regularization", config.regularization))
        self.alpha_ = float(self.best_params_.get("alpha", config.alpha))
        self.item_factors_ = _item_factors(
            dataset.positives,
            config.n_components,
            config.epochs,
            self.regularization_,
            self.alpha_,
            self.random_state,
            on_epoch=lambda number, *_: report((number + 1) / config.epochs),
        )

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        liked = self._positives(history)
        users = solve_users(liked, self.item_factors_, self._gram, self.regularization_, self.alpha_)
        return product_of_items(users.astype(np.float32), self._by_component, item_idx)

    def _similarities(self, item_idx: Array) -> Array:
        return cosines(self._by_component, item_idx)

    @cached_property
    def _by_component(self) -> Array:
        return np.ascontiguousarray(self.item_factors_.T)

    @cached_property
    def _gram(self) -> Array:
        return gram_of(self.item_factors_)


def _item_factors(
    positives: csr_matrix,
    n_components: int,
    epochs: int,
    regularization: float,
    alpha: float,
    random_state: int,
    on_epoch: Callable[..., object] | None = None,
) -> Array:
    """The library starts from small uniform factors, seeded; a movie that nobody likes ends at 0."""
    # Imported here: only training needs the library.
    from implicit.cpu.als import AlternatingLeastSquares  # here: only training needs the library

    with threadpool_limits(1, "blas"):  # the library has threads of its own and is slowed down by BLAS's
        model = AlternatingLeastSquares(
            factors=n_components,
            iterations=epochs,
            regularization=regularization,
            alpha=alpha,
            random_state=random_state,
            num_threads=1 if positives.nnz < SMALL else 0,
        )
        model.fit(positives, show_progress=False, callback=on_epoch)
    factors: Array = np.array(model.item_factors, dtype=np.float32)
    factors[np.bincount(positives.indices, minlength=positives.shape[1]) == 0] = 0
    return factors


def _choose(dataset: Dataset, config: AlsConfig, random_state: int) -> dict[str, float]:
    """What is not given, by the best nDCG@10 on a fifth of each sampled user's ratings.

    The regularisation comes first, for a middling alpha; then alpha, the regularisation growing with it, since
    their ratio is what quality depends on most.
    """
    alpha, regularization = config.alpha, config.regularization
    if alpha is not None and regularization is not None:
        return {}
    quality = _trial(dataset, config, random_state)
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


def _trial(dataset: Dataset, config: AlsConfig, random_state: int) -> Callable[[float, float], float]:
    """The quality of an alpha and a regularisation on one inner split."""
    train, answers = split_random(dataset, share=0.2, random_state=random_state)
    sampled = sample_users(answers, TUNING_USERS, random_state)
    liked, seen, wanted = train.positives[sampled], train.ratings[sampled], answers[sampled]

    def quality(alpha: float, regularization: float) -> float:
        if not liked.nnz or not wanted.nnz:
            return float("nan")
        items = _item_factors(liked, config.n_components, TUNING_EPOCHS, regularization, alpha, random_state)
        users = solve_users(liked, items, gram_of(items), regularization, alpha)
        return float(np.nanmean(ndcg_of_scores(users.astype(np.float32) @ items.T, seen, wanted)))

    return quality
