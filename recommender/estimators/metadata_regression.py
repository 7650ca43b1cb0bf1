"""Regressions on metadata: linear, and of item-item weights by a kernel, kept as factors.

With F the features of the movies learnt from, a movie's likeness to each of them is k = exp(steepness F f): almost
linear for little in common, growing faster the more kinds of metadata agree. With W the item-item weights and K the
kernel of those movies, the weights of any movie are W (K + R)^-1 k. R is diagonal: r times the movies' number of
positives to the power of NOISE, scaled to a geometric mean of 1, since the weights of movies that many know are
larger and so are their errors. For catalogues too large to keep every k,

    W (K + R)^-1  ~  left right',   left orthonormal,

makes right' k of each movie a short vector.
"""

import math

import numpy as np
from scipy.linalg import qr
from scipy.linalg.lapack import spotrf, spotrs
from scipy.sparse import csr_matrix

from recommender.estimators.interactions import Array

BLOCK = 1024
NOISE = 0.2


def kernel(features: csr_matrix, others: csr_matrix, steepness: float) -> Array:
    """float32 (rows of features, rows of others), in blocks."""
    by_feature = others.T.tocsr()
    result = np.empty((features.shape[0], others.shape[0]), dtype=np.float32)
    for start in range(0, features.shape[0], BLOCK):
        common = (features[start : start + BLOCK] @ by_feature).toarray()
        np.exp(np.float32(steepness) * common, out=result[start : start + BLOCK])
    return result


class Ridge:
    """(kernel + diag(noise))^-1 by Cholesky in float32. The kernel is overwritten."""

    def __init__(self, kernel: Array, noise: Array) -> None:
        kernel[np.diag_indices_from(kernel)] += noise
        self._factor, failed = spotrf(kernel.T, lower=1, overwrite_a=1)
        if failed:
            least = float(noise.min())
            raise ValueError(f"regularization: {least:g} is too small for the metadata (LAPACK says {failed})")

    def solve(self, targets: Array) -> Array:
        """(kernel + diag(noise))^-1 targets, for targets (movies, columns)."""
        return np.asarray(spotrs(self._factor, np.asfortranarray(targets, dtype=np.float32), lower=1)[0])


def noise(popularity: Array, regularization: float) -> Array:
    """The diagonal of R, for movies with positives."""
    logs = np.log(popularity)
    return np.asarray((regularization * np.exp(NOISE * (logs - logs.mean()))).astype(np.float32))


def factorize(weights: Array, kernel: Array, noise: Array, n_factors: int, random_state: int) -> list[Array]:
    """left and right, by random projection on the range of the weights that the kernel can reach

    (Halko, Martinsson and Tropp, "Finding structure with randomness", 2011).
    """
    rng = np.random.default_rng(random_state)
    sketch = kernel @ rng.standard_normal((len(kernel), n_factors), dtype=np.float32)
    ridge = Ridge(kernel, noise)
    left = qr(weights @ ridge.solve(sketch), mode="economic", overwrite_a=True)[0].astype(np.float32, copy=False)
    return [left, ridge.solve(weights.T @ left).T]


def regress_on_features(features: csr_matrix, values: Array, regularization: float) -> tuple[float, Array]:
    """Mean and feature weights of a ridge regression: values ~ mean + features @ weights."""
    from scipy.sparse.linalg import lsqr  # here: only training needs it

    mean = float(values.mean())
    weights = lsqr(features.astype(np.float64), values - mean, damp=math.sqrt(regularization), iter_lim=200)[0]
    return mean, np.asarray(weights, dtype=np.float32)
