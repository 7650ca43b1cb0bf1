"""People of few ratings get more of what is popular, beside what those ratings say of their taste.

The plain second stage gives what trends now a weight of

    popularity_weight + newcomer_weight / (1 + n)^2

for somebody of n ratings: the first few say less of a taste than everybody's likes together. The weight is chosen
where it counts, on histories of which but a few ratings are left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.ease import ease_weights
from recommender.estimators.histories import map_columns
from recommender.estimators.inner_splits import InnerSplit
from recommender.estimators.item_rows import ItemRows, Parameters, inputs_of
from recommender.estimators.signals import trend_of
from recommender.estimators.stars import residuals
from recommender.estimators.validation import most_rated, ndcg_of_scores

Array = np.ndarray[Any, Any]

WEIGHTS_TRIED = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
LENGTHS = (1, 2, 5)
CHOICE_MOVIES = 4000


def newcomer_share(n_ratings: Array) -> Array:
    share: Array = (1.0 / (1.0 + n_ratings) ** 2).astype(np.float32)
    return share


def choose_newcomer_weight(split: InnerSplit, features: csr_matrix, items: Parameters, blend: Parameters) -> float:
    """The best nDCG@10 over the split's users, each with LENGTHS of their ratings in turn."""
    movies = most_rated(split.train, CHOICE_MOVIES)
    rows = ItemRows.of(split.train, movies, features)
    weights = ease_weights(rows.gram(items), items["regularization"], items["dropout"])
    trend = trend_of(split.train, blend["half_life_days"])[movies]
    answers = map_columns(split.answers, movies)
    qualities = np.zeros(len(WEIGHTS_TRIED))
    for length in LENGTHS:
        few = keep_some(split.train.ratings[split.judged], length)
        above = map_columns(residuals(few, *split.train.star_biases), movies)
        seen = map_columns(few, movies)
        scores = inputs_of(seen, above, rows.threshold, items["history_weight"]) @ weights
        taste = np.sign(scores) * np.sqrt(np.abs(scores))
        share = newcomer_share(np.diff(few.indptr))[:, None]
        for at, weight in enumerate(WEIGHTS_TRIED):
            popular = (np.float32(blend["popularity_weight"]) + np.float32(weight) * share) * trend
            qualities[at] += np.nansum(ndcg_of_scores(taste + popular, seen, answers))
    return WEIGHTS_TRIED[int(np.argmax(qualities))]


def keep_some(history: csr_matrix, n_ratings: int) -> csr_matrix:
    """At most so many ratings of each row, drawn by chance, the same at each call."""
    counts = np.diff(history.indptr)
    owners = np.repeat(np.arange(history.shape[0]), counts)
    order = np.lexsort((np.random.default_rng(0).random(history.nnz), owners))
    place = np.empty(history.nnz, dtype=np.int64)
    place[order] = np.arange(history.nnz) - np.repeat(history.indptr[:-1], counts)
    kept = place < n_ratings
    indptr = np.concatenate([[0], np.cumsum(kept)])[history.indptr]
    return csr_matrix((history.data[kept], history.indices[kept], indptr), shape=history.shape)
