"""From scores to tables: batches of users, exclusion, the cut at k."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from recommender.estimators.ids import IdArray, id_array
from recommender.estimators.ranking import EXCLUDED, top_k

Array = np.ndarray[Any, Any]
Scoring = Callable[[csr_matrix, Array], Array]

BATCH_USERS = 256  # bounds memory: users x movies scores of one batch at a time


def cut_lists(
    score: Scoring, history: csr_matrix, columns: Array, k: int, exclude_seen: bool, excluded: list[Array] | None
) -> tuple[list[Array], list[Array]]:
    """Each user's best columns and their scores. `columns` come in the order of movie ids, which breaks ties."""
    at = np.full(history.shape[1], -1, dtype=np.int64)
    at[columns] = np.arange(len(columns))
    picked: list[Array] = []
    scores: list[Array] = []
    for start in range(0, history.shape[0] if len(columns) else 0, BATCH_USERS):
        batch = history[start : start + BATCH_USERS]
        for row, line in enumerate(score(batch, columns)):
            if exclude_seen:
                _strike(line, at[batch.indices[batch.indptr[row] : batch.indptr[row + 1]]])
            if excluded is not None:
                _strike(line, at[excluded[start + row]])
            best = top_k(line, k)
            picked.append(columns[best])
            scores.append(line[best])
    return picked, scores


def _strike(scores: Array, positions: Array) -> None:
    scores[positions[positions >= 0]] = EXCLUDED


def list_frame(users: IdArray, movie_ids: IdArray, picked: list[Array], scores: list[Array]) -> pd.DataFrame:
    lengths = [len(columns) for columns in picked] or [0] * len(users)
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
    first: dict[Any, int] = {}
    merged: list[list[Array]] = []
    for position, user in enumerate(users.tolist()):
        if first.setdefault(user, len(first)) == len(merged):
            merged.append([])
        if excluded is not None:
            merged[first[user]].append(excluded[position])
    unique = id_array(list(first), "user_ids")
    return unique, None if excluded is None else [np.concatenate(parts) for parts in merged]
