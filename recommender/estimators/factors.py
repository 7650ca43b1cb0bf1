"""Users as least-squares solutions over given item factors."""

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.interactions import Array, ordered_product


def solve_users(liked: csr_matrix, items: Array, gram: Array, regularization: float, alpha: float) -> Array:
    """x_u = (Y'Y + (alpha - 1) Y_u'Y_u + lambda I)^-1 alpha Y_u'1, the user step of implicit ALS.

    (Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", 2008, with confidence
    alpha for a positive and 1 for the rest.) Y_u are the rows of the liked items, `gram` is Y'Y in float64.
    A user who liked nothing is 0.
    """
    n_components = items.shape[1]
    left = np.repeat((gram + regularization * np.eye(n_components))[None], liked.shape[0], axis=0)
    right = np.zeros((liked.shape[0], n_components, 1))
    for row in range(liked.shape[0]):
        rows = items[liked.indices[liked.indptr[row] : liked.indptr[row + 1]]].astype(np.float64)
        left[row] += (alpha - 1) * (rows.T @ rows)
        right[row, :, 0] = alpha * rows.sum(axis=0)
    return np.asarray(np.linalg.solve(left, right)[:, :, 0])


def gram_of(items: Array) -> Array:
    """Y'Y (components, components) in float64 of item factors Y (movies, components)."""
    factors = np.asarray(items, dtype=np.float64)
    return np.asarray(factors.T @ factors)


def cosines(by_component: Array, item_idx: Array) -> Array:
    """Cosine similarity (columns, movies) of the factors (components, movies); zeros are similar to nothing."""
    norms = np.sqrt(np.square(by_component).sum(axis=0))
    norms = np.where(norms > 0, norms, 1.0)
    products = ordered_product(by_component[:, item_idx].T, by_component)
    return np.asarray(products / norms[item_idx][:, None] / norms)
