"""Tunes the parameters of the item-item model with metadata, on inner splits."""

from collections.abc import Callable
from functools import cache, cached_property, partial

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.inner_splits import InnerSplit
from recommender.estimators.interactions import Array, select_items
from recommender.estimators.item_weights import ItemRows, Parameters, ease_weights, gram_matrix, weighted_gram
from recommender.estimators.validation import best_of, mean_or_nan, most_rated, ndcg_of_scores

REGULARIZATIONS_GRID = (12.0, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0)
METADATA_WEIGHTS_GRID = (1.25, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0)
RESIDUAL_WEIGHTS_GRID = (0.0, 0.1, 0.2, 0.4, 0.8)
USER_EXPONENTS_GRID = (0.0, 0.25, 0.5)
HISTORY_WEIGHTS_GRID = (0.1, 0.2, 0.3)  # above 0, so that a bad rating always counts against similar movies
DEFAULTS = {
    "regularization": 200.0,
    "metadata_weight": 10.0,
    "residual_weight": 0.2,
    "user_exponent": 0.25,
    "history_weight": 0.1,
    "dropout": 0.0,  # not tuned, because the denoising form does not help if there are residuals
}
TUNING_MOVIES = 2000
SMALLEST_RESIDUAL = 1e-6  # smaller residuals mean that all ratings are equal


def tune_items(splits: list[InnerSplit], features: csr_matrix, given: dict[str, float | None]) -> Parameters:
    """Tune the parameters that were not given, one after the other.

    Each maximizes the mean nDCG@10 of the splits' users on the most-rated movies.
    """
    trials = [_Trial(split, features, TUNING_MOVIES) for split in splits]
    parameters = {name: DEFAULTS[name] if value is None else value for name, value in given.items()}

    def qualities(name: str, value: float) -> Array:
        return np.concatenate([trial.quality_of(parameters | {name: value}) for trial in trials])

    def choose(name: str, tried: tuple[float, ...]) -> None:
        if given[name] is None:
            parameters[name] = _better_than(parameters[name], tried, lambda value: qualities(name, value))

    def climb(name: str, tried: tuple[float, ...]) -> None:
        if given[name] is None:
            parameters[name] = best_of(tried, lambda value: mean_or_nan(qualities(name, value)))

    climb("regularization", REGULARIZATIONS_GRID)
    if any(trial.has_metadata for trial in trials):
        climb("metadata_weight", METADATA_WEIGHTS_GRID)
        choose("metadata_weight", (0.0,))
    elif given["metadata_weight"] is None:
        parameters["metadata_weight"] = 0.0
    if any(trial.has_residuals for trial in trials):
        choose("residual_weight", RESIDUAL_WEIGHTS_GRID)
        choose("history_weight", HISTORY_WEIGHTS_GRID)
    elif given["residual_weight"] is None:
        parameters["residual_weight"] = 0.0
    choose("user_exponent", USER_EXPONENTS_GRID)
    return {name: parameters[name] for name, value in given.items() if value is None}


def _better_than(usual: float, tried: tuple[float, ...], quality: Callable[[float], Array]) -> float:
    """Return the value with the highest quality if it beats the usual one by more than a standard error."""
    reference = quality(usual)
    best, highest = usual, 0.0
    for value in tried:
        gains = quality(value) - reference if value != usual else np.zeros(0)
        if len(gains) and gains.mean() > max(highest, gains.std() / np.sqrt(len(gains))):
            best, highest = value, float(gains.mean())
    return best


class ItemHoldout:
    """One inner split, restricted to its most-rated movies: training rows and users to evaluate on."""

    def __init__(self, split: InnerSplit, features: csr_matrix, max_movies: int) -> None:
        self.train, self.users = split.train, split.users
        self.movies = most_rated(split.train, max_movies)
        self.rows = ItemRows.of(split.train, self.movies, features)
        self.seen = self.rows.ratings[split.users]
        self.answers = select_items(split.answers, self.movies)

    def quality(self, scores: Array) -> Array:
        """Return the nDCG@10 of each user with a held-out positive among the movies."""
        if not self.answers.nnz:
            return np.empty(0)
        return np.asarray(ndcg_of_scores(scores, self.seen, self.answers)[np.diff(self.answers.indptr) > 0])


class _Trial(ItemHoldout):
    """Caches products shared by several trials, because computing them takes as long as the inverse."""

    def __init__(self, split: InnerSplit, features: csr_matrix, max_movies: int) -> None:
        super().__init__(split, features, max_movies)
        self.has_metadata = bool(self.rows.features.nnz)
        self.has_residuals = bool(np.abs(self.rows.above.data).max(initial=0) > SMALLEST_RESIDUAL)
        self._of_positives = cache(partial(weighted_gram, self.rows.positives))  # keyed by user_exponent
        self._solved_for: Parameters = {}

    def quality_of(self, parameters: Parameters) -> Array:
        if not self.answers.nnz:
            return np.empty(0)
        self._solve({name: value for name, value in parameters.items() if name != "history_weight"})
        return self.quality(self.rows.inputs(self.users, parameters["history_weight"]) @ self._weights)

    def _solve(self, parameters: Parameters) -> None:
        if parameters == self._solved_for:
            return
        gram = self._of_positives(parameters["user_exponent"]).copy()
        for product, name in ((self._of_residuals, "residual_weight"), (self._of_features, "metadata_weight")):
            if parameters[name]:
                gram += np.float32(parameters[name]) * product
        self._weights = ease_weights(gram, parameters["regularization"], parameters["dropout"])
        self._solved_for = parameters

    @cached_property
    def _of_residuals(self) -> Array:
        return gram_matrix(self.rows.above)

    @cached_property
    def _of_features(self) -> Array:
        return gram_matrix(self.rows.features.T.tocsr())
