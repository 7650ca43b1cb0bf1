"""The most popular movies, with a half-life for what is popular now."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, number
from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array
from recommender.estimators.ranking import EXACT_BITS
from recommender.estimators.validation import ndcg_of_scores, split_time

DAY_NS = 86_400 * 10**9
HALF_LIVES_GRID = (math.inf, 365.0, 90.0, 30.0, 14.0, 7.0, 4.0, 2.0, 1.0)


@dataclass(frozen=True)
class PopularityConfig(Config):
    half_life_days: float | None = number(None, above=0)  # infinity: all time; chosen on the latest tenth of the data


class PopularityRecommender(Recommender):
    """score(movie) = sum over its positives of 2^(-(now - rated_at) / half_life); the same for everybody."""

    algorithm = "popularity"
    config_class: ClassVar[type[Config]] = PopularityConfig
    popularity_prior = 0.0
    score_bits = EXACT_BITS  # counts stay exact up to 16 million

    def _fit(self, dataset: Dataset) -> None:
        half_life = self.config.half_life_days
        if half_life is None:
            half_life = _tune_half_life(dataset)
            self.best_params_ = {"half_life_days": half_life}
        self.scores_ = decayed_popularity(dataset, half_life)

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        scores = self.scores_ if item_idx is None else self.scores_[item_idx]
        return np.tile(scores, (history.shape[0], 1))


def decayed_popularity(dataset: Dataset, half_life_days: float) -> Array:
    """Each movie's positives, weighted by age."""
    ratings, threshold = dataset.ratings, dataset.implicit_threshold
    weights = np.exp2((dataset.rated_at - dataset.now) / DAY_NS / half_life_days)
    if threshold is not None:
        weights *= ratings.data >= threshold
    return np.bincount(ratings.indices, weights=weights, minlength=dataset.n_movies)


def trend_of(dataset: Dataset, half_life_days: float) -> Array:
    """log(1 + 2 n) of each movie, float32 (movies,), with n its positives decayed by the half-life."""
    return np.asarray(np.log1p(2 * decayed_popularity(dataset, half_life_days)).astype(np.float32))


def _tune_half_life(dataset: Dataset) -> float:
    """The best nDCG@10 for the ratings of the latest tenth, from the rest; all time where times are constant."""
    if not dataset.has_times:
        return math.inf
    train, answers = split_time(dataset, share=0.1)
    sampled = np.flatnonzero(np.diff(answers.indptr))
    if not train.positives.nnz or not len(sampled):
        return math.inf
    seen, answers = train.ratings[sampled], answers[sampled]
    quality = [
        np.mean(ndcg_of_scores(np.tile(decayed_popularity(train, days), (len(sampled), 1)), seen, answers))
        for days in HALF_LIVES_GRID
    ]
    return HALF_LIVES_GRID[int(np.argmax(quality))]
