"""Metrics of lists and ratings, vectorised over lists.

Accuracy: the relevant pairs of n lists are given as two arrays of one length: `owners`, the list (0..n-1) that each
relevant movie belongs to, and `ranks`, its rank in that list from 1, or 0 where the list does not show it. A list
without a relevant movie has no figure: NaN.

Beyond accuracy (share of the catalogue shown, concentration, novelty, diversity): a row of `owners` and `movies` says
that list `owners[i]` shows the movie numbered `movies[i]` of a catalogue of `n_movies`.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags_array

Array = np.ndarray[Any, Any]

METRICS = ("ndcg", "recall", "precision")
CHUNK_LISTS = 64  # bounds the memory of intra_list_diversity
MAX_DIVERSITY_LISTS = 1000


def accuracy(owners: Any, ranks: Any, n_lists: int, k: int) -> dict[str, Array]:
    """METRICS of each list at k.

    nDCG is binary: sum of 1 / log2(1 + rank) of the hits, over that of the first min(k, relevant) ranks (Jarvelin and
    Kekalainen, "Cumulated gain-based evaluation of IR techniques", 2002, with gains 0 and 1). Recall is the share of
    the relevant movies that the first k show; precision is hits over k, also where a list is shorter than k.
    """
    owners, ranks = np.asarray(owners, dtype=np.int64), np.asarray(ranks, dtype=np.int64)
    is_hit = (ranks >= 1) & (ranks <= k)
    gained = np.bincount(owners[is_hit], weights=1 / np.log2(1 + ranks[is_hit]), minlength=n_lists)
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    n_relevant = np.bincount(owners, minlength=n_lists)
    n_hits = np.bincount(owners[is_hit], minlength=n_lists)
    return {
        "ndcg": _ratio(gained, ideal[np.minimum(n_relevant, k)]),
        "recall": _ratio(n_hits, n_relevant),
        "precision": np.where(n_relevant > 0, n_hits / k, np.nan),
    }


def rmse(predicted: Array, actual: Array) -> float:
    """Root of the mean squared difference, in stars; NaN of nothing."""
    return float(np.sqrt(np.mean((predicted - actual) ** 2))) if len(actual) else float("nan")


def _ratio(part: Array, whole: Array) -> Array:
    part, whole = part.astype(np.float64), whole.astype(np.float64)
    ratio: Array = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio


def coverage(movies: Array, n_movies: int) -> float:
    """Share of the catalogue that some list shows."""
    return len(np.unique(movies)) / n_movies if n_movies else float("nan")


def novelty(movies: Array, movie_users: Array, n_users: int) -> float:
    """Mean self-information of what is shown, in bits: -log2 of the share of users who rated the movie.

    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", 2010. A movie that
    no one rated counts like one rated once.
    """
    if not len(movies) or not n_users:
        return float("nan")
    return float(np.mean(-np.log2(np.maximum(movie_users[movies], 1) / n_users)))


def mean_popularity(movies: Array, movie_users: Array, n_users: int) -> float:
    """Mean share of users who rated what is shown (average recommendation popularity).

    Yin et al., "Challenging the long tail recommendation", 2012.
    """
    if not len(movies) or not n_users:
        return float("nan")
    return float(np.mean(movie_users[movies] / n_users))


def popularity_gini(movies: Array, n_movies: int) -> float:
    """Gini coefficient of how often each movie of the catalogue is shown: 0 all alike, near 1 a few only."""
    counts = np.sort(np.bincount(movies, minlength=n_movies))
    total = counts.sum()
    if not total:
        return float("nan")
    places = np.arange(1, n_movies + 1)
    return float((2 * places - n_movies - 1) @ counts / (n_movies * total))


def personalisation(owners: Array, movies: Array) -> float:
    """1 less the mean share of movies that two lists have in common (shared / mean length), over all pairs."""
    n_lists = len(np.unique(owners))
    if n_lists < 2:
        return float("nan")
    counts = np.unique(movies, return_counts=True)[1]
    shared = float((counts * (counts - 1) / 2).sum())
    pairs = n_lists * (n_lists - 1) / 2
    return 1 - shared / pairs / (len(movies) / n_lists)


def intra_list_diversity(owners: Array, movies: Array, ratings: csr_matrix) -> float:
    """Mean over lists of 1 less the mean cosine of two movies of the list, by who rated them.

    `ratings` is users x movies; a movie's vector has a 1 for each user who rated it (co-ratings), so that the
    figure means the same with and without metadata. A movie without ratings is unlike every other.
    Ziegler et al., "Improving recommendation lists through topic diversification", 2005.
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
    """Movies x users, rows of length 1 (or 0)."""
    rated = csr_matrix(ratings.T)
    rated.data = np.ones(rated.nnz)
    norms = np.sqrt(np.diff(rated.indptr))
    return csr_matrix(diags_array(np.divide(1.0, norms, out=np.zeros(len(norms)), where=norms > 0)) @ rated)


def _squared_norms(rows: csr_matrix) -> Array:
    return np.asarray(rows.power(2).sum(axis=1)).ravel()


def describe_lists(shown: pd.DataFrame, train: pd.DataFrame) -> dict[str, float]:
    """Distinct movies, coverage, novelty, mean popularity, popularity Gini, intra-list diversity and personalisation.

    All over the movies of `train`; others are left out. Diversity is taken over at most MAX_DIVERSITY_LISTS lists.
    """
    users, user_ids = pd.factorize(train["user_id"])
    rated, catalogue = pd.factorize(train["movie_id"], sort=True)
    movies = pd.Index(catalogue).get_indexer(pd.Index(shown["movie_id"]))
    owners = shown["request"].to_numpy(dtype=np.int64)[movies >= 0]
    movies = movies[movies >= 0]
    is_shown = (np.bincount(movies, minlength=len(catalogue)) > 0)[rated]  # of the others no rater is asked for
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
