"""Closed-form weights of item-item models, the rows that they are fitted to, and the input values of a history.

The rows are positives, residuals and features. A residual is the difference in stars between a rating and its
expectation from the biases. A feature is treated like a user who likes all movies with that feature.
"""

from typing import NamedTuple, Self

import numpy as np
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_matrix, diags

from recommender.estimators.bias import residuals
from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, select_items, with_values

Parameters = dict[str, float]

BLOCK = 1024
FEW_POSITIVES = 3.0  # features of a movie with n positives have weight n / (n + FEW_POSITIVES)


class ItemRows(NamedTuple):
    """The columns of some movies in the ratings, positives, residuals (`above`) and features."""

    ratings: csr_matrix
    positives: csr_matrix
    above: csr_matrix
    features: csr_matrix
    threshold: float | None

    @classmethod
    def of(cls, dataset: Dataset, movies: Array, features: csr_matrix) -> Self:
        """Select the rows for `movies`. `features` covers all movies of the dataset.

        Features of movies with few likes have less weight. Otherwise the many little-known movies would dominate what
        is learnt from metadata.
        """
        above = residuals(dataset.ratings, *dataset.rating_biases)
        ratings, positives, above = (select_items(part, movies) for part in (dataset.ratings, dataset.positives, above))
        counts = dataset.popularity[movies]
        shares = np.sqrt(counts / (counts + FEW_POSITIVES)).astype(np.float32)
        return cls(ratings, positives, above, (diags(shares) @ features[movies]).tocsr(), dataset.implicit_threshold)

    def weights(self, parameters: Parameters) -> Array:
        """Return B, computed from X' D X + r V' V + m F F' (see `ease`)."""
        gram = weighted_gram(self.positives, parameters["user_exponent"])
        add_rows(gram, self.above.T.tocsr(), parameters["residual_weight"])
        add_rows(gram, self.features, parameters["metadata_weight"])
        return ease_weights(gram, parameters["regularization"], parameters["dropout"])

    def inputs(self, users: Array, history_weight: float) -> csr_matrix:
        """Return `inputs_of` for the given users (row numbers)."""
        return inputs_of(self.ratings[users], self.above[users], self.threshold, history_weight)


def inputs_of(ratings: csr_matrix, above: csr_matrix, threshold: float | None, history_weight: float) -> csr_matrix:
    """Return the input value of each rating of a history: 1 for a positive, plus `history_weight` times its residual.

    A rating below the threshold means that the user chose the movie and was disappointed. Its value is h (1 + v) for
    `history_weight` h and a residual of v stars, so that a bad rating counts against similar movies.
    """
    is_positive = True if threshold is None else ratings.data >= threshold
    base = np.where(is_positive, 1.0, history_weight)
    return with_values(ratings, (base + history_weight * above.data).astype(np.float32))


def weighted_gram(positives: csr_matrix, user_exponent: float) -> Array:
    """Return X' D X, with D scaled so that the mean weight of a positive is 1."""
    counts = np.diff(positives.indptr).astype(np.float64)
    weights = np.maximum(counts, 1.0) ** -user_exponent
    weights *= counts.sum() / max(float((weights * counts).sum()), 1e-12)
    return gram_matrix((diags(np.sqrt(weights).astype(np.float32)) @ positives).tocsr())


def add_rows(gram: Array, rows: csr_matrix, weight: float) -> None:
    """Add weight R R' to `gram` in place, for R (movies, rows). Works in blocks to save memory."""
    if weight and rows.nnz:
        by_row = rows.T.tocsr()
        for start in range(0, len(gram), BLOCK):
            gram[start : start + BLOCK] += weight * (rows[start : start + BLOCK] @ by_row).toarray()


def gram_matrix(matrix: csr_matrix) -> Array:
    """Return matrix.T @ matrix, dense float32."""
    gram = np.zeros((matrix.shape[1], matrix.shape[1]), dtype=np.float32)
    add_rows(gram, matrix.T.tocsr(), 1.0)
    return gram


def ease_weights(gram: Array, regularization: float, dropout: float = 0.0) -> Array:
    """Return B = I - P / diag(P), which has a zero diagonal, for P = (G + lambda I)^-1. Overwrites the Gram matrix G.

    With dropout p, P = (G + p / (1 - p) diag(G) + lambda I)^-1, the expectation over histories with a random share p
    dropped (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020).

    LAPACK's Cholesky inverse is several times faster than numpy's general inverse. It needs column-major arrays and
    fills only one triangle. It therefore gets the transposed view, and the result is mirrored to the other triangle.
    """
    gram[np.diag_indices_from(gram)] += regularization + dropout / (1 - dropout) * gram.diagonal()
    factor, failed = spotrf(gram.T, lower=1, overwrite_a=1)
    if not failed:
        inverse, failed = spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise ValueError(f"regularization: {regularization} is too small for the ratings (LAPACK says {failed})")
    weights: Array = inverse.T
    mirror_upper(weights)
    diagonal = weights.diagonal().copy()
    for start in range(0, len(weights), BLOCK):
        weights[start : start + BLOCK] /= -diagonal
    weights[np.diag_indices_from(weights)] = 0
    return weights


def mirror_upper(matrix: Array) -> None:
    """Copy the upper triangle to the lower one, in blocks."""
    for start in range(0, len(matrix), BLOCK):
        stop = min(start + BLOCK, len(matrix))
        matrix[start:stop, :start] = matrix[:start, start:stop].T
        square = matrix[start:stop, start:stop]
        square[...] = np.triu(square) + np.triu(square, 1).T
