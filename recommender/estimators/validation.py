"""Inner splits of a model's own training data, for choosing what was not given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.dataset import Dataset, positives_of
from recommender.estimators.ranking import EXCLUDED, top_k

Array = np.ndarray[Any, Any]


def split_random(dataset: Dataset, share: float, random_state: int) -> tuple[Dataset, csr_matrix]:
    """Hide a share of each user's ratings, leaving at least one; the hidden positives are the answer."""
    rng = np.random.default_rng(random_state)
    counts = np.diff(dataset.ratings.indptr)
    rows = np.repeat(np.arange(dataset.n_users), counts)
    order = np.lexsort((rng.random(dataset.ratings.nnz), rows))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - np.repeat(dataset.ratings.indptr[:-1], counts)
    hidden = place < np.minimum(np.round(share * counts), counts - 1)[rows]
    return _hide(dataset, hidden)


def split_time(dataset: Dataset, share: float) -> tuple[Dataset, csr_matrix]:
    """Hide the latest share of all ratings: one moment for everybody, as a site meets it."""
    cut = np.quantile(dataset.rated_at, 1 - share, method="higher") if len(dataset.rated_at) else 0
    return _hide(dataset, dataset.rated_at >= cut)


def _hide(dataset: Dataset, hidden: Array) -> tuple[Dataset, csr_matrix]:
    answers = positives_of(dataset.keep(hidden).ratings, dataset.implicit_threshold)
    return dataset.keep(~hidden), answers


def ndcg_of_scores(scores: Array, seen: csr_matrix, answers: csr_matrix, k: int = 10) -> Array:
    """Binary nDCG@k for each row, seen movies struck from the list; NaN where a row has no answer."""
    gains = 1 / np.log2(np.arange(2, k + 2))
    result = np.full(len(scores), np.nan)
    for row in range(len(scores)):
        wanted = answers.indices[answers.indptr[row] : answers.indptr[row + 1]]
        if not len(wanted):
            continue
        line = scores[row].copy()
        line[seen.indices[seen.indptr[row] : seen.indptr[row + 1]]] = EXCLUDED
        hits = np.isin(top_k(line, k), wanted)
        result[row] = (hits * gains[: len(hits)]).sum() / gains[: min(k, len(wanted))].sum()
    return result


def sample_users(answers: csr_matrix, limit: int, random_state: int) -> Array:
    """Rows with an answer, at most `limit` of them."""
    rows = np.flatnonzero(np.diff(answers.indptr))
    if len(rows) <= limit:
        return rows
    return np.sort(np.random.default_rng(random_state).choice(rows, size=limit, replace=False))


def best_of(tried: Sequence[float], quality: Callable[[float], float]) -> float:
    """The value of the highest quality, climbing from the middle of an ascending range; ties keep the middle.

    Quality over such a range rises to one top and falls, so most of the values need no trial. One that is not
    a number (nothing to judge) never wins.
    """
    known: dict[int, float] = {}

    def at(position: int) -> float:
        if position not in known:
            value = quality(tried[position])
            known[position] = value if np.isfinite(value) else -np.inf
        return known[position]

    best = len(tried) // 2
    for step in (-1, 1):
        while 0 <= best + step < len(tried) and at(best + step) > at(best):
            best += step
    return tried[best]
