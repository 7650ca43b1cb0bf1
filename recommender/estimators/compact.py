"""Compact storage of large weight matrices, and weighted sums of their rows.

Item-item weights are stored sparsely, without the many weights that hardly change a score. In the vectors of movies
known only by metadata, nearly all weights matter, so these vectors are stored as 16-bit integers.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
from scipy.sparse import _sparsetools, csr_matrix

from recommender.estimators.interactions import Array, ordered_product

MAX_WEIGHTS = 256  # mean number of weights per movie; benchmarks.compact measures the effect of more
BLOCK = 1024
SAMPLE = 1_000_000
LARGEST = 32_767  # largest int16
AT_ONCE = 16  # rows that fit into a processor's cache


def keep_largest(weights: Array, n_kept: int) -> csr_matrix:
    """Return the weights (movies, movies) of largest magnitude, about `n_kept` per movie on average.

    Popular movies keep more weights than others. Keeping the same number for each movie gives worse lists, even with
    twice as many weights.
    """
    least = max(_least_kept(weights, n_kept), np.finfo(np.float32).tiny)
    data, indices, lengths = [], [], [np.zeros(1, dtype=np.int32)]
    for start in range(0, len(weights), BLOCK):
        block = weights[start : start + BLOCK]
        is_kept = np.abs(block) >= least
        data.append(block[is_kept])
        indices.append(np.nonzero(is_kept)[1].astype(np.int32))
        lengths.append(is_kept.sum(axis=1, dtype=np.int32))
    indptr = np.cumsum(np.concatenate(lengths), dtype=np.int32)
    return csr_matrix((np.concatenate(data), np.concatenate(indices), indptr), shape=weights.shape)


def _least_kept(weights: Array, n_kept: int) -> float:
    """Return the magnitude threshold that keeps `n_kept` weights per movie.

    For a large matrix it is estimated from an even sample, which avoids a second matrix of that size.
    """
    share = n_kept / weights.shape[1]
    if share >= 1:
        return 0.0
    step = max(1, weights.size // SAMPLE)
    while math.gcd(step, weights.shape[1]) > 1:  # otherwise the sample would miss some columns
        step += 1
    return float(np.quantile(np.abs(weights.ravel()[::step]), 1 - share))


def weighted(rows: csr_matrix, weights: csr_matrix | Array) -> Array:
    """Return rows @ weights, float32 (n, columns). Sums each element in the order of the row's columns.

    Artefacts of earlier releases contain dense weights.
    """
    if not isinstance(weights, csr_matrix):
        return ordered_product(rows, weights)
    scores = np.zeros((rows.shape[0], weights.shape[1]), dtype=np.float32)
    for line, columns, values in zip(scores, *_entries(rows), strict=True):
        add_weighted_rows(line, weights, columns, values)
    return scores


def _entries(rows: csr_matrix) -> tuple[Iterator[Array], Iterator[Array]]:
    """Return iterators over the columns and over the values of each row."""
    bounds = list(pairwise(rows.indptr.tolist()))
    return (rows.indices[a:b] for a, b in bounds), (rows.data[a:b] for a, b in bounds)


def add_weighted_rows(sums: Array, weights: csr_matrix, rows: Array, values: Array) -> None:
    """Add each of the given rows, times its value, to `sums` in place."""
    indptr, indices, data = taken_rows(weights, rows)
    values = values.astype(np.float32, copy=False)
    _sparsetools.csc_matvec(len(sums), len(rows), indptr, indices, data, values, sums)


def taken_rows(weights: csr_matrix, rows: Array) -> tuple[Array, Array, Array]:
    """Return `indptr`, `indices` and `data` of the given rows, using internal functions of scipy.

    scipy's public functions build several intermediate matrices. For a single history, this takes longer than the
    scores.
    """
    rows = rows.astype(np.int32, copy=False)
    indptr = np.zeros(len(rows) + 1, dtype=np.int32)
    np.cumsum(weights.indptr[rows + 1] - weights.indptr[rows], out=indptr[1:])
    indices, data = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1], dtype=np.float32)
    _sparsetools.csr_row_index(len(rows), rows, weights.indptr, weights.indices, weights.data, indices, data)
    return indptr, indices, data


def picked(weights: csr_matrix | Array, rows: Array, columns: Array) -> Array:
    """Return the weights at the given rows and columns, float32 (len(rows), len(columns))."""
    if not isinstance(weights, csr_matrix):
        return np.asarray(weights[np.ix_(rows, columns)])
    indptr, indices, data = taken_rows(weights, rows)
    columns, size = columns.astype(np.int32, copy=False), (len(rows), weights.shape[1])
    counts, ends = np.zeros(weights.shape[1], dtype=np.int32), np.empty_like(indptr)
    _sparsetools.csr_column_index1(len(columns), columns, *size, indptr, indices, counts, ends)
    order = np.argsort(columns, kind="stable").astype(np.int32)
    found, values = np.empty(ends[-1], dtype=np.int32), np.empty(ends[-1], dtype=np.float32)
    _sparsetools.csr_column_index2(order, counts, len(indices), indices, data, found, values)
    result = np.zeros((len(rows), len(columns)), dtype=np.float32)
    result[np.repeat(np.arange(len(rows)), np.diff(ends)), found] = values
    return result


class RoundedColumns(NamedTuple):
    """Columns of int16 values, each column with a scale. Older artefacts contain unscaled float32 values."""

    values: Array  # (rows, columns)
    scales: Array  # (1, columns)

    @classmethod
    def of(cls, matrix: Array) -> Self:
        largest = np.abs(matrix).max(axis=0, keepdims=True, initial=0)
        scales = np.where(largest > 0, largest / LARGEST, 1.0).astype(np.float32)
        return cls(np.rint(matrix / scales).astype(np.int16), scales)

    @property
    def is_rounded(self) -> bool:
        return bool(self.values.dtype == np.int16)

    def at(self, rows: Array, columns: Array) -> Array:
        """Return the values at the given rows and columns, float32 (len(rows), len(columns))."""
        values = self.values[np.ix_(rows, columns)]
        return np.asarray(values * self.scales[:, columns] if self.is_rounded else values)

    def weighted(self, rows: csr_matrix) -> Array:
        """Return rows @ these columns, like the function `weighted`."""
        if not self.is_rounded:
            return ordered_product(rows, self.values)
        scores = np.zeros((rows.shape[0], self.values.shape[1]), dtype=np.float32)
        for line, wanted, values in zip(scores, *_entries(rows), strict=True):
            for start in range(0, len(wanted), AT_ONCE):
                part = self.values.take(wanted[start : start + AT_ONCE], axis=0).astype(np.float32)
                line += np.einsum("i,ij->j", values[start : start + AT_ONCE], part)
        return scores * self.scales
