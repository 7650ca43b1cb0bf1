"""Metrics of lists beyond accuracy: catalogue coverage, concentration, novelty and diversity.

List `owners[i]` shows the movie with index `movies[i]` in a catalogue of `n_movies`.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags_array

Array = np.ndarray[Any, Any]

CHUNK_LISTS = 64  # lists processed at a time; bounds the memory of intra_list_diversity
MAX_DIVERSITY_LISTS = 1000


def coverage(movies: Array, n_movies: int) -> float:
    """Return the share of the catalogue that appears in at least one list."""
    return len(np.unique(movies)) / n_movies if n_movies else float("nan")


def novelty(movies: Array, movie_users: Array, n_users: int) -> float:
    """Return the mean self-information of shown movies in bits, -log2 of the share of users who rated the movie.

    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", 2010. A movie without ratings
    counts as rated once.
    """
    if not len(movies) or not n_users:
        return float("nan")
    return float(np.mean(-np.log2(np.maximum(movie_users[movies], 1) / n_users)))


def mean_popularity(movies: Array, movie_users: Array, n_users: int) -> float:
    """Return the mean share of users who rated a shown movie (average recommendation popularity).

    Yin et al., "Challenging the long tail recommendation", 2012.
    """
    if not len(movies) or not n_users:
        return float("nan")
    return float(np.mean(movie_users[movies] / n_users))


def popularity_gini(movies: Array, n_movies: int) -> float:
    """Return the Gini coefficient of how often each movie is shown: 0 if all equally, near 1 if only a few movies."""
    counts = np.sort(np.bincount(movies, minlength=n_movies))
    total = counts.sum()
    if not total:
        return float("nan")
    places = np.arange(1, n_movies + 1)
    return float((2 * places - n_movies - 1) @ counts / (n_movies * total))


def personalisation(owners: Array, movies: Array) -> float:
    """Return 1 minus the mean overlap of two lists (shared movies / mean length), over all pairs of lists."""
    n_lists = len(np.unique(owners))
    if n_lists < 2:
        return float("nan")
    counts = np.unique(movies, return_counts=True)[1]
    shared = float((counts * (counts - 1) / 2).sum())
    pairs = n_lists * (n_lists - 1) / 2
    return 1 - shared / pairs / (len(movies) / n_lists)


def intra_list_diversity(owners: Array, movies: Array, ratings: csr_matrix) -> float:
    """Return the mean over lists of 1 minus the mean cosine of two movies of the list.

    `ratings` is users x movies. A movie's vector has a 1 for each user who rated it, so that the metric does not depend
    on metadata. A movie without ratings has cosine 0 with every other movie. Ziegler et al., "Improving recommendation
    lists through topic diversification", 2005.
    """
    vectors = _unit_rows(ratings)
    lists, owners = np.unique(owners, return_inverse=True)
    lengths = np.bincount(owners, minlength=len(lists)).astype(np.float64)
    shows = csr_matrix((np.ones(len(movies)), (owners, movies)), shape=(len(lists), vectors.shape[0]))
    self_similarity = shows @ np.asarray(vectors.power(2).sum(axis=1)).ravel()
    together = np.concatenate(
        [_squared_norms(shows[start : start + CHUNK_LISTS] @ vectors) for start in range(0, len(lists), CHUNK_LISTS)]
        or [np.empty(0)]
    )
    has_pairs = lengths > 1
    if not has_pairs.any():
        return float("nan")
    pairs = lengths[has_pairs] * (lengths[has_pairs] - 1)
    return float(np.mean(1 - (together[has_pairs] - self_similarity[has_pairs]) / pairs))


def _unit_rows(ratings: csr_matrix) -> csr_matrix:
    """Return movies x users with rows of length 1, or 0 for movies without ratings."""
    rated = csr_matrix(ratings.T)
    rated.data = np.ones(rated.nnz)
    norms = np.sqrt(np.diff(rated.indptr))
    return csr_matrix(diags_array(np.divide(1.0, norms, out=np.zeros(len(norms)), where=norms > 0)) @ rated)


def _squared_norms(rows: csr_matrix) -> Array:
    return np.asarray(rows.power(2).sum(axis=1)).ravel()


def describe_lists(shown: pd.DataFrame, train: pd.DataFrame) -> dict[str, float]:
    """Compute metrics of lists beyond accuracy. Movies that are not in `train` are left out.

    `distinct_movies` is a count and `coverage` its share of the catalogue. `novelty` is the mean self-information in
    bits (Zhou and others, 2010), `mean_popularity` the mean share of users who rated a movie (Yin and others, 2012) and
    `popularity_gini` the Gini coefficient of how often each movie is shown. `intra_list_diversity` is 1 minus the mean
    cosine of two movies of a list by their raters (Ziegler and others, 2005; at most MAX_DIVERSITY_LISTS lists), and
    `personalisation` is 1 minus the mean share of movies common to two lists.

    Parameters
    ----------
    shown
        The lists, with columns request (number of the list) and movie_id.
    train
        The ratings, with columns user_id and movie_id.

    Returns
    -------
    dict of str to float
        Shares are from 0 to 1. A metric without data is NaN.

    Examples
    --------
    >>> lists = pd.DataFrame({"request": [0, 0, 1], "movie_id": [1, 2, 1]})
    >>> round(describe_lists(lists, ratings)["coverage"], 2)
    0.4
    """
    users, user_ids = pd.factorize(train["user_id"])
    rated, catalogue = pd.factorize(train["movie_id"], sort=True)
    movies = pd.Index(catalogue).get_indexer(pd.Index(shown["movie_id"]))
    owners = shown["request"].to_numpy(dtype=np.int64)[movies >= 0]
    movies = movies[movies >= 0]
    is_shown = (np.bincount(movies, minlength=len(catalogue)) > 0)[rated]  # raters of other movies are not needed
    pairs = csr_matrix(
        (np.ones(int(is_shown.sum())), (users[is_shown], rated[is_shown])), shape=(len(user_ids), len(catalogue))
    )
    numbers = np.unique(owners)
    sampled = np.random.default_rng(0).permutation(len(numbers))[:MAX_DIVERSITY_LISTS]
    in_sample = np.isin(owners, numbers[sampled])
    return {
        "distinct_movies": float(len(np.unique(movies))),
        "coverage": coverage(movies, len(catalogue)),
        "novelty": novelty(movies, np.diff(pairs.tocsc().indptr), len(user_ids)),
        "mean_popularity": mean_popularity(movies, np.diff(pairs.tocsc().indptr), len(user_ids)),
        "popularity_gini": popularity_gini(movies, len(catalogue)),
        "intra_list_diversity": intra_list_diversity(owners[in_sample], movies[in_sample], pairs),
        "personalisation": personalisation(owners, movies),
    }
