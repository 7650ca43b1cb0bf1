"""Tuning of the hybrid's re-ranker on the movies that users liked after the cuts of inner splits.

First the half-life and popularity weight of the plain form; then, on windows of time, a learnt form, which is taken if
it ranks the latest windows, each learnt from those before it, no worse than the plain one.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.dataset import Dataset
from recommender.estimators.inner_splits import InnerSplit
from recommender.estimators.interactions import Array, positives_of, row_numbers, select_items
from recommender.estimators.item_features import Genres, item_features_of
from recommender.estimators.item_rows import ItemRows, item_scores
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
from recommender.estimators.validation import most_rated, ndcg_of_scores

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


@dataclass
class ScoredSplit:
    """One inner split, scored by an item-item model of its own: arrays over its users and modelled movies."""

    train: Dataset
    history: csr_matrix  # over all movies
    modelled: Array
    scores: Array
    seen: csr_matrix
    answers: csr_matrix
    trends: dict[float, Array] = field(default_factory=dict)  # by half-life

    @classmethod
    def of(cls, split: InnerSplit, features: csr_matrix, item_parameters: dict[str, float]) -> Self:
        modelled = most_rated(split.train, TUNING_MOVIES)
        scores = item_scores(ItemRows.of(split.train, modelled, features), split.users, item_parameters)
        history = split.train.ratings[split.users]
        answers = select_items(split.answers, modelled)
        return cls(split.train, history, modelled, scores, select_items(history, modelled), answers)

    def plain(self, half_life: float, weight: float) -> Array:
        """Scores (users, modelled movies) of the plain form: signed root of the personal score plus weight * trend."""
        if half_life not in self.trends:
            self.trends[half_life] = trend_of(self.train, half_life)[self.modelled]
        return signed_sqrt(self.scores) + np.float32(weight) * self.trends[half_life]

    def quality(self, scores: Array) -> Array:
        """nDCG@10 of each user with an answer among the modelled movies."""
        if not self.answers.nnz:
            return np.empty(0)
        quality = ndcg_of_scores(scores, self.seen, self.answers)
        return quality[np.isfinite(quality)]


def tune_blend(scored: list[ScoredSplit], given: dict[str, float | None], by_time: bool) -> dict[str, float]:
    """half_life_days and popularity_weight, as far as not given: the best nDCG@10 over all the splits' users.

    A random split mixes past and future, so it cannot tell half-lives apart: there all time is taken.
    """
    half_life, weight = given["half_life_days"], given["popularity_weight"]
    half_lives = [half_life] if half_life is not None else list(HALF_LIVES_GRID if by_time else [math.inf])
    weights = [weight] if weight is not None else list(WEIGHTS_GRID)
    first = FIRST_WEIGHT if weight is None else weight
    best_half_life = _best(half_lives, lambda days: _quality(scored, days, first))
    best_weight = _best(weights, lambda value: _quality(scored, best_half_life, value))
    if best_weight > 0:
        best_half_life = _best(half_lives, lambda days: _quality(scored, days, best_weight))
    return {"half_life_days": best_half_life, "popularity_weight": best_weight}


def _quality(scored: list[ScoredSplit], half_life: float, weight: float) -> float:
    qualities = np.concatenate([part.quality(part.plain(half_life, weight)) for part in scored])
    return float(qualities.mean()) if len(qualities) else float("nan")


def _best(tried: list[float], quality: Any) -> float:
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
        item_idx = self.scored.modelled
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
        affinity = self.genres.lift(self.liked[users]) @ self.genres.parts[:, self.scored.modelled]
        parts = [signed_sqrt(scores), scores, np.take_along_axis(affinity, places, axis=1)]
        parts += [values[self.scored.modelled][places] for values in self.item_features]
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
