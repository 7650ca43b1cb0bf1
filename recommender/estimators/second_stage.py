"""The score that ranks, from a personal one and what is known of movie and user.

    score = x' W y,   x = (1, the user's traits),   y = (sign(s) sqrt|s|, s, genre affinity, the movie's signals)

s is what an item-item model predicts (about the chance that the user likes the movie, squeezed as chances of rare
things want it). The plain form is s's root plus a weight times what trends now, the same for everybody of as many
ratings (see `newcomers`).
The learnt form maximises the likelihood of what users liked in later weeks among the movies that could have been
shown then (a conditional logit): users who follow what is new get more of it than those who dig in old films.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.histories import ordered_product, product_of_columns
from recommender.estimators.newcomers import newcomer_share
from recommender.estimators.signals import AGE, SIGNALS, Genres

Array = np.ndarray[Any, Any]

PARTS = ("root", "score", "genres", *SIGNALS)  # of y
ROOT, SCORE, GENRES = range(3)
NOW = PARTS.index("now")
TRAITS = ("activity", "age", "trend_4", "trend_14")  # of x after 1: log of ratings, means over the rated movies
TRAIT_SIGNALS = [AGE, SIGNALS.index("trend_4"), SIGNALS.index("trend_14")]
PERSONAL_PARTS = [PARTS.index(name) for name in ("root", "trend_4", "trend_inf", "age")]  # whose weights differ by user
TRAIT_SHRINKAGE = 3.0
PENALTY = 10.0


def root_of(scores: Array) -> Array:
    root: Array = np.sign(scores) * np.sqrt(np.abs(scores))
    return root


class SecondStage:
    """`weights`: W, (1 + TRAITS, PARTS). `traits`: the mean and the scale of each trait, and of an empty history."""

    def __init__(self, weights: Array, traits: Array, newcomer_weight: float = 0.0) -> None:
        self.weights, self.traits, self.newcomer_weight = weights, traits, newcomer_weight

    @classmethod
    def plain(cls, popularity_weight: float, newcomer_weight: float = 0.0) -> SecondStage:
        weights = np.zeros((1 + len(TRAITS), len(PARTS)), dtype=np.float32)
        weights[0, ROOT], weights[0, NOW] = 1, popularity_weight
        traits = np.array([[0.0], [1.0], [0.0]], dtype=np.float32).repeat(len(TRAITS), axis=1)
        return cls(weights, traits, newcomer_weight)

    def score(
        self, scores: Array, history: csr_matrix, liked: csr_matrix, signals: Array, genres: Genres, columns: Array
    ) -> Array:
        """`scores` are the personal ones of those columns; `signals` and `genres` are of all movies."""
        own = self.weights_of(history, signals)
        result: Array = self.personal(own, scores) + product_of_columns(own[:, NOW:], signals, columns)
        if self.weights[:, GENRES].any():
            result += own[:, GENRES, None] * genres.affinity(liked, columns)
        return result

    def personal(self, own: Array, scores: Array) -> Array:
        """What the personal score contributes for users with those weights."""
        part: Array = own[:, ROOT, None] * root_of(scores)
        return part + own[:, SCORE, None] * scores if self.weights[0, SCORE] else part

    def chances(self, scores: Array) -> Array:
        """Up to a factor, how likely each movie of a list is liked, from the scores, which descend."""
        if self._is_personal:
            chances: Array = np.exp(scores - scores[0])
        else:
            chances = np.square(scores - min(scores[-1], 0))  # the plain form is about the root of a chance
        return chances

    def weights_of(self, history: csr_matrix, signals: Array) -> Array:
        """(users, PARTS)."""
        own = self._own(history, signals)
        if self.newcomer_weight:
            own[:, NOW] += np.float32(self.newcomer_weight) * newcomer_share(np.diff(history.indptr))
        return own

    def _own(self, history: csr_matrix, signals: Array) -> Array:
        if not self._is_personal:
            return np.repeat(self.weights[:1], history.shape[0], axis=0)
        mean, scale, empty = self.traits
        traits = (traits_of(history, signals, empty) - mean) / scale
        own: Array = self.weights[0] + ordered_product(traits.astype(np.float32), self.weights[1:])
        return own

    @cached_property
    def _is_personal(self) -> bool:
        return bool(self.weights[1:].any())


def traits_of(history: csr_matrix, signals: Array, empty: Array) -> Array:
    """(users, TRAITS); of few ratings the means are drawn to those of an empty history."""
    n_rated = np.diff(history.indptr)
    rated = csr_matrix((np.ones(history.nnz, dtype=np.float32), history.indices, history.indptr), shape=history.shape)
    sums = rated @ np.ascontiguousarray(signals[TRAIT_SIGNALS].T) + TRAIT_SHRINKAGE * empty[1:]
    return np.column_stack([np.log1p(n_rated), sums / (n_rated[:, None] + TRAIT_SHRINKAGE)])


def traits_of_empty(ratings: csr_matrix, signals: Array) -> Array:
    """The mean over all ratings."""
    counts = np.bincount(ratings.indices, minlength=ratings.shape[1])
    return np.append(0.0, signals[TRAIT_SIGNALS] @ counts / max(counts.sum(), 1))


class Examples(NamedTuple):
    parts: Array  # (users, movies, PARTS)
    traits: Array  # (users, TRAITS)
    is_shown: Array  # (users, movies): which of the movies stood for choice
    answers: Array  # which of those were liked, at least one by each user


def learn_weights(examples: Examples, empty: Array) -> SecondStage:
    parts, traits, is_shown, answers = examples
    mean, scale = traits.mean(axis=0), traits.std(axis=0) + 1e-9
    standard = ((traits - mean) / scale).astype(np.float32)
    personal = [standard[:, None, trait, None] * parts[:, :, PERSONAL_PARTS] for trait in range(len(TRAITS))]
    found = _conditional_logit(np.concatenate([parts, *personal], axis=2), is_shown, answers)
    weights = np.zeros((1 + len(TRAITS), len(PARTS)), dtype=np.float32)
    weights[0] = found[: len(PARTS)]
    weights[1:, PERSONAL_PARTS] = found[len(PARTS) :].reshape(len(TRAITS), -1)
    return SecondStage(weights, np.stack([mean, scale, empty]).astype(np.float32))


def _conditional_logit(parts: Array, is_shown: Array, answers: Array) -> Array:
    """The weights that maximise the likelihood of the answers, less a ridge penalty on the standardised ones."""
    from scipy.optimize import minimize  # Here: its import takes half a second, which no web process has to wait.

    mean, scale = parts[is_shown].mean(axis=0), parts[is_shown].std(axis=0) + 1e-9
    standard = ((parts - mean) / scale).astype(np.float32)
    n_answers = answers.sum(axis=1).astype(np.float64)
    of_answers = standard[answers].sum(axis=0, dtype=np.float64)

    def loss(weights: Array) -> tuple[float, Array]:
        scores = np.where(is_shown, (standard @ weights.astype(np.float32)).astype(np.float64), -np.inf)
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        sums = chances.sum(axis=1)
        expected = (chances * (n_answers / sums)[:, None]).astype(np.float32)
        likelihood = scores[answers].sum() - n_answers @ np.log(sums)
        slope = of_answers - np.tensordot(expected, standard, axes=([0, 1], [0, 1])).astype(np.float64)
        return PENALTY / 2 * weights @ weights - likelihood, PENALTY * weights - slope

    found = minimize(loss, np.zeros(parts.shape[2]), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    weights: Array = np.where(scale > 1e-6, found.x / scale, 0)
    return weights
