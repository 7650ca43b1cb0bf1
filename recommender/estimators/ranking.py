"""Turns scores into ranked lists: rounding, batches of users, exclusion and the cut at k."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.ids import IdArray
from recommender.estimators.interactions import Array, without_each
from recommender.estimators.lazy_pandas import pd

Scoring = Callable[[csr_matrix, Array], Array]

BATCH_USERS = 256  # users scored at a time; bounds memory (users x movies)
EXCLUDED = -np.inf
# Significant bits of a score. Refits with other BLAS kernels change scores by some millionths. Rounding is much
# coarser, so that mathematically equal scores are also equal in memory and the tie rule applies.
SCORE_BITS = 16
NEAR_TIE = 2.0 ** (1 - SCORE_BITS)  # the largest rounding step relative to a score (see round_scores)
EXACT_BITS = 24  # significant bits of a float32, for models whose fit and scores do not use BLAS
MISERY = 0.5  # stars below a person's mean; predictions vary little, and only the worst eighth is lower
POOL_FACTOR = 13  # maximum size of the pool, in multiples of k
POOL_EXTRA = 120  # maximum size of the pool above k
POOL_SHARE = 0.25  # maximum share of all candidates; in a small catalogue, the 120th movie is a poor one
GROUP = 16  # scores per group; the first search for the best k uses only the maximum of each group


def pool_size(k: int, n_candidates: int) -> int:
    """Return the number of best candidates from which a list of k is chosen."""
    return max(k, min(POOL_FACTOR * k, k + POOL_EXTRA, int(POOL_SHARE * n_candidates)))


def check_k(k: Any) -> int:
    """Return k as an int. Raises ValueError unless it is a positive whole number."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"k: expected a positive whole number, got {k!r}")
    return int(k)


def round_scores(scores: Array, bits: int = SCORE_BITS) -> Array:
    """Return a float64 copy of the scores with `bits` significant bits.

    Each result depends only on its own score. The relative rounding error is at most NEAR_TIE / 2, and the order of the
    scores is kept. Scores that differ by less than a rounding step may still be rounded apart, so movies whose scores
    differ by at most NEAR_TIE can swap ranks between processors. No others can. Adding half a step to a float's
    mantissa and truncating it takes a few microseconds for 10,000 scores.
    """
    rounded = np.array(scores, order="C")
    integer, precision = (np.int32, 24) if rounded.dtype == np.float32 else (np.int64, 53)
    if precision > bits:
        as_int = rounded.view(integer)
        np.add(as_int, integer(1 << (precision - bits - 1)), out=as_int)
        np.bitwise_and(as_int, integer(-(1 << (precision - bits))), out=as_int)
    return rounded.astype(np.float64, copy=False)


def top_k(scores: Array, k: int) -> Array:
    """Return the positions of the k highest scores, best first, ties by position.

    Excluded positions have the score -inf and are never returned, so the result may be shorter than k.
    """
    allowed = np.flatnonzero(scores > _threshold(scores, k))
    return allowed[np.argsort(-scores[allowed], kind="stable")][:k]


def _threshold(scores: Array, k: int) -> float:
    """Return a threshold below the k-th highest score and all scores tied with it.

    The k-th highest group maximum is a lower bound of that score and is found in a tenth of the time.
    """
    n_groups = len(scores) // GROUP
    if n_groups > 2 * k:
        scores = scores[: n_groups * GROUP].reshape(GROUP, n_groups).max(axis=0)
    if k >= len(scores):
        return EXCLUDED
    kth = np.partition(scores, len(scores) - k)[len(scores) - k]
    return float(np.nextafter(kth, EXCLUDED)) if kth > EXCLUDED else EXCLUDED


def scores_without_each(score: Scoring, history: csr_matrix, item_idx: Array) -> list[float]:
    """Return the scores of one movie for one history, each without one of the ratings."""
    scores: list[float] = []
    for start in range(0, history.nnz, BATCH_USERS):
        removed = np.arange(start, min(start + BATCH_USERS, history.nnz))
        scores += score(without_each(history, removed), item_idx)[:, 0].tolist()
    return scores


def cut_lists(
    score: Scoring, history: csr_matrix, item_idx: Array, k: int, exclude_seen: bool, excluded: list[Array] | None
) -> tuple[list[Array], list[Array]]:
    """Return each user's best positions and their scores. `item_idx` must be in order of movie ids, for ties."""
    at = np.full(history.shape[1], -1, dtype=np.int64)
    at[item_idx] = np.arange(len(item_idx))
    picked: list[Array] = []
    scores: list[Array] = []
    for start in range(0, history.shape[0] if len(item_idx) else 0, BATCH_USERS):
        batch = history if history.shape[0] <= BATCH_USERS else history[start : start + BATCH_USERS]
        for row, line in enumerate(score(batch, item_idx)):
            if exclude_seen:
                _mask(line, at[batch.indices[batch.indptr[row] : batch.indptr[row + 1]]])
            if excluded is not None:
                _mask(line, at[excluded[start + row]])
            best = top_k(line, k)
            picked.append(item_idx[best])
            scores.append(line[best])
    return picked, scores


def _mask(scores: Array, positions: Array) -> None:
    scores[positions[positions >= 0]] = EXCLUDED


def list_frame(users: IdArray, movie_ids: IdArray, picked: list[Array], scores: list[Array]) -> pd.DataFrame:
    """Return a data frame (user_id, movie_id, score, rank) of each user's item positions and scores."""
    lengths = [len(item_idx) for item_idx in picked] or [0] * len(users)
    return pd.DataFrame(
        {
            "user_id": np.repeat(users, lengths),
            "movie_id": movie_ids[_joined(picked, np.int64)],
            "score": _joined(scores, np.float64),
            "rank": _joined([np.arange(1, length + 1) for length in lengths], np.int64),
        }
    )


def _joined(parts: list[Array], kind: Any) -> Array:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)


def merge_repeated(users: IdArray, excluded: list[Array] | None) -> tuple[IdArray, list[Array] | None]:
    """Return the unique users in order of first occurrence. Merges the exclusions of repeated users."""
    codes, unique = pd.factorize(users)
    if excluded is not None:
        merged: list[list[Array]] = [[] for _ in unique]
        for code, positions in zip(codes, excluded, strict=True):
            merged[code].append(positions)
        excluded = [np.concatenate(parts) for parts in merged]
    return unique, excluded


def average_without_misery(worth: Array, stars: Array, means: Array) -> Array:
    """Return one value per movie, or EXCLUDED if any person's predicted stars are more than MISERY below their mean.

    `worth` and `stars` are (people, movies). `worth` is at least 0, on a scale that may differ between people. Everyone
    has equal weight.
    """
    best = worth.max(axis=1, keepdims=True)
    share = np.sort(worth / np.where(best > 0, best, 1.0), axis=0)  # the sum must not depend on the order of people
    together = np.asarray(share.mean(axis=0))
    if len(worth) > 1:
        together[(stars < means[:, None] - MISERY).any(axis=0)] = EXCLUDED
    return together
