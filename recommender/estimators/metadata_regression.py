"""Regressions on metadata: a linear one, and a kernel regression of item-item weights, stored as factors.

With F the features of the training movies, the likeness of a movie with features f to each of them is k = exp(steepness
F f). It is almost linear if they have little in common, and grows faster if more kinds of metadata agree. With W the
item-item weights and K the kernel of the training movies, the weights of any movie are W (K + R)^-1 k. R is diagonal: r
times the movies' number of positives to the power of NOISE, scaled to a geometric mean of 1. Well-known movies have
larger weights and hence larger errors. If a catalogue is too large to store every k, the approximation

    W (K + R)^-1  ~  left right',   left orthonormal,

represents each movie by the short vector right' k.
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
    """Return the float32 kernel (rows of features, rows of others), computed in blocks."""
    by_feature = others.T.tocsr()
    result = np.empty((features.shape[0], others.shape[0]), dtype=np.float32)
    for start in range(0, features.shape[0], BLOCK):
        common = (features[start : start + BLOCK] @ by_feature).toarray()
        np.exp(np.float32(steepness) * common, out=result[start : start + BLOCK])
    return result


class Ridge:
    """Applies (kernel + diag(noise))^-1 by Cholesky in float32. Overwrites the kernel."""

    def __init__(self, kernel: Array, noise: Array) -> None:
        kernel[np.diag_indices_from(kernel)] += noise
        self._factor, failed = spotrf(kernel.T, lower=1, overwrite_a=1)
        if failed:
            least = float(noise.min())
            raise ValueError(f"regularization: {least:g} is too small for the metadata (LAPACK says {failed})")

    def solve(self, targets: Array) -> Array:
        """Return (kernel + diag(noise))^-1 targets for targets (movies, columns)."""
        return np.asarray(spotrs(self._factor, np.asfortranarray(targets, dtype=np.float32), lower=1)[0])


def noise(popularity: Array, regularization: float) -> Array:
    """Return the diagonal of R. All movies must have positives."""
    logs = np.log(popularity)
    return np.asarray((regularization * np.exp(NOISE * (logs - logs.mean()))).astype(np.float32))


def factorize(weights: Array, kernel: Array, noise: Array, n_factors: int, random_state: int) -> list[Array]:
    """Return left and right' by random projection onto the range of W (K + R)^-1 K.

    (Halko, Martinsson and Tropp, "Finding structure with randomness", 2011.)
    """
    rng = np.random.default_rng(random_state)
    sketch = kernel @ rng.standard_normal((len(kernel), n_factors), dtype=np.float32)
    ridge = Ridge(kernel, noise)
    left = qr(weights @ ridge.solve(sketch), mode="economic", overwrite_a=True)[0].astype(np.float32, copy=False)
    return [left, ridge.solve(weights.T @ left).T]


def regress_on_features(features: csr_matrix, values: Array, regularization: float) -> tuple[float, Array]:
    """Return the mean and the feature weights of a ridge regression: values ~ mean + features @ weights."""
    from scipy.sparse.linalg import lsqr  # imported here because only training needs it

    mean = float(values.mean())
    weights = lsqr(features.astype(np.float64), values - mean, damp=math.sqrt(regularization), iter_lim=200)[0]
    return mean, np.asarray(weights, dtype=np.float32)
