"""Metadata as tags (genre:Drama, director:..., decade:1990), for models that learn one vector a tag."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from recommender.estimators.columns import LIST_COLUMNS, RELEASE_DATE

MIN_MOVIES = 3  # a tag on fewer movies says nothing about others


def tags_of(movies: pd.DataFrame) -> list[list[str]]:
    """Each movie's tags, without repetition."""
    found: list[list[str]] = []
    columns = [movies[name].tolist() for name in LIST_COLUMNS]
    years = movies[RELEASE_DATE].dt.year.tolist()
    for row, language in enumerate(movies["language"].tolist()):
        tags = [f"{name}:{value}" for name, column in zip(LIST_COLUMNS, columns, strict=True) for value in column[row]]
        if language:
            tags.append(f"language:{language}")
        if years[row] == years[row]:  # NaN where there is no date
            tags.append(f"decade:{int(years[row]) // 10 * 10}")
        found.append(list(dict.fromkeys(tags)))
    return found


def fit_vocabulary(movies: pd.DataFrame) -> list[str]:
    counts = Counter(tag for tags in tags_of(movies) for tag in tags)
    return sorted(tag for tag, count in counts.items() if count >= MIN_MOVIES)


def tag_matrix(movies: pd.DataFrame, vocabulary: list[str]) -> csr_matrix:
    """Movies x tags; the known tags of a movie share a weight of 1, so that many tags weigh no more than few."""
    place = {tag: position for position, tag in enumerate(vocabulary)}
    rows: list[list[int]] = [sorted(place[tag] for tag in tags if tag in place) for tags in tags_of(movies)]
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    indices: np.ndarray[Any, Any] = np.array([position for row in rows for position in row], dtype=np.int64)
    weights = np.repeat(1 / np.maximum(lengths, 1), lengths).astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return csr_matrix((weights, indices, indptr), shape=(len(rows), len(vocabulary)))
