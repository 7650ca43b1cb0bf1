"""Splits of a model's training data for tuning the parameters that were not given."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, places_in_rows, positives_of, row_numbers, select_items
from recommender.estimators.ranking import EXCLUDED

logger = logging.getLogger(__name__)


def split_random(dataset: Dataset, share: float, random_state: int) -> tuple[Dataset, csr_matrix]:
    """Hold out a share of each user's ratings, but keep at least one. The held-out positives are the ground truth."""
    rng = np.random.default_rng(random_state)
    counts = np.diff(dataset.ratings.indptr)
    place = places_in_rows(dataset.ratings, rng.random(dataset.ratings.nnz))
    n_hidden = np.minimum(np.round(share * counts), counts - 1)
    return _hide(dataset, place < n_hidden[row_numbers(dataset.ratings)])


def split_time(dataset: Dataset, share: float) -> tuple[Dataset, csr_matrix]:
    """Hold out the latest share of all ratings. The split is at the same time for all users."""
    cut = np.quantile(dataset.rated_at, 1 - share, method="higher") if len(dataset.rated_at) else 0
    return _hide(dataset, dataset.rated_at >= cut)


def _hide(dataset: Dataset, hidden: Array) -> tuple[Dataset, csr_matrix]:
    answers = positives_of(dataset.keep(hidden).ratings, dataset.implicit_threshold)
    return dataset.keep(~hidden), answers


def ndcg_of_scores(scores: Array, seen: csr_matrix, answers: csr_matrix, k: int = 10) -> Array:
    """Return the binary nDCG@k of each row, ignoring seen movies. Rows without held-out positives give NaN."""
    scores = np.array(scores, dtype=np.float32)
    k = min(k, scores.shape[1])
    scores[row_numbers(seen), seen.indices] = EXCLUDED
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    is_hit = np.take_along_axis(answers.toarray() > 0, np.take_along_axis(top, order, axis=1), axis=1)
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gains)[np.minimum(np.diff(answers.indptr), k) - 1]
    return np.asarray(np.where(np.diff(answers.indptr) > 0, is_hit @ gains / ideal, np.nan))


class Holdout(NamedTuple):
    """Holds out a random fifth of each user's ratings. Restricted to the most-rated movies."""

    liked: csr_matrix  # all users' positives that are not held out
    history: csr_matrix  # the same, for the users to evaluate on
    seen: csr_matrix
    answers: csr_matrix

    @classmethod
    def of(cls, dataset: Dataset, random_state: int, max_users: int, max_movies: int | None = None) -> Self:
        """Split the dataset. With `max_movies` None, all movies are used."""
        train, answers = split_random(dataset, share=0.2, random_state=random_state)
        users = sample_users(answers, max_users, random_state)
        movies = np.arange(dataset.n_movies) if max_movies is None else most_rated(train, max_movies)
        liked = select_items(train.positives, movies)
        return cls(liked, liked[users], *(select_items(part[users], movies) for part in (train.ratings, answers)))

    def quality(self, scores: Array) -> float:
        """Return the mean nDCG@10 of scores (users, movies)."""
        return float(np.nanmean(ndcg_of_scores(scores, self.seen, self.answers)))


def mean_or_nan(qualities: Array) -> float:
    """Return the mean, or NaN for an empty array, without numpy's warning."""
    return float(qualities.mean()) if len(qualities) else float("nan")


def modelled_movies(dataset: Dataset, limit: int, owner: str) -> Array:
    """Return `most_rated` and log a line if the limit excludes movies."""
    item_idx = most_rated(dataset, limit)
    n_liked = int((dataset.popularity > 0).sum())
    if len(item_idx) < n_liked:
        share = float(dataset.popularity[item_idx].sum() / dataset.popularity.sum())
        logger.info(
            "%s: %s of %s movies are modelled, those with the most positives (%.1f %% of all); max_movies is the limit",
            owner,
            f"{len(item_idx):,}",
            f"{n_liked:,}",
            100 * share,
        )
    return item_idx


def most_rated(dataset: Dataset, limit: int) -> Array:
    """Return the ascending positions of at most `limit` movies with the most positives. Ties go to the lower id."""
    counts = dataset.popularity
    order = np.argsort(-counts, kind="stable")[:limit]
    return np.sort(order[counts[order] > 0])


def sample_users(answers: csr_matrix, limit: int, random_state: int) -> Array:
    """Return at most `limit` rows, drawn from those with held-out positives."""
    rows = np.flatnonzero(np.diff(answers.indptr))
    if len(rows) <= limit:
        return rows
    return np.sort(np.random.default_rng(random_state).choice(rows, size=limit, replace=False))


def best_of(tried: Sequence[float], quality: Callable[[float], float]) -> float:
    """Return the best value of an ascending geometric range, found by climbing from its middle.

    Quality over such a range rises to a single maximum and then falls, so most values need no trial. It is noisy near
    the maximum, so the result is the vertex of the parabola (over the logarithm) through the best value and its
    neighbours. If no quality can be computed (NaN), the result is the middle.
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
    sides = [at(position) for position in (best - 1, best + 1) if 0 <= position < len(tried)]
    if len(sides) < 2 or not np.isfinite([*sides, at(best)]).all():
        return tried[best]
    return _top_of_parabola(np.log(tried[best - 1 : best + 2]), np.array([sides[0], at(best), sides[1]]))


def _top_of_parabola(x: Array, y: Array) -> float:
    square, linear, _ = np.polyfit(x - x[1], y, 2)
    shift = -linear / (2 * square) if square < 0 else 0.0
    return float(np.exp(x[1] + np.clip(shift, x[0] - x[1], x[2] - x[1])))
