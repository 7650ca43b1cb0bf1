"""Ratings as sparse users x movies matrices that store ratings of 0 explicitly."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

import numpy as np
from scipy.sparse import _sparsetools, csr_matrix

from recommender.estimators.ids import IdIndex

Array = np.ndarray[Any, Any]
T = TypeVar("T")


class HistoryRows(csr_matrix):
    """Histories for which lists are made, with a cache of derived matrices (see `once`).

    Scores, reasons and feature contributions use the same few derived matrices. Building them takes longer than the
    sums.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.derived: dict[Hashable, Any] = {}


def once(rows: csr_matrix, key: Hashable, compute: Callable[[], T]) -> T:
    """Return the result of `compute`. For `HistoryRows` it is cached under the key."""
    if not isinstance(rows, HistoryRows):
        return compute()
    if key not in rows.derived:
        rows.derived[key] = compute()
    return cast(T, rows.derived[key])


def user_rows(data: Array, item_idx: Array, indptr: Array, n_movies: int, kind: Any = csr_matrix) -> csr_matrix:
    """Build a matrix from valid arrays without checking them.

    Item positions must ascend within each row, and index arrays must have an index type of scipy. scipy's constructor
    checks this and is thirty times slower. A list needs a dozen matrices.
    """
    matrix = kind.__new__(kind)
    if kind is HistoryRows:
        matrix.derived = {}
    matrix.data, matrix.indices, matrix.indptr = data, item_idx, indptr
    matrix._shape, matrix.maxprint = (len(indptr) - 1, n_movies), 50
    return matrix


def item_positions(index: IdIndex, movie_ids: Iterable[Any], name: str) -> Array:
    """Return the positions of the movies. Raises ValueError with the unknown movies."""
    wanted = list(movie_ids) if not isinstance(movie_ids, np.ndarray) else movie_ids
    positions = index.positions(wanted)
    unknown = np.flatnonzero(positions < 0)
    if len(unknown):
        named = ", ".join(repr(wanted[row]) for row in unknown[:5]) + (" ..." if len(unknown) > 5 else "")
        raise ValueError(f"{name}: {len(unknown)} unknown movie id(s): {named}")
    return positions


def from_mappings(index: IdIndex, histories: Sequence[Mapping[Any, float]], n_movies: int) -> HistoryRows:
    """Return the user-item matrix (len(histories), n_movies) of {movie_id: rating} histories.

    Raises ValueError with the first bad entry.
    """
    for row, history in enumerate(histories):
        if not isinstance(history, Mapping):
            raise ValueError(f"histories: entry {row}: expected a {{movie_id: rating}}, got {history!r}")
    lengths = np.array([len(history) for history in histories], dtype=np.int64)
    rows = np.repeat(np.arange(len(histories)), lengths)
    movies = [movie for history in histories for movie in history]
    item_idx = index.positions(movies)
    ratings = _numbers([rating for history in histories for rating in history.values()])
    is_bad = (item_idx < 0) | ~np.isfinite(ratings)
    if is_bad.any():
        at = int(np.argmax(is_bad))
        history, where = histories[rows[at]], f"histories: entry {rows[at]}"
        item_positions(index, list(history), where)
        raise ValueError(f"{where}: rating {history[movies[at]]!r} of movie {movies[at]!r} is not a finite number")
    order = np.argsort(item_idx, kind="stable") if len(histories) == 1 else np.lexsort((item_idx, rows))
    indptr = np.append(0, np.cumsum(lengths)).astype(np.int32)
    rows = user_rows(ratings[order], item_idx[order].astype(np.int32), indptr, n_movies, HistoryRows)
    return cast(HistoryRows, rows)


