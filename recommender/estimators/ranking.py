"""From scores to ranked lists: rounding, batches of users, exclusion, the cut at k."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.ids import IdArray
from recommender.estimators.interactions import Array, without_each
from recommender.estimators.lazy_pandas import pd

Scoring = Callable[[csr_matrix, Array], Array]

BATCH_USERS = 256  # bounds memory: users x movies scores of one batch at a time
EXCLUDED = -np.inf
# Scores keep this many significant bits. Refits under other BLAS kernels differ by some millionths of a score; rounding
# well above that makes scores that are equal on paper equal in memory too, and the rule for ties decides.
SCORE_BITS = 16
NEAR_TIE = 2.0 ** (1 - SCORE_BITS)  # the largest rounding step, relative to a score: see round_scores
EXACT_BITS = 24  # those of a float32: for models whose fit and scores do not use BLAS
MISERY = 0.5  # stars below what a person gives on average: predictions stay near it, so that is the worst eighth
POOL_FACTOR = 13  # of k: the best so many may come into a list
POOL_EXTRA = 120  # but no more than so many beyond k
POOL_SHARE = 0.25  # of all candidates: in a small catalogue the 120th movie is not a good one
GROUP = 16  # scores, of which only the highest counts in a first look for the best k


def pool_size(k: int, n_candidates: int) -> int:
    """Number of best movies from which a list of k is chosen, given the number of candidates."""
    return max(k, min(POOL_FACTOR * k, k + POOL_EXTRA, int(POOL_SHARE * n_candidates)))


def check_k(k: Any) -> int:
    """k as an int; ValueError unless it is a positive whole number."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"k: expected a positive whole number, got {k!r}")
    return int(k)


def round_scores(scores: Array, bits: int = SCORE_BITS) -> Array:
    """float64 copy of the scores with `bits` significant bits.

    Each result depends on its own score alone and is at most NEAR_TIE / 2 away from it, relative to it; the order of
    scores is kept. Scores that differ by less than a step can still fall on its two sides, so two movies whose scores
    differ by NEAR_TIE or less can swap ranks between processors; no others can.
    Adding half a step to a float's mantissa and cutting it takes a few microseconds for 10,000 scores.
    """
    rounded = np.array(scores, order="C")
    integer, precision = (np.int32, 24) if rounded.dtype == np.float32 else (np.int64, 53)
    if precision > bits:
        as_int = rounded.view(integer)
        np.add(as_int, integer(1 << (precision - bits - 1)), out=as_int)
        np.bitwise_and(as_int, integer(-(1 << (precision - bits))), out=as_int)
    return rounded.astype(np.float64, copy=False)


def top_k(scores: Array, k: int) -> Array:
    """Positions of the k highest scores, best first, of equal scores the lower position first.

    Excluded positions hold -inf and never come back, so the answer may be shorter than k.
    """
    allowed = np.flatnonzero(scores > _threshold(scores, k))
    return allowed[np.argsort(-scores[allowed], kind="stable")][:k]


def _threshold(scores: Array, k: int) -> float:
    """Just below the k-th highest score or somewhat lower: all ties with it stay in, so the cut among them is exact.

    The k-th highest of the maxima of groups is such a lower bound, found in a tenth of the time.
    """
    n_groups = len(scores) // GROUP
    if n_groups > 2 * k:
        scores = scores[: n_groups * GROUP].reshape(GROUP, n_groups).max(axis=0)
    if k >= len(scores):
        return EXCLUDED
    kth = np.partition(scores, len(scores) - k)[len(scores) - k]
    return float(np.nextafter(kth, EXCLUDED)) if kth > EXCLUDED else EXCLUDED


def scores_without_each(score: Scoring, history: csr_matrix, item_idx: Array) -> list[float]:
    """Of the one movie, for the one history without each of its ratings in turn."""
    scores: list[float] = []
    for start in range(0, history.nnz, BATCH_USERS):
        removed = np.arange(start, min(start + BATCH_USERS, history.nnz))
        scores += score(without_each(history, removed), item_idx)[:, 0].tolist()
    return scores


def cut_lists(
    score: Scoring, history: csr_matrix, item_idx: Array, k: int, exclude_seen: bool, excluded: list[Array] | None
) -> tuple[list[Array], list[Array]]:
    """Each user's best columns and their scores. `columns` come in the order of movie ids, which breaks ties."""
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
    """A DataFrame user_id, movie_id, score, rank from the item positions and scores of each user's list."""
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
    """Each user once, in the order of first mention, with everything excluded for any mention."""
    codes, unique = pd.factorize(users)
    if excluded is not None:
        merged: list[list[Array]] = [[] for _ in unique]
        for code, positions in zip(codes, excluded, strict=True):
            merged[code].append(positions)
        excluded = [np.concatenate(parts) for parts in merged]
    return unique, excluded


def average_without_misery(worth: Array, stars: Array, means: Array) -> Array:
    """One value a movie, EXCLUDED where one of the company is predicted to give MISERY stars less than their mean.

    `worth` and `stars` are (people, movies), `worth` 0 or more on a scale of each person's own; all have equal say.
    """
    best = worth.max(axis=1, keepdims=True)
    share = np.sort(worth / np.where(best > 0, best, 1.0), axis=0)  # sorted, so that the sum is the same in any order
    together = np.asarray(share.mean(axis=0))
    if len(worth) > 1:
        together[(stars < means[:, None] - MISERY).any(axis=0)] = EXCLUDED
    return together
