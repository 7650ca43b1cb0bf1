"""EASE that learns from metadata too: each feature is one more row that "likes" the movies having it.

With X the positives, D = diag(n_u^-e) the users' weights, F the movies' features and w their weight,

    P = (X' D X + w F F' + lambda I)^-1,   B = I - P / diag(P)

so that movies that few people rated borrow from movies with the same people, keywords and words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix, diags

from recommender.estimators.config import Config, check_number
from recommender.estimators.dataset import Dataset
from recommender.estimators.ease import EaseConfig, EaseRecommender, ease_weights, gram_matrix
from recommender.estimators.histories import map_columns
from recommender.estimators.inner_splits import InnerSplit, inner_splits
from recommender.estimators.validation import best_of, most_rated, ndcg_of_scores

Array = np.ndarray[Any, Any]
Parameters = dict[str, float]

REGULARIZATIONS_TRIED = (12.0, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0)
METADATA_WEIGHTS_TRIED = (1.25, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0)
USER_EXPONENTS_TRIED = (0.0, 0.25, 0.5)
DEFAULTS = {"regularization": 200.0, "metadata_weight": 10.0, "user_exponent": 0.25}
CHOICE_MOVIES = 3000
BLOCK = 1024


@dataclass(frozen=True)
class MetadataEaseConfig(EaseConfig):
    metadata_weight: float | None = None  # w; None: chosen on an inner split
    user_exponent: float | None = None  # e: above 0, users with many positives count less for each; None: chosen

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("metadata_weight", "user_exponent"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), at_least=0)


class MetadataEaseRecommender(EaseRecommender):
    algorithm = "metadata_ease"
    config_class: ClassVar[type[Config]] = MetadataEaseConfig
    uses_metadata = True

    def _fit(self, dataset: Dataset) -> None:
        given = {name: getattr(self.config, name) for name in DEFAULTS}
        if None in given.values():
            split = inner_splits(dataset, "random", self.random_state)[1][0]
            self.chosen_ = choose_parameters(split, dataset.movie_features[1], given)
        parameters = given | self.chosen_
        self.modelled_ = most_rated(dataset, self.config.max_movies)
        gram = weighted_gram(map_columns(dataset.positives, self.modelled_), parameters["user_exponent"])
        add_metadata(gram, dataset.movie_features[1][self.modelled_], parameters["metadata_weight"])
        self.weights_ = ease_weights(gram, parameters["regularization"])


def weighted_gram(positives: csr_matrix, user_exponent: float) -> Array:
    """X' D X, with D scaled so that the positives keep their mean weight of 1."""
    counts = np.diff(positives.indptr).astype(np.float64)
    weights = np.maximum(counts, 1.0) ** -user_exponent
    weights *= counts.sum() / max(float((weights * counts).sum()), 1e-12)
    return gram_matrix((diags(np.sqrt(weights).astype(np.float32)) @ positives).tocsr())


def add_metadata(gram: Array, features: csr_matrix, weight: float) -> None:
    """gram += weight F F', in blocks."""
    if weight and features.nnz:
        by_feature = features.T.tocsr()
        for start in range(0, len(gram), BLOCK):
            gram[start : start + BLOCK] += weight * (features[start : start + BLOCK] @ by_feature).toarray()


def choose_parameters(split: InnerSplit, features: csr_matrix, given: dict[str, float | None]) -> Parameters:
    """What was not given, one after the other: the best nDCG@10 among the most rated movies."""
    trial = _Trial(split, features)
    parameters = {name: DEFAULTS[name] if value is None else value for name, value in given.items()}
    if not trial.has_metadata and given["metadata_weight"] is None:
        parameters["metadata_weight"] = 0.0
    if given["regularization"] is None:
        parameters["regularization"] = best_of(
            REGULARIZATIONS_TRIED, lambda value: trial.quality(parameters | {"regularization": value})
        )
    if given["metadata_weight"] is None and trial.has_metadata:
        found = best_of(METADATA_WEIGHTS_TRIED, lambda value: trial.quality(parameters | {"metadata_weight": value}))
        parameters["metadata_weight"] = trial.better(parameters, "metadata_weight", (0.0, found))
    if given["user_exponent"] is None:
        parameters["user_exponent"] = trial.better(parameters, "user_exponent", USER_EXPONENTS_TRIED)
    return {name: parameters[name] for name, value in given.items() if value is None}


class _Trial:
    def __init__(self, split: InnerSplit, features: csr_matrix) -> None:
        modelled = most_rated(split.train, CHOICE_MOVIES)
        self.liked = map_columns(split.train.positives, modelled)
        self.judged = self.liked[split.judged]
        self.seen = map_columns(split.train.ratings[split.judged], modelled)
        self.answers = map_columns(split.answers, modelled)
        self.features = features[modelled]
        self.has_metadata = bool(self.features.nnz)

    def quality(self, parameters: Parameters) -> float:
        if not self.answers.nnz:
            return float("nan")
        gram = weighted_gram(self.liked, parameters["user_exponent"])
        add_metadata(gram, self.features, parameters["metadata_weight"])
        scores = self.judged @ ease_weights(gram, parameters["regularization"])
        return float(np.nanmean(ndcg_of_scores(scores, self.seen, self.answers)))

    def better(self, parameters: Parameters, name: str, tried: tuple[float, ...]) -> float:
        """The value of the highest quality; the first one where nothing can be judged."""
        qualities = [self.quality(parameters | {name: value}) for value in tried]
        return tried[int(np.nanargmax(qualities))] if np.isfinite(qualities).any() else tried[0]
