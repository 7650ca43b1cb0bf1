"""The parameters of the item-item model with metadata, chosen where it is needed: on inner splits."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.ease import ease_weights
from recommender.estimators.inner_splits import InnerSplit
from recommender.estimators.interactions import Array, select_items
from recommender.estimators.item_rows import ItemRows, Parameters, add_rows, weighted_gram
from recommender.estimators.validation import best_of, most_rated, ndcg_of_scores

REGULARIZATIONS_GRID = (12.0, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0)
METADATA_WEIGHTS_GRID = (1.25, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0)
RESIDUAL_WEIGHTS_GRID = (0.0, 0.1, 0.2, 0.4, 0.8)
USER_EXPONENTS_GRID = (0.0, 0.25, 0.5)
HISTORY_WEIGHTS_GRID = (0.1, 0.2, 0.3)  # above 0: a bad rating always counts as one
DEFAULTS = {
    "regularization": 200.0,
    "metadata_weight": 10.0,
    "residual_weight": 0.2,
    "user_exponent": 0.25,
    "history_weight": 0.1,
    "dropout": 0.0,  # with residuals beside it, the denoising form gains nothing: to be given by hand
}
TUNING_MOVIES = 2000
SMALLEST_RESIDUAL = 1e-6  # of ratings that differ


def tune_items(splits: list[InnerSplit], features: csr_matrix, given: dict[str, float | None]) -> Parameters:
    """What was not given, one after the other: the best nDCG@10 among the most rated movies, of the splits' users."""
    trials = [_Trial(split, features) for split in splits]
    parameters = {name: DEFAULTS[name] if value is None else value for name, value in given.items()}

    def quality(name: str, value: float) -> Array:
        result = [trial.quality(parameters | {name: value}) for trial in trials if trial.answers.nnz]
        return np.concatenate(result) if result else np.zeros(0)

    def choose(name: str, tried: tuple[float, ...]) -> None:
        if given[name] is None:
            parameters[name] = _better_than(parameters[name], tried, lambda value: quality(name, value))

    def climb(name: str, tried: tuple[float, ...]) -> None:
        if given[name] is None:
            parameters[name] = best_of(tried, lambda value: _mean(quality(name, value)))

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
    """The value of the highest quality, if it is above that of the usual one by more than a standard error."""
    reference = quality(usual)
    best, highest = usual, 0.0
    for value in tried:
        gains = quality(value) - reference if value != usual else np.zeros(0)
        if len(gains) and gains.mean() > max(highest, gains.std() / np.sqrt(len(gains))):
            best, highest = value, float(gains.mean())
    return best


def _mean(qualities: Array) -> float:
    return float(qualities.mean()) if len(qualities) else float("nan")


class _Trial:
    """One split. What several trials share is kept: the products cost as much as the inverse."""

    def __init__(self, split: InnerSplit, features: csr_matrix) -> None:
        movies = most_rated(split.train, TUNING_MOVIES)
        self.rows = ItemRows.of(split.train, movies, features)
        self.users = split.users
        self.seen = self.rows.ratings[split.users]
        self.answers = select_items(split.answers, movies)
        self.has_metadata = bool(self.rows.features.nnz)
        self.has_residuals = bool(np.abs(self.rows.above.data).max(initial=0) > SMALLEST_RESIDUAL)
        self._of_positives: dict[float, Array] = {}  # by user_exponent
        self._solved_for: Parameters = {}

    def quality(self, parameters: Parameters) -> Array:
        """nDCG@10 of each user of the split that has an answer among the movies."""
        self._solve({name: value for name, value in parameters.items() if name != "history_weight"})
        scores = self.rows.inputs(self.users, parameters["history_weight"]) @ self._weights
        qualities: Array = ndcg_of_scores(scores, self.seen, self.answers)[np.diff(self.answers.indptr) > 0]
        return qualities

    def _solve(self, parameters: Parameters) -> None:
        if parameters == self._solved_for:
            return
        exponent = parameters["user_exponent"]
        if exponent not in self._of_positives:
            self._of_positives[exponent] = weighted_gram(self.rows.positives, exponent)
        gram = self._of_positives[exponent].copy()
        for product, name in ((self._of_residuals, "residual_weight"), (self._of_features, "metadata_weight")):
            if parameters[name]:
                gram += np.float32(parameters[name]) * product
        self._weights = ease_weights(gram, parameters["regularization"], parameters["dropout"])
        self._solved_for = parameters

    @cached_property
    def _of_residuals(self) -> Array:
        return _product(self.rows.above.T.tocsr())

    @cached_property
    def _of_features(self) -> Array:
        return _product(self.rows.features)


def _product(rows: csr_matrix) -> Array:
    gram = np.zeros((rows.shape[0], rows.shape[0]), dtype=np.float32)
    add_rows(gram, rows, 1.0)
    return gram
