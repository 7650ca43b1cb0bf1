"""Tunes the hybrid's re-ranker on the movies that users liked after the cuts of inner splits.

The half-life and the popularity weight of the plain form are tuned first. Then a learnt form is fitted to time windows.
It replaces the plain form if it ranks the latest windows no worse. Each window is ranked by a form learnt from earlier
windows.

Cold-start users, who have few ratings, get more popular movies in addition to those that match their ratings.

For a user with n ratings, the plain re-ranker gives a movie's current trend a weight of

    popularity_weight + cold_user_weight / (1 + n)^2

because the first few ratings say less about a user's taste than the likes of all users. How much less depends on which
ratings these are. Randomly drawn ratings say little about the others, but a user's first ratings are followed by
similar ones. A site has only the first ratings of a cold-start user. The weight is therefore tuned on users' first
ratings and the following ones. Random ratings are used only if times are unknown.
"""

import logging
import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.bias import residuals
from recommender.estimators.dataset import Dataset
from recommender.estimators.features import MovieFeatures
from recommender.estimators.inner_splits import InnerSplit, random_splits
from recommender.estimators.interactions import (
    Array,
    keep_entries,
    places_in_rows,
    positives_of,
    row_numbers,
    select_items,
)
from recommender.estimators.item_features import Genres, item_features_of
from recommender.estimators.item_weights import Parameters, inputs_of
from recommender.estimators.popularity import trend_of
from recommender.estimators.ranking import EXCLUDED
from recommender.estimators.reranker import (
    Examples,
    Reranker,
    cold_user_share,
    empty_user_features,
    learn_weights,
    signed_sqrt,
    user_features_of,
)
from recommender.estimators.tune_items import ItemHoldout
from recommender.estimators.validation import mean_or_nan, ndcg_of_scores

logger = logging.getLogger(__name__)

