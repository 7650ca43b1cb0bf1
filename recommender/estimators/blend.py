"""One score from a personal one and from what is popular now.

    score = sign(s) sqrt|s| + popularity_weight * log(1 + 2 n)

s is what an item-item model predicts (about the chance that the user likes the movie, squeezed as chances of rare
things want it), n the movie's positives of late, each counting 2^(-age / half-life).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.dataset import Dataset
from recommender.estimators.histories import map_columns
from recommender.estimators.inner_splits import InnerSplit
from recommender.estimators.item_rows import ItemRows, item_scores
from recommender.estimators.popularity import decayed_popularity
from recommender.estimators.validation import most_rated, ndcg_of_scores

Array = np.ndarray[Any, Any]

HALF_LIVES_TRIED = (1.0, 2.0, 4.0, 7.0, 14.0, 30.0, 90.0, 365.0, math.inf)
WEIGHTS_TRIED = (0.0, 0.01, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
FIRST_WEIGHT = 0.25
CHOICE_MOVIES = 4000


class Judged(NamedTuple):
    personal: Array
    trends: dict[float, Array]  # by half-life
    seen: csr_matrix
    answers: csr_matrix


def personal_part(scores: Array) -> Array:
    part: Array = np.sign(scores) * np.sqrt(np.abs(scores))
    return part


def trend_of(dataset: Dataset, half_life_days: float) -> Array:
    trend: Array = np.log1p(2 * decayed_popularity(dataset, half_life_days, dataset.now)).astype(np.float32)
    return trend


def choose_blend(
    splits: list[InnerSplit],
    features: csr_matrix,
    item_parameters: dict[str, float],
    given: dict[str, float | None],
    by_time: bool,
) -> dict[str, float]:
    """half_life_days and popularity_weight, as far as not given: the best nDCG@10 over all the splits' users.

    A random split mixes past and future, so it cannot tell half-lives apart: there all time is taken.
    """
    half_life, weight = given["half_life_days"], given["popularity_weight"]
    half_lives = [half_life] if half_life is not None else list(HALF_LIVES_TRIED if by_time else [math.inf])
    judged = [_judge(split, features, item_parameters, half_lives) for split in splits]
    weights = [weight] if weight is not None else list(WEIGHTS_TRIED)
    first = FIRST_WEIGHT if weight is None else weight
    best_half_life = _best(half_lives, lambda days: _quality(judged, days, first))
    best_weight = _best(weights, lambda value: _quality(judged, best_half_life, value))
    if best_weight > 0:
        best_half_life = _best(half_lives, lambda days: _quality(judged, days, best_weight))
    found = {"half_life_days": best_half_life, "popularity_weight": best_weight}
    return {name: found[name] for name, value in given.items() if value is None}


def _judge(
    split: InnerSplit, features: csr_matrix, item_parameters: dict[str, float], half_lives: list[float]
) -> Judged:
    modelled = most_rated(split.train, CHOICE_MOVIES)
    scores = item_scores(ItemRows.of(split.train, modelled, features), split.judged, item_parameters)
    return Judged(
        personal_part(scores),
        {days: trend_of(split.train, days)[modelled] for days in half_lives},
        map_columns(split.train.ratings[split.judged], modelled),
        map_columns(split.answers, modelled),
    )


def _quality(judged: list[Judged], half_life: float, weight: float) -> float:
    qualities = [
        ndcg_of_scores(part.personal + np.float32(weight) * part.trends[half_life], part.seen, part.answers)
        for part in judged
        if part.answers.nnz
    ]
    return float(np.nanmean(np.concatenate(qualities))) if qualities else float("nan")


def _best(tried: list[float], quality: Any) -> float:
    """The first of the best; nothing is tried where there is no choice."""
    if len(tried) == 1:
        return tried[0]
    qualities = [quality(value) for value in tried]
    return tried[int(np.nanargmax(qualities))] if np.isfinite(qualities).any() else tried[0]
