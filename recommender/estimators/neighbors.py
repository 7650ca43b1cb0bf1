"""Item-item similarities of which each scored movie keeps its nearest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, vstack

Array = np.ndarray[Any, Any]

BLOCK = 256


def nearest(
    together: csr_matrix, positives: csr_matrix, n_neighbors: int, scale: Callable[[slice], Array]
) -> csr_matrix:
    """Similarities (liked, scored): the products `together @ positives` times `scale`, each scored movie's highest.

    `together` is movies x users; `scale` gives the factors (scored, liked) of a slice of the scored movies.
    """
    n_movies = positives.shape[1]
    n_neighbors = min(n_neighbors, n_movies)
    kept: list[csr_matrix] = []
    for start in range(0, n_movies, BLOCK):
        rows = slice(start, min(start + BLOCK, n_movies))
        similarity = (together[rows] @ positives).toarray() * scale(rows)
        similarity[np.arange(len(similarity)), start + np.arange(len(similarity))] = 0
        best = np.sort(np.argpartition(-similarity, n_neighbors - 1, axis=1)[:, :n_neighbors], axis=1)
        values = np.take_along_axis(similarity, best, axis=1)
        indptr = np.arange(len(similarity) + 1) * n_neighbors
        block = csr_matrix((values.ravel(), best.ravel(), indptr), shape=similarity.shape)
        block.eliminate_zeros()
        kept.append(block)
    neighbors = vstack(kept).T.tocsr()
    neighbors.sort_indices()
    return neighbors
