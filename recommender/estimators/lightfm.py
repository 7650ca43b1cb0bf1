"""LightFM, which represents a movie by the sum of its own vector and those of its tags, trained with the WARP loss.

(Kula, "Metadata Embeddings for User and Item Cold-start Recommendations", 2015; WARP of Weston et al. 2011.)
Only this module imports the library, and only for training. Scores are matrix products.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix, hstack, identity

from recommender.estimators.base import Recommender
from recommender.estimators.columns import LIST_COLUMNS, RELEASE_DATE
from recommender.estimators.config import Config, count, number
from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, cosines, ordered_product, product_of_items, select_items
from recommender.estimators.lazy_pandas import pd
from recommender.estimators.movie_table import MovieTable
from recommender.estimators.progress import reported
from recommender.estimators.validation import most_rated

RIDGE = 0.1  # penalty relative to the mean of the diagonal
MIN_MOVIES = 3  # minimum number of movies with a tag


@dataclass(frozen=True)
class LightFMConfig(Config):
    n_components: int = count(64)  # length of the vectors
    epochs: int = count(20)  # passes over the data
    learning_rate: float = number(0.05, above=0)  # step size
    regularization: float = number(1e-5, at_least=0)  # L2 penalty on all vectors


class LightFMRecommender(Recommender):
    """score(u, m) = x_u q_m + b_m, where users are always folded in from the movies that they liked:

        x_u = h_u W,    h_u = sum of the liked q_m / sqrt(their number)

    W is the ridge regression of the trained users' vectors on their h_u. The trained vectors themselves are no better,
    because they are as noisy as a user's few ratings. A movie without positives gets the average own vector and bias,
    plus the vectors and biases of its tags.
    """

    algorithm = "lightfm"
    config_class: ClassVar[type[Config]] = LightFMConfig
    scores_new_movies = True

    def _fit(self, dataset: Dataset) -> None:
        trained = most_rated(dataset, dataset.n_movies)
        self.tags_ = fit_vocabulary(dataset.movies)
        tags = tag_matrix(dataset.movies, self.tags_)
        positives = select_items(dataset.positives, trained)
        model = _train(positives, tags[trained], self.config, self.random_state)

        # The biases are an additional column next to the vectors, so that one sum over own row and tags covers both.
        rows = np.column_stack([model.item_embeddings, model.item_biases]).astype(np.float32)
        own, self.tag_rows_ = rows[: len(trained)], rows[len(trained) :]
        self.average_row_ = own.mean(axis=0)
        items = self.average_row_ + tags @ self.tag_rows_
        items[trained] = own + tags[trained] @ self.tag_rows_
        self.item_rows_ = np.ascontiguousarray(items, dtype=np.float32)
        averages = _averages(positives, self.item_rows_[trained])
        self.fold_in_ = _ridge(averages, np.asarray(model.user_embeddings, dtype=np.float64))

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        users = ordered_product(_averages(self._positives(history), self.item_rows_), self.fold_in_)
        biases = self.item_rows_[:, -1] if item_idx is None else self.item_rows_[item_idx, -1]
        return product_of_items(users.astype(np.float32), self._by_component, item_idx) + biases

    def _input_weights(self, rated: Array, item_idx: Array) -> Array:
        """Return q_i W q_j / sqrt(n) for the n liked movies i. Excludes the movie's bias, which is not personal."""
        users = self.item_rows_[rated, :-1] @ self.fold_in_ / np.sqrt(max(len(rated), 1))
        return np.asarray(users @ self._by_component[:, item_idx])

    def _similarities(self, item_idx: Array) -> Array:
        return cosines(self._by_component, item_idx)

    @cached_property
    def _by_component(self) -> Array:
        return np.ascontiguousarray(self.item_rows_[:, :-1].T)

    def _add_movies(self, movies: MovieTable, item_idx: Array) -> None:
        added = len(self.movie_ids_) - len(self.item_rows_)
        rows = np.vstack([self.item_rows_, np.tile(self.average_row_, (added, 1))])
        rows[item_idx] = self.average_row_ + tag_matrix(movies, self.tags_) @ self.tag_rows_
        self.item_rows_ = rows


def _train(positives: csr_matrix, tags: csr_matrix, config: LightFMConfig, random_state: int) -> Any:
    """Train on one thread. With several, WARP's updates race and results are not reproducible."""
    from lightfm import LightFM  # imported here because only training needs the library

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
    """Return the sum of each user's liked vectors divided by the square root of their number."""
    sums = np.asarray(liked @ item_rows[:, :-1], dtype=np.float64)
    return np.asarray(sums / np.sqrt(np.maximum(np.diff(liked.indptr), 1))[:, None])


def _ridge(inputs: Array, targets: Array) -> Array:
    gram = inputs.T @ inputs
    gram[np.diag_indices_from(gram)] += RIDGE * gram.trace() / len(gram) + 1e-12
    return np.asarray(np.linalg.solve(gram, inputs.T @ targets))


def tags_of(movies: pd.DataFrame | MovieTable) -> list[list[str]]:
    """Return the metadata of each movie as distinct tags such as genre:Drama or decade:1990."""
    result: list[list[str]] = []
    columns = [list(movies[name]) for name in LIST_COLUMNS]
    dates = np.asarray(movies[RELEASE_DATE], dtype="datetime64[Y]")
    decades = [0 if np.isnat(date) else (1970 + int(date.astype(np.int64))) // 10 * 10 for date in dates]
    for row, language in enumerate(movies["language"]):
        tags = [f"{name}:{value}" for name, column in zip(LIST_COLUMNS, columns, strict=True) for value in column[row]]
        if language:
            tags.append(f"language:{language}")
        if decades[row]:
            tags.append(f"decade:{decades[row]}")
        result.append(list(dict.fromkeys(tags)))
    return result


def fit_vocabulary(movies: pd.DataFrame | MovieTable) -> list[str]:
    """Return the sorted tags that at least MIN_MOVIES movies have."""
    counts = Counter(tag for tags in tags_of(movies) for tag in tags)
    return sorted(tag for tag, count in counts.items() if count >= MIN_MOVIES)


def tag_matrix(movies: pd.DataFrame | MovieTable, vocabulary: list[str]) -> csr_matrix:
    """Return the matrix movies x tags. The weights of a movie's known tags sum to 1."""
    place = {tag: position for position, tag in enumerate(vocabulary)}
    rows: list[list[int]] = [sorted(place[tag] for tag in tags if tag in place) for tags in tags_of(movies)]
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    indices: np.ndarray[Any, Any] = np.array([position for row in rows for position in row], dtype=np.int64)
    weights = np.repeat(1 / np.maximum(lengths, 1), lengths).astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return csr_matrix((weights, indices, indptr), shape=(len(rows), len(vocabulary)))