HALF_LIVES_GRID = (1.0, 2.0, 4.0, 7.0, 14.0, 30.0, 90.0, 365.0, math.inf)
WEIGHTS_GRID = (0.0, 0.01, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
FIRST_WEIGHT = 0.25
COLD_USER_WEIGHTS_GRID = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
COLD_USER_LENGTHS = (1, 2, 5)
NEXT = 10  # ratings on which a first list is evaluated; later ones follow other lists
TUNING_MOVIES = 4000
# Number of movies per user that the learnt form learns to rank: the best by each score, and random ones. Without the
# random ones, it would rank the tail of the catalogue too high.
SHOWN_BY_PLAIN, SHOWN_BY_PERSONAL, SHOWN_BY_CHANCE = 60, 30, 50
MIN_WINDOWS = 3
JUDGING_WINDOWS = 3
MAX_LOSS = 1.0  # accepted loss of the learnt form, in standard errors


class ScoredSplit(ItemHoldout):
    """An inner split, scored by an item-item model fitted to it. Arrays cover its users and modelled movies."""

    def __init__(self, split: InnerSplit, features: csr_matrix, item_parameters: dict[str, float]) -> None:
        super().__init__(split, features, TUNING_MOVIES)
        inputs = self.rows.inputs(split.users, item_parameters["history_weight"])
        self.scores: Array = inputs @ self.rows.weights(item_parameters)
        del self.rows  # large, and no longer needed
        self.history = split.train.ratings[split.users]  # over all movies
        self._trends: dict[float, Array] = {}  # keyed by half-life

    def plain(self, half_life: float, weight: float) -> Array:
        """Return the plain form's scores (users, modelled movies): signed root of the score plus weight * trend."""
        if half_life not in self._trends:
            self._trends[half_life] = trend_of(self.train, half_life)[self.movies]
        return signed_sqrt(self.scores) + np.float32(weight) * self._trends[half_life]


def tune_blend(scored: list[ScoredSplit], given: dict[str, float | None], by_time: bool) -> dict[str, float]:
    """Return half_life_days and popularity_weight. Those not given are tuned for nDCG@10 over the users of all splits.

    A random split mixes past and future, so it cannot distinguish half-lives. Its half-life is infinite (all time).
    """
    half_life, weight = given["half_life_days"], given["popularity_weight"]
    half_lives = (half_life,) if half_life is not None else (HALF_LIVES_GRID if by_time else (math.inf,))

    def quality(days: float, of_trend: float) -> float:
        return mean_or_nan(np.concatenate([part.quality(part.plain(days, of_trend)) for part in scored]))

    def best_half_life(of_trend: float) -> float:
        return _best(half_lives, lambda days: quality(days, of_trend))

    days = best_half_life(FIRST_WEIGHT if weight is None else weight)
    if weight is None:
        weight = _best(WEIGHTS_GRID, lambda of_trend: quality(days, of_trend))
        days = best_half_life(weight) if weight > 0 else days
    return {"half_life_days": days, "popularity_weight": weight}


def _best(tried: Sequence[float], quality: Callable[[float], float]) -> float:
    """Return the first value with the best quality. A single value is returned without a trial."""
    if len(tried) == 1:
        return tried[0]
    qualities = [quality(value) for value in tried]
    return tried[int(np.nanargmax(qualities))] if np.isfinite(qualities).any() else tried[0]


def tune_cold_user_weight(dataset: Dataset, items: Parameters, blend: Parameters, random_state: int) -> float:
    """Return the weight with the best nDCG@10 for users of random splits who keep COLD_USER_LENGTHS of their ratings.

    If times are known, users keep their first ratings and are evaluated on their likes among the NEXT ratings.
    Otherwise they keep random ratings and are evaluated on all held-out ratings.
    """
    qualities = np.zeros(len(COLD_USER_WEIGHTS_GRID))
    for split in random_splits(dataset, random_state):
        holdout = ItemHoldout(split, dataset.movie_features[1], TUNING_MOVIES)
        movies, rows = holdout.movies, holdout.rows
        weights = rows.weights(items)
        trend = trend_of(split.train, blend["half_life_days"])[movies]
        for length in COLD_USER_LENGTHS:
            few, wanted = (
                first_ratings_holdout(dataset, split, length) if dataset.has_times else random_holdout(split, length)
            )
            above = select_items(residuals(few, *split.train.rating_biases), movies)
            seen, answers = select_items(few, movies), select_items(wanted, movies)
            scores = inputs_of(seen, above, rows.threshold, items["history_weight"]) @ weights
            share = cold_user_share(np.diff(few.indptr))[:, None]
            for at, weight in enumerate(COLD_USER_WEIGHTS_GRID):
                popular = (np.float32(blend["popularity_weight"]) + np.float32(weight) * share) * trend
                qualities[at] += np.nansum(ndcg_of_scores(signed_sqrt(scores) + popular, seen, answers))
    return COLD_USER_WEIGHTS_GRID[int(np.argmax(qualities))]


def random_holdout(split: InnerSplit, length: int) -> tuple[csr_matrix, csr_matrix]:
    """Return at most `length` random ratings per user of the split, and all held-out likes. Deterministic."""
    history = split.train.ratings[split.users]
    places = places_in_rows(history, np.random.default_rng(0).random(history.nnz))
    return keep_entries(history, places < length), split.answers


def first_ratings_holdout(dataset: Dataset, split: InnerSplit, length: int) -> tuple[csr_matrix, csr_matrix]:
    """Return each user's first `length` ratings that are not held out, and the held-out likes after them."""
    history = split.train.ratings[split.users]
    at = _places_in(dataset, split.users, history)
    few = places_in_rows(history, at) < length
    last = np.zeros(len(split.users), dtype=np.int64)
    np.maximum.at(last, row_numbers(history)[few], at[few])
    wanted, since = _places_in(dataset, split.users, split.answers), last[row_numbers(split.answers)]
    is_next = (wanted > since) & (wanted <= since + NEXT)
    return keep_entries(history, few), keep_entries(split.answers, is_next)


def _places_in(dataset: Dataset, users: Array, matrix: csr_matrix) -> Array:
    """Return for each entry of the users' rows how many of the user's ratings precede it."""
    sorted_pairs = _pairs(row_numbers(dataset.ratings), dataset.ratings)
    at = np.searchsorted(sorted_pairs, _pairs(users[row_numbers(matrix)], matrix))
    return np.asarray(places_in_rows(dataset.ratings, dataset.rated_at)[at])


def _pairs(users: Array, matrix: csr_matrix) -> Array:
    """Return a number for each entry that identifies its user and movie."""
    return np.asarray(users.astype(np.int64) * matrix.shape[1] + matrix.indices)


def learn_reranker(
    scored: list[ScoredSplit],
    blend: dict[str, float],
    movie_features: tuple[MovieFeatures, csr_matrix],
    is_wanted: bool | None,
    random_state: int,
) -> Reranker | None:
    """Learn the re-ranker from time windows, latest first.

    Returns None for the plain form. It is used if `is_wanted` is False, if there are fewer than MIN_WINDOWS windows, or
    if `is_wanted` is None and it ranks better.
    """
    if is_wanted is False or len(scored) < MIN_WINDOWS:
        return None
    vocabulary, features = movie_features
    genres = [Genres.of(features, vocabulary.names, part.train.popularity) for part in scored]
    windows = [_Window(part, blend, of_part, random_state) for part, of_part in zip(scored, genres, strict=True)]
    if is_wanted is None and not _is_as_good(windows):
        logger.info("re-ranker: plain, since the learnt form ranked later weeks worse")
        return None
    return _learn(windows)


def _is_as_good(windows: list["_Window"]) -> bool:
    """Return whether forms learnt from earlier windows rank the latest windows as well as the plain form.

    If both rank equally well, the learnt form is preferred, because its lists contain several times as many movies.
    """
    gains = [np.zeros(0)]
    for number in range(min(JUDGING_WINDOWS, len(windows) - MIN_WINDOWS + 1)):
        reranker = _learn(windows[number + 1 :])
        if reranker is not None:
            gains.append(windows[number].gain(reranker))
    gain = np.concatenate(gains)
    return len(gain) > 1 and bool(gain.mean() > -MAX_LOSS * gain.std() / math.sqrt(len(gain)))


class _Window:
    def __init__(self, scored: ScoredSplit, blend: dict[str, float], genres: Genres, random_state: int) -> None:
        self.scored, self.genres, self.random_state = scored, genres, random_state
        half_life, weight = blend["half_life_days"], blend["popularity_weight"]
        train = scored.train
        self.item_features = item_features_of(train, half_life)
        self.empty = empty_user_features(train.ratings, self.item_features)
        self.liked = positives_of(scored.history, train.implicit_threshold)
        self.plain = scored.plain(half_life, weight)

    def gain(self, reranker: Reranker) -> Array:
        """Return the gain in each user's nDCG@10 over the plain form."""
        user_features = np.stack([*reranker.user_features[:2], self.empty]).astype(np.float32)
        item_idx = self.scored.movies
        scores = Reranker(reranker.weights, user_features).score(
            self.scored.scores, self.scored.history, self.liked, self.item_features, self.genres, item_idx
        )
        return self.scored.quality(scores) - self.scored.quality(self.plain)

    @cached_property
    def examples(self) -> Examples:
        """Return training examples of the users who liked at least one of their shown movies."""
        places, is_shown = self._shown()
        answers = is_shown & np.take_along_axis(self.scored.answers.toarray() > 0, places, axis=1)
        users = np.flatnonzero(answers.any(axis=1))
        places, scores = places[users], np.take_along_axis(self.scored.scores[users], places[users], axis=1)
        affinity = self.genres.lift(self.liked[users]) @ self.genres.parts[:, self.scored.movies]
        parts = [signed_sqrt(scores), scores, np.take_along_axis(affinity, places, axis=1)]
        parts += [values[self.scored.movies][places] for values in self.item_features]
        user_features = user_features_of(self.scored.history[users], self.item_features, self.empty)
        return Examples(np.stack(parts, axis=2), user_features, is_shown[users], answers[users])

    def _shown(self) -> tuple[Array, Array]:
        """Return positions of the best movies by the plain form, then by the personal score, then random ones.

        The second array is False where a user has too few movies to fill a position.
        """
        shape = self.plain.shape
        left = np.ones(shape, dtype=bool)
        left[row_numbers(self.scored.seen), self.scored.seen.indices] = False
        by_chance = np.random.default_rng(self.random_state).random(shape, dtype=np.float32)
        places, is_shown = [], []
        sources = ((self.plain, SHOWN_BY_PLAIN), (self.scored.scores, SHOWN_BY_PERSONAL), (by_chance, SHOWN_BY_CHANCE))
        for scores, k in sources:
            best = _highest(np.where(left, scores, EXCLUDED), k)
            is_new = np.arange(k) < shape[1]  # further positions only repeat movies
            places.append(best)
            is_shown.append(np.take_along_axis(left, best, axis=1) & is_new)
            np.put_along_axis(left, best, False, axis=1)
        return np.concatenate(places, axis=1), np.concatenate(is_shown, axis=1)


def _highest(scores: Array, k: int) -> Array:
    """Return the positions of the k highest scores of each row. Repeats the last one if there are fewer."""
    n = min(k, scores.shape[1])
    highest = np.argpartition(-scores, n - 1, axis=1)[:, :n]
    return np.pad(highest, ((0, 0), (0, k - n)), mode="edge")


def _learn(windows: Sequence[_Window]) -> Reranker | None:
    examples = [window.examples for window in windows]
    joined = Examples(*(np.concatenate(kind) for kind in zip(*examples, strict=True)))
    return learn_weights(joined, windows[0].empty) if len(joined.parts) else None
