"""Large matrices of weights in little memory, and sums of their rows.

Item-item weights are kept sparse, without the many that hardly change a score. In vectors of movies known by their
metadata alone nearly all weights matter, so those are kept as whole numbers of 16 bits.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
from scipy.sparse import _sparsetools, csr_matrix

from recommender.estimators.interactions import Array, ordered_product

MAX_WEIGHTS = 256  # a movie, in the mean; benchmarks.compact measures what the others would add
BLOCK = 1024
SAMPLE = 1_000_000
LARGEST = 32_767  # of an int16
AT_ONCE = 16  # rows, which fit into a processor's cache


def keep_largest(weights: Array, n_kept: int) -> csr_matrix:
    """The largest of the weights (movies, movies) by size, about `n_kept` a movie in the mean.

    Movies that many know keep more than others. With as many for each, lists are worse than with half of them.
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
    """The size that so many weights reach; of a large matrix from an even sample, which takes no second matrix."""
    share = n_kept / weights.shape[1]
    if share >= 1:
        return 0.0
    step = max(1, weights.size // SAMPLE)
    while math.gcd(step, weights.shape[1]) > 1:  # else the sample would miss some columns
        step += 1
    return float(np.quantile(np.abs(weights.ravel()[::step]), 1 - share))


def weighted(rows: csr_matrix, weights: csr_matrix | Array) -> Array:
    """rows @ weights, float32 (n, columns), where each element is a sum in the order of the row's columns.

    Weights of artefacts of earlier releases are dense.
    """
    if not isinstance(weights, csr_matrix):
        return ordered_product(rows, weights)
    scores = np.zeros((rows.shape[0], weights.shape[1]), dtype=np.float32)
    for line, columns, values in zip(scores, *_entries(rows), strict=True):
        add_weighted_rows(line, weights, columns, values)
    return scores


def _entries(rows: csr_matrix) -> tuple[Iterator[Array], Iterator[Array]]:
    """The columns and the values of each row."""
    bounds = list(pairwise(rows.indptr.tolist()))
    return (rows.indices[a:b] for a, b in bounds), (rows.data[a:b] for a, b in bounds)


def add_weighted_rows(sums: Array, weights: csr_matrix, rows: Array, values: Array) -> None:
    """sums += each of those rows times its value."""
    indptr, indices, data = taken_rows(weights, rows)
    values = values.astype(np.float32, copy=False)
    _sparsetools.csc_matvec(len(sums), len(rows), indptr, indices, data, values, sums)


def taken_rows(weights: csr_matrix, rows: Array) -> tuple[Array, Array, Array]:
    """Those rows: `indptr`, `indices` and `data`, by what scipy's own products call.

    Those make several matrices on the way, which takes longer for one history than its score.
    """
    rows = rows.astype(np.int32, copy=False)
    indptr = np.zeros(len(rows) + 1, dtype=np.int32)
    np.cumsum(weights.indptr[rows + 1] - weights.indptr[rows], out=indptr[1:])
    indices, data = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1], dtype=np.float32)
    _sparsetools.csr_row_index(len(rows), rows, weights.indptr, weights.indices, weights.data, indices, data)
    return indptr, indices, data


def picked(weights: csr_matrix | Array, rows: Array, columns: Array) -> Array:
    """float32 (len(rows), len(columns))."""
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
    """Columns of int16, each times its scale. Those of artefacts of earlier releases are float32 and have no scales."""

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
        """float32 (len(rows), len(columns))."""
        values = self.values[np.ix_(rows, columns)]
        return np.asarray(values * self.scales[:, columns] if self.is_rounded else values)

    def weighted(self, rows: csr_matrix) -> Array:
        """rows @ these columns, as `weighted`."""
        if not self.is_rounded:
            return ordered_product(rows, self.values)
        scores = np.zeros((rows.shape[0], self.values.shape[1]), dtype=np.float32)
        for line, wanted, values in zip(scores, *_entries(rows), strict=True):
            for start in range(0, len(wanted), AT_ONCE):
                part = self.values.take(wanted[start : start + AT_ONCE], axis=0).astype(np.float32)
                line += np.einsum("i,ij->j", values[start : start + AT_ONCE], part)
        return scores * self.scales
