"""The most popular movies, of all time or now.

All-time popularity is the number of people who like the movie. Current popularity depends on a half-life:

popularity = max(0, current - CHANCE_LIKES) + ever * min(1, PRIOR_LIKES / the sum of ever over all movies)

* `current`: the movie's likes, each weighted by 2^(-age / half-life)
* `ever`: the movie's likes of all time

In both, a like of a person with n ratings has weight min(1, PERSON_RATINGS / n)^2. Beyond PERSON_RATINGS, each further
rating reduces the total weight of the person's ratings, so that no account can shift popularity by rating many movies.
Such estimators are called redescending (F. Hampel et al., "Robust Statistics", 1986). CHANCE_LIKES is subtracted
because two people may like a movie by chance. A like later than the data's `now` is due to a wrong clock and is not
current.

The second term is a Dirichlet prior worth PRIOR_LIKES likes, or all likes if there are fewer, distributed over the
movies in proportion to their all-time likes. With CHANCE_LIKES = 0, popularity divided by its sum would be the
posterior mean of a movie's share of current likes (compare the smoothing of words in C. Zhai and J. Lafferty, "A study
of smoothing methods for language models applied to information retrieval", ACM TOIS 22(2), 2004). `catalog.popularity`
computes the same on a site. `python -m benchmarks.popular` measures attacks and quality.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.base import Recommender
from recommender.estimators.config import Config, number
from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, row_numbers
from recommender.estimators.ranking import EXACT_BITS
from recommender.estimators.validation import ndcg_of_scores, split_time

DAY_NS = 86_400 * 10**9
HALF_LIVES_GRID = (math.inf, 365.0, 90.0, 30.0, 14.0, 7.0, 4.0, 2.0, 1.0)
PRIOR_LIKES = 200.0
CHANCE_LIKES = 2.0
PERSON_RATINGS = 500.0
OLDEST = -1000.0  # lowest age in half-lives; 2**OLDEST is still a positive double


@dataclass(frozen=True)
class PopularityConfig(Config):
    half_life_days: float | None = number(None, above=0)  # infinity: all time; None: tuned


class PopularityRecommender(Recommender):
    """Ranks movies by `popularity_of`, the same for all users."""

    algorithm = "popularity"
    is_personal = False
    config_class: ClassVar[type[Config]] = PopularityConfig
    popularity_prior = 0.0
    score_bits = EXACT_BITS  # exact for counts up to 16 million

    def _fit(self, dataset: Dataset) -> None:
        half_life = self.config.half_life_days
        if half_life is None:
            half_life = _tune_half_life(dataset)
            self.best_params_ = {"half_life_days": half_life}
        self.scores_ = popularity_of(dataset, half_life)

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        scores = self.scores_ if item_idx is None else self.scores_[item_idx]
        return np.tile(scores, (history.shape[0], 1))


def popularity_of(dataset: Dataset, half_life_days: float) -> Array:
    """Return each movie's popularity (movies,) by the formula above. An infinite half-life means all time."""
    if math.isinf(half_life_days):
        return _likes(dataset, _recency(dataset, half_life_days))
    of_person = np.square(PERSON_RATINGS / np.maximum(np.diff(dataset.ratings.indptr), PERSON_RATINGS))
    weights = of_person[row_numbers(dataset.ratings)]
    current, ever = _likes(dataset, weights * _recency(dataset, half_life_days)), _likes(dataset, weights)
    prior = ever * min(1.0, PRIOR_LIKES / max(float(ever.sum()), 1.0))
    return np.maximum(current - CHANCE_LIKES, 0) + prior


def trend_of(dataset: Dataset, half_life_days: float) -> Array:
    """Return log(1 + 2 n) for each movie, float32 (movies,). n is the number of positives, decayed by the half-life."""
    return np.asarray(np.log1p(2 * _likes(dataset, _recency(dataset, half_life_days))).astype(np.float32))


def _recency(dataset: Dataset, half_life_days: float) -> Array:
    """Return the weight of each rating by its age."""
    if math.isinf(half_life_days):
        return np.ones(len(dataset.rated_at))
    age = (dataset.rated_at - dataset.now) / DAY_NS / half_life_days
    return np.where(age > 0, 0.0, np.exp2(np.clip(age, OLDEST, 0)))


def _likes(dataset: Dataset, weights: Array) -> Array:
    """Return the weighted number of positives of each movie. `weights` has one entry per rating."""
    ratings, threshold = dataset.ratings, dataset.implicit_threshold
    if threshold is not None:
        weights = weights * (ratings.data >= threshold)
    return np.bincount(ratings.indices, weights=weights, minlength=dataset.n_movies)


def _tune_half_life(dataset: Dataset) -> float:
    """Return the half-life with the best nDCG@10 for predicting the latest tenth of the ratings from the rest.

    Returns infinity (all time) if all ratings have the same time.
    """
    if not dataset.has_times:
        return math.inf
    train, answers = split_time(dataset, share=0.1)
    sampled = np.flatnonzero(np.diff(answers.indptr))
    if not train.positives.nnz or not len(sampled):
        return math.inf
    seen, answers = train.ratings[sampled], answers[sampled]
    quality = [
        np.mean(ndcg_of_scores(np.tile(popularity_of(train, days), (len(sampled), 1)), seen, answers))
        for days in HALF_LIVES_GRID
    ]
    return HALF_LIVES_GRID[int(np.argmax(quality))]
