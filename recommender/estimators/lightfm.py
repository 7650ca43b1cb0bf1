"""LightFM: a movie is the sum of its own vector and those of its tags, learnt with the WARP loss.

(Kula, "Metadata Embeddings for User and Item Cold-start Recommendations", 2015; WARP of Weston et al. 2011.)
This file alone imports the library, and only to train: scores are matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack, identity

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, check_count, check_number
from recommender.estimators.dataset import Dataset
from recommender.estimators.factors import cosines
from recommender.estimators.histories import map_columns, ordered_product, product_of_columns
from recommender.estimators.progress import reported
from recommender.estimators.tags import fit_vocabulary, tag_matrix
from recommender.estimators.validation import most_rated

Array = np.ndarray[Any, Any]

RIDGE = 0.1  # of the mean of the diagonal


@dataclass(frozen=True)
class LightFMConfig(Config):
    n_components: int = 64
    epochs: int = 20
    learning_rate: float = 0.05
    regularization: float = 1e-5

    def __post_init__(self) -> None:
        check_count("n_components", self.n_components)
        check_count("epochs", self.epochs)
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("regularization", self.regularization, at_least=0)


class LightFMRecommender(Recommender):
    """score(u, m) = x_u q_m + b_m, where users are always folded in from the movies that they liked:

        x_u = h_u W,    h_u = sum of the liked q_m / sqrt(their number)

    W is the ridge regression of the trained users' own vectors on their h_u. Averaging over the history loses
    nothing against those vectors, which are as noisy as a user's few ratings.
    A movie without positives is the average own vector and bias, plus those of its tags.
    """

    algorithm = "lightfm"
    config_class: ClassVar[type[Config]] = LightFMConfig
    scores_new_movies = True
    uses_metadata = True

    def _fit(self, dataset: Dataset) -> None:
        trained = most_rated(dataset, dataset.n_movies)
        self.tags_ = fit_vocabulary(dataset.movies)
        tags = tag_matrix(dataset.movies, self.tags_)
        positives = map_columns(dataset.positives, trained)
        model = _train(positives, tags[trained], self.config, self.random_state)

        # One column of biases beside the vectors, so that all is a single sum over own row and tags.
        rows = np.column_stack([model.item_embeddings, model.item_biases]).astype(np.float32)
        own, self.tag_rows_ = rows[: len(trained)], rows[len(trained) :]
        self.average_row_ = own.mean(axis=0)
        items = self.average_row_ + tags @ self.tag_rows_
        items[trained] = own + tags[trained] @ self.tag_rows_
        self.item_rows_ = np.ascontiguousarray(items, dtype=np.float32)
        averages = _averages(positives, self.item_rows_[trained])
        self.fold_in_ = _ridge(averages, np.asarray(model.user_embeddings, dtype=np.float64))

    def _score_history(self, history: csr_matrix, columns: Array | None) -> Array:
        users = ordered_product(_averages(self._positives(history), self.item_rows_), self.fold_in_)
        biases = self.item_rows_[:, -1] if columns is None else self.item_rows_[columns, -1]
        return product_of_columns(users.astype(np.float32), self._by_component, columns) + biases

    def _similarities(self, columns: Array) -> Array:
        return cosines(self._by_component, columns)

    @cached_property
    def _by_component(self) -> Array:
        return np.ascontiguousarray(self.item_rows_[:, :-1].T)

    def _add_movies(self, movies: pd.DataFrame, columns: Array) -> None:
        added = len(self.movie_ids_) - len(self.item_rows_)
        rows = np.vstack([self.item_rows_, np.tile(self.average_row_, (added, 1))])
        rows[columns] = self.average_row_ + tag_matrix(movies, self.tags_) @ self.tag_rows_
        self.item_rows_ = rows


def _train(positives: csr_matrix, tags: csr_matrix, config: LightFMConfig, random_state: int) -> Any:
    """One thread: with more, WARP's updates race and the same seed gives other vectors."""
    from lightfm import LightFM

    model = LightFM(
        no_components=config.n_components,
        loss="warp",
        learning_rate=config.learning_rate,
        item_alpha=config.regularization,
        user_alpha=config.regularization,
        random_state=random_state,
    )
    model._progress = lambda epochs, verbose: reported(epochs)
    features = hstack([identity(positives.shape[1], format="csr"), tags], format="csr", dtype=np.float32)
    return model.fit(positives.tocoo(), item_features=features, epochs=config.epochs, num_threads=1)


def _averages(liked: csr_matrix, item_rows: Array) -> Array:
    """Each user's sum of the liked vectors, over the square root of their number; zeros for none."""
    sums = np.asarray(liked @ item_rows[:, :-1], dtype=np.float64)
    averages: Array = sums / np.sqrt(np.maximum(np.diff(liked.indptr), 1))[:, None]
    return averages


def _ridge(inputs: Array, targets: Array) -> Array:
    gram = inputs.T @ inputs
    gram[np.diag_indices_from(gram)] += RIDGE * gram.trace() / len(gram) + 1e-12
    weights: Array = np.linalg.solve(gram, inputs.T @ targets)
    return weights
