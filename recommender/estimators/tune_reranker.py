"""Tuning of the hybrid's re-ranker on the movies that users liked after the cuts of inner splits.

First the half-life and popularity weight of the plain form; then, on windows of time, a learnt form, which is taken if
it ranks the latest windows, each learnt from those before it, no worse than the plain one.
"""

import logging
import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.inner_splits import InnerSplit
from recommender.estimators.interactions import Array, positives_of, row_numbers
from recommender.estimators.item_features import Genres, item_features_of
from recommender.estimators.item_weights import item_scores
from recommender.estimators.popularity import trend_of
from recommender.estimators.ranking import EXCLUDED
from recommender.estimators.reranker import (
    Examples,
    Reranker,
    empty_user_features,
    learn_weights,
    signed_sqrt,
    user_features_of,
)
from recommender.estimators.tune_items import ItemHoldout
from recommender.estimators.validation import mean_or_nan

logger = logging.getLogger(__name__)

HALF_LIVES_GRID = (1.0, 2.0, 4.0, 7.0, 14.0, 30.0, 90.0, 365.0, math.inf)
WEIGHTS_GRID = (0.0, 0.01, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
FIRST_WEIGHT = 0.25
TUNING_MOVIES = 4000
# A user's movies that the learnt form learns to rank: the best by each score, and some by chance, without which it
# would take the tail of the catalogue for as good as the head.
SHOWN_BY_PLAIN, SHOWN_BY_PERSONAL, SHOWN_BY_CHANCE = 60, 30, 50
MIN_WINDOWS = 3
JUDGING_WINDOWS = 3
MAX_LOSS = 1.0  # in standard errors


class ScoredSplit(ItemHoldout):
    """One inner split, scored by an item-item model of its own: arrays over its users and modelled movies."""

    def __init__(self, split: InnerSplit, features: csr_matrix, item_parameters: dict[str, float]) -> None:
        super().__init__(split, features, TUNING_MOVIES)
        self.scores = item_scores(self.rows, split.users, item_parameters)
        del self.rows  # large, and no longer needed
        self.history = split.train.ratings[split.users]  # over all movies
        self._trends: dict[float, Array] = {}  # by half-life

    def plain(self, half_life: float, weight: float) -> Array:
        """Scores (users, modelled movies) of the plain form: signed root of the personal score plus weight * trend."""
        if half_life not in self._trends:
            self._trends[half_life] = trend_of(self.train, half_life)[self.movies]
        return signed_sqrt(self.scores) + np.float32(weight) * self._trends[half_life]


def tune_blend(scored: list[ScoredSplit], given: dict[str, float | None], by_time: bool) -> dict[str, float]:
    """half_life_days and popularity_weight, as far as not given: the best nDCG@10 over all the splits' users.

    A random split mixes past and future, so it cannot tell half-lives apart: there all time is taken.
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
    """The first of the best; nothing is tried where there is no choice."""
    if len(tried) == 1:
        return tried[0]
    qualities = [quality(value) for value in tried]
    return tried[int(np.nanargmax(qualities))] if np.isfinite(qualities).any() else tried[0]


def learn_reranker(
    scored: list[ScoredSplit],
    blend: dict[str, float],
    genres: list[Genres],
    is_wanted: bool | None,
    random_state: int,
) -> Reranker | None:
    """From windows of time, the latest first; None where the plain form is better (`is_wanted` None) or is wanted."""
    if is_wanted is False or len(scored) < MIN_WINDOWS:
        return None
    windows = [_Window(part, blend, of_part, random_state) for part, of_part in zip(scored, genres, strict=True)]
    if is_wanted is None and not _is_as_good(windows):
        logger.info("re-ranker: plain, since the learnt form ranked later weeks worse")
        return None
    return _learn(windows)


def _is_as_good(windows: list["_Window"]) -> bool:
    """Whether the latest windows are ranked as well by what is learnt from those before each of them.

    Of two that rank equally well the learnt form is the better one: it shows several times as many movies.
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
        """By how much each user's nDCG@10 is above that of the plain form."""
        user_features = np.stack([*reranker.user_features[:2], self.empty]).astype(np.float32)
        item_idx = self.scored.movies
        scores = Reranker(reranker.weights, user_features).score(
            self.scored.scores, self.scored.history, self.liked, self.item_features, self.genres, item_idx
        )
        return self.scored.quality(scores) - self.scored.quality(self.plain)

    @cached_property
    def examples(self) -> Examples:
        """Of the users who liked one of the movies that they may have been shown."""
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
        """Positions of the best movies by the plain form, of the best others by the personal score, of some by chance.

        Where a user has not so many left, places of the row are marked as not shown.
        """
        shape = self.plain.shape
        left = np.ones(shape, dtype=bool)
        left[row_numbers(self.scored.seen), self.scored.seen.indices] = False
        by_chance = np.random.default_rng(self.random_state).random(shape, dtype=np.float32)
        places, is_shown = [], []
        for scores, k in (
            (self.plain, SHOWN_BY_PLAIN),
            (self.scored.scores, SHOWN_BY_PERSONAL),
            (by_chance, SHOWN_BY_CHANCE),
        ):
            best = _highest(np.where(left, scores, EXCLUDED), k)
            places.append(best)
            is_shown.append(np.take_along_axis(left, best, axis=1) & _is_first(k, shape[1]))
            np.put_along_axis(left, best, False, axis=1)
        return np.concatenate(places, axis=1), np.concatenate(is_shown, axis=1)


def _highest(scores: Array, k: int) -> Array:
    """The k highest places of each row; where there are fewer the last one again."""
    n = min(k, scores.shape[1])
    highest = np.argpartition(-scores, n - 1, axis=1)[:, :n]
    return np.pad(highest, ((0, 0), (0, k - n)), mode="edge")


def _is_first(k: int, n_movies: int) -> Array:
    """Of the k places of `_highest` those that are no repetition."""
    return np.arange(k) < n_movies


def _learn(windows: Sequence[_Window]) -> Reranker | None:
    examples = [window.examples for window in windows]
    joined = Examples(*(np.concatenate(kind) for kind in zip(*examples, strict=True)))
    return learn_weights(joined, windows[0].empty) if len(joined.parts) else None
