"""Cold-start users, who have few ratings, get more popular movies beside those that match their ratings.

The plain re-ranker gives a movie's current trend a weight of

    popularity_weight + cold_user_weight / (1 + n)^2

for a user with n ratings: the first few say less about a taste than everybody's likes together. How much less depends
on how users come by them. A few ratings drawn at random say little about the others; but the first that users give are
followed by similar ones, and that is how a site meets cold-start users. So the weight is tuned on users' first ratings
and the next ones, and on random ones only where times are unknown.
"""

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.bias import residuals
from recommender.estimators.dataset import Dataset
from recommender.estimators.inner_splits import InnerSplit, random_splits
from recommender.estimators.interactions import Array, keep_entries, places_in_rows, row_numbers, select_items
from recommender.estimators.item_weights import ItemRows, Parameters, ease_weights, inputs_of
from recommender.estimators.popularity import trend_of
from recommender.estimators.validation import most_rated, ndcg_of_scores

WEIGHTS_GRID = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LENGTHS = (1, 2, 5)
NEXT = 10  # ratings that a first list is evaluated on: later ones are given with other lists in view
TUNING_MOVIES = 4000


def cold_user_share(n_ratings: Array) -> Array:
    """1 / (1 + n)^2 for each number of ratings, float32."""
    share: Array = (1.0 / (1.0 + n_ratings) ** 2).astype(np.float32)
    return share


def tune_cold_user_weight(dataset: Dataset, items: Parameters, blend: Parameters, random_state: int) -> float:
    """The best nDCG@10 over the users of random splits of the dataset, each with LENGTHS of their ratings in turn.

    Where times are known: their first ratings, evaluated on what they like among the NEXT; else random ones, evaluated
    on all that is held out.
    """
    qualities = np.zeros(len(WEIGHTS_GRID))
    for split in random_splits(dataset, random_state):
        movies = most_rated(split.train, TUNING_MOVIES)
        rows = ItemRows.of(split.train, movies, dataset.movie_features[1])
        weights = ease_weights(rows.gram(items), items["regularization"], items["dropout"])
        trend = trend_of(split.train, blend["half_life_days"])[movies]
        for length in LENGTHS:
            few, wanted = (
                first_ratings_holdout(dataset, split, length) if dataset.has_times else random_holdout(split, length)
            )
            above = select_items(residuals(few, *split.train.rating_biases), movies)
            seen, answers = select_items(few, movies), select_items(wanted, movies)
            scores = inputs_of(seen, above, rows.threshold, items["history_weight"]) @ weights
            taste = np.sign(scores) * np.sqrt(np.abs(scores))
            share = cold_user_share(np.diff(few.indptr))[:, None]
            for at, weight in enumerate(WEIGHTS_GRID):
                popular = (np.float32(blend["popularity_weight"]) + np.float32(weight) * share) * trend
                qualities[at] += np.nansum(ndcg_of_scores(taste + popular, seen, answers))
    return WEIGHTS_GRID[int(np.argmax(qualities))]


def random_holdout(split: InnerSplit, length: int) -> tuple[csr_matrix, csr_matrix]:
    """At most `length` random ratings of each user of the split, the same at each call; and all the answers."""
    history = split.train.ratings[split.users]
    places = places_in_rows(history, np.random.default_rng(0).random(history.nnz))
    return keep_entries(history, places < length), split.answers


def first_ratings_holdout(dataset: Dataset, split: InnerSplit, length: int) -> tuple[csr_matrix, csr_matrix]:
    """The first `length` ratings of each user that are not held out; and the answers among the NEXT ratings."""
    history = split.train.ratings[split.users]
    at = _places_in(dataset, split.users, history)
    few = places_in_rows(history, at) < length
    last = np.zeros(len(split.users), dtype=np.int64)
    np.maximum.at(last, row_numbers(history)[few], at[few])
    wanted, since = _places_in(dataset, split.users, split.answers), last[row_numbers(split.answers)]
    is_next = (wanted > since) & (wanted <= since + NEXT)
    return keep_entries(history, few), keep_entries(split.answers, is_next)


def _places_in(dataset: Dataset, users: Array, matrix: csr_matrix) -> Array:
    """Of each entry of these users' rows, how many of their ratings came before it."""
    sorted_pairs = _pairs(row_numbers(dataset.ratings), dataset.ratings)
    at = np.searchsorted(sorted_pairs, _pairs(users[row_numbers(matrix)], matrix))
    places: Array = places_in_rows(dataset.ratings, dataset.rated_at)[at]
    return places


def _pairs(users: Array, matrix: csr_matrix) -> Array:
    """One number of each user and movie."""
    numbers: Array = users.astype(np.int64) * matrix.shape[1] + matrix.indices
    return numbers