def _numbers(values: list[Any]) -> Array:
    """Return the values as floats. Values that are not numbers become NaN."""
    if set(map(type, values)) <= {float, int}:
        with suppress(OverflowError):
            return np.array(values, dtype=np.float64)
    return np.array([_number(value) for value in values])


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def row_numbers(matrix: csr_matrix) -> Array:
    """Return the row of each entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def places_in_rows(matrix: csr_matrix, order: Array) -> Array:
    """Return for each entry how many entries of its row precede it in the given order."""
    places = np.empty(matrix.nnz, dtype=np.int64)
    places[np.lexsort((order, row_numbers(matrix)))] = np.arange(matrix.nnz)
    places -= np.repeat(matrix.indptr[:-1], np.diff(matrix.indptr))
    return places


def with_values(matrix: csr_matrix, values: Array) -> csr_matrix:
    """Return a matrix with the same entries and other values."""
    return user_rows(values, matrix.indices, matrix.indptr, matrix.shape[1], type(matrix))


def keep_entries(matrix: csr_matrix, mask: Array) -> csr_matrix:
    """Return the matrix with only the entries where `mask` is True, in the order of `matrix.data`."""
    indptr = np.append(0, np.cumsum(mask)).astype(matrix.indptr.dtype)[matrix.indptr]
    return user_rows(matrix.data[mask], matrix.indices[mask], indptr, matrix.shape[1], type(matrix))


def positives_of(ratings: csr_matrix, threshold: float | None) -> csr_matrix:
    """Return float32 ones for the ratings that reach the threshold, or for all ratings if it is None."""
    positives = ratings if threshold is None else keep_entries(ratings, ratings.data >= threshold)
    return with_values(positives, np.ones(positives.nnz, dtype=np.float32))


def take_rows(matrix: csr_matrix, rows: Array) -> csr_matrix:
    """Return the given rows. The index -1 gives an empty row."""
    known = rows >= 0
    taken = matrix[rows[known]]
    counts = np.zeros(len(rows), dtype=np.int64)
    counts[known] = np.diff(taken.indptr)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return csr_matrix((taken.data, taken.indices, indptr), shape=(len(rows), matrix.shape[1]))


def without_each(history: csr_matrix, removed: Array) -> csr_matrix:
    """Return copies of a single row, each without one rating. `removed` holds the positions of the ratings."""
    n = history.nnz
    kept = np.arange(n) != removed[:, None]
    item_idx = np.broadcast_to(history.indices, kept.shape)[kept]
    ratings = np.broadcast_to(history.data, kept.shape)[kept]
    indptr = np.arange(len(removed) + 1, dtype=np.int64) * (n - 1)
    return csr_matrix((ratings, item_idx, indptr), shape=(len(removed), history.shape[1]))


def ordered_product(rows: csr_matrix | Array, matrix: Array) -> Array:
    """Return rows @ matrix, (n, m) x (m, k). Each element is summed in the order of the columns of `rows`.

    Every product behind a served score uses scipy's sparse loop. The order of BLAS's sums depends on the processor and
    on the shapes of both operands. With BLAS, a user's score would depend on the other users and movies in the batch.
    Copies `matrix` if it is not C-contiguous.
    """
    return np.asarray((rows if isinstance(rows, csr_matrix) else as_sparse(rows)) @ matrix)


def as_sparse(rows: Array) -> csr_matrix:
    """Return a sparse matrix with all entries stored, including zeros."""
    n_rows, n_columns = rows.shape
    indices = np.tile(np.arange(n_columns, dtype=np.int32), n_rows)
    return user_rows(rows.ravel(), indices, np.arange(n_rows + 1, dtype=np.int32) * n_columns, n_columns)


def product_of_items(rows: csr_matrix | Array, matrix: Array, item_idx: Array | None) -> Array:
    """Return `ordered_product` for some columns of the matrix, or for all if `item_idx` is None.

    Selects the columns before or after the product, whichever is faster.
    """
    if item_idx is None:
        return ordered_product(rows, matrix)
    if 2 * len(item_idx) < matrix.shape[1] or rows.shape[0] > len(matrix):
        return ordered_product(rows, matrix.take(item_idx, axis=1))
    return ordered_product(rows, matrix)[:, item_idx]


def cosines(by_component: Array, item_idx: Array) -> Array:
    """Return the cosine similarities (columns, movies) of the factors (components, movies).

    Movies whose factors are all zero have similarity 0.
    """
    norms = np.sqrt(np.square(by_component).sum(axis=0))
    norms = np.where(norms > 0, norms, 1.0)
    products = ordered_product(by_component[:, item_idx].T, by_component)
    return np.asarray(products / norms[item_idx][:, None] / norms)


def resized(matrix: csr_matrix, n_movies: int) -> csr_matrix:
    """Return the matrix with `n_movies` columns. Drops entries beyond them."""
    if n_movies < matrix.shape[1]:
        return matrix[:, :n_movies]
    if n_movies == matrix.shape[1]:
        return matrix
    return user_rows(matrix.data, matrix.indices, matrix.indptr, n_movies)


def products_of_rows(rows: csr_matrix, places: Iterable[int]) -> Array:
    """Return rows[places] @ rows.T, (places, rows), for a few places, without transposing all rows.

    The sums are in column order, so the result equals scipy's sparse product to the last bit.
    """
    indptr, indices, data = rows.indptr, rows.indices, rows.data
    one, wanted = np.zeros(rows.shape[1], dtype=rows.dtype), list(places)
    products = np.zeros((len(wanted), rows.shape[0]), dtype=rows.dtype)
    for line, place in zip(products, wanted, strict=True):
        own = slice(*indptr[place : place + 2])
        one[indices[own]] = data[own]
        _sparsetools.csr_matvec(*rows.shape, indptr, indices, data, one, line)  # `rows @ one` spends more on checks
        one[indices[own]] = 0
    return products


def unit_rows(matrix: csr_matrix) -> csr_matrix:
    """Return the rows scaled to length 1, so that their products are cosines. Empty rows stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1), dtype=np.float32).ravel())
    return with_values(matrix, matrix.data / np.repeat(length, np.diff(matrix.indptr)))


def select_items(matrix: csr_matrix, kept: Array) -> csr_matrix:
    """Return only the columns in `kept` (ascending). Faster than slicing for a few rows with many columns."""
    if len(kept) == matrix.shape[1]:
        return matrix
    place = np.full(matrix.shape[1], -1, dtype=np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    entries = keep_entries(matrix, place[matrix.indices] >= 0)
    return user_rows(entries.data, place[entries.indices], entries.indptr, len(kept))


def places_of(wanted: Array, known: Array) -> tuple[Array, Array]:
    """Return the positions in `known` (ascending) of the wanted values found there, and a mask of these values."""
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    is_known = known[places] == wanted
    return places[is_known], is_known


def latest_ratings(
    rows: Array, cols: Array, values: Array, times: Array, shape: tuple[int, int]
) -> tuple[csr_matrix, Array]:
    """Return the latest rating of each user and movie as a CSR matrix, and the times of its entries.

    If times are equal, the last row counts.
    """
    pairs = rows.astype(np.int64) * max(shape[1], 1) + cols
    order = np.lexsort((times, pairs))
    pairs = pairs[order]
    is_last = np.append(pairs[1:] != pairs[:-1], True) if len(pairs) else np.empty(0, dtype=bool)
    kept = order[is_last]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows[kept], minlength=shape[0]))])
    return csr_matrix((values[kept], cols[kept], indptr), shape=shape), times[kept]
