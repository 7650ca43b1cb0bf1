"""The hybrid's re-ranker. It computes the final score from a personal score and features of the movie and the user.

    score = x' W y,   x = (1, user features),   y = (sign(s) sqrt|s|, s, genre affinity, item features)

s is the prediction of an item-item model, roughly the probability that the user likes the movie. The plain form is the
signed square root of s plus a weighted current trend of the movie. The weight depends only on the user's number of
ratings (see `tune_reranker`). The learnt form is a conditional logit. It maximizes the likelihood of the movies that
users liked in later weeks among those that could have been shown. Users who follow new releases thus get more of them.
"""

from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.interactions import Array, ordered_product, product_of_items, with_values
from recommender.estimators.item_features import AGE, ITEM_FEATURES, Genres

PARTS = ("root", "score", "genres", *ITEM_FEATURES)  # components of y
ROOT, SCORE, GENRES = range(3)
NOW = PARTS.index("now")
USER_FEATURES = ("activity", "age", "trend_4", "trend_14")  # in x: log of the rating count, means over rated movies
AVERAGED_ITEM_FEATURES = [AGE, ITEM_FEATURES.index("trend_4"), ITEM_FEATURES.index("trend_14")]
PERSONAL_PARTS = [PARTS.index(name) for name in ("root", "trend_4", "trend_inf", "age")]  # their weights vary by user
USER_FEATURE_SHRINKAGE = 3.0
PENALTY = 10.0


def signed_sqrt(scores: Array) -> Array:
    """Return sign(s) sqrt|s|. This spreads out scores that behave like probabilities of rare events."""
    return np.asarray(np.sign(scores) * np.sqrt(np.abs(scores)))


def cold_user_share(n_ratings: Array) -> Array:
    """Return float32 1 / (1 + n)^2 for each number of ratings n (see `tune_reranker`)."""
    return np.asarray((1.0 / (1.0 + n_ratings) ** 2).astype(np.float32))


class Reranker:
    """Computes final scores. `weights` is W, (1 + USER_FEATURES, PARTS).

    The rows of `user_features` (3, USER_FEATURES) are the means, the scales and the values of an empty history.
    """

    def __init__(self, weights: Array, user_features: Array, cold_user_weight: float = 0.0) -> None:
        self.weights, self.user_features, self.cold_user_weight = weights, user_features, cold_user_weight

    @classmethod
    def plain(cls, popularity_weight: float, cold_user_weight: float = 0.0) -> Self:
        weights = np.zeros((1 + len(USER_FEATURES), len(PARTS)), dtype=np.float32)
        weights[0, ROOT], weights[0, NOW] = 1, popularity_weight
        user_features = np.array([[0.0], [1.0], [0.0]], dtype=np.float32).repeat(len(USER_FEATURES), axis=1)
        return cls(weights, user_features, cold_user_weight)

    def score(
        self,
        scores: Array,
        history: csr_matrix,
        liked: csr_matrix,
        item_features: Array,
        genres: Genres,
        item_idx: Array,
    ) -> Array:
        """Return the final scores of the items from their personal `scores`.

        `item_features` and `genres` cover all movies.
        """
        own = self.weights_of(history, item_features)
        result: Array = self.personal(own, scores)
        counts = NOW + np.flatnonzero(own[:, NOW:].any(axis=0))  # few in the plain form
        if len(counts):
            result += product_of_items(own[:, counts], item_features[counts - NOW], item_idx)
        if self.weights[:, GENRES].any():
            result += own[:, GENRES, None] * genres.affinity(liked, item_idx)
        return result

    def personal(self, own: Array, scores: Array) -> Array:
        """Return the contribution of the personal scores for users with the weights `own`."""
        part: Array = own[:, ROOT, None] * signed_sqrt(scores)
        return part + own[:, SCORE, None] * scores if self.weights[0, SCORE] else part

    def probabilities(self, scores: Array) -> Array:
        """Return the probability, up to a factor, of a like for each movie of a list. `scores` must descend."""
        if self.is_learnt:
            return np.asarray(np.exp(scores - scores[0]))
        return np.asarray(np.square(scores - min(scores[-1], 0)))  # the plain form is roughly the root of a probability

    def weights_of(self, history: csr_matrix, item_features: Array) -> Array:
        """Return each user's weights (users, PARTS)."""
        own = np.repeat(self.weights[:1], history.shape[0], axis=0)
        if self.is_learnt:
            mean, scale, empty = self.user_features
            user_features = (user_features_of(history, item_features, empty) - mean) / scale
            own += ordered_product(user_features.astype(np.float32), self.weights[1:])
        if self.cold_user_weight:
            own[:, NOW] += np.float32(self.cold_user_weight) * cold_user_share(np.diff(history.indptr))
        return own

    @cached_property
    def is_learnt(self) -> bool:
        return bool(self.weights[1:].any())


def user_features_of(history: csr_matrix, item_features: Array, empty: Array) -> Array:
    """Return user features (users, USER_FEATURES). With few ratings they are close to those without any."""
    n_rated = np.diff(history.indptr)
    rated = with_values(history, np.ones(history.nnz, dtype=np.float32))
    sums = rated @ np.ascontiguousarray(item_features[AVERAGED_ITEM_FEATURES].T) + USER_FEATURE_SHRINKAGE * empty[1:]
    return np.column_stack([np.log1p(n_rated), sums / (n_rated[:, None] + USER_FEATURE_SHRINKAGE)])


def empty_user_features(ratings: csr_matrix, item_features: Array) -> Array:
    """Return the user features of an empty history, which are means over all ratings."""
    counts = np.bincount(ratings.indices, minlength=ratings.shape[1])
    return np.append(0.0, item_features[AVERAGED_ITEM_FEATURES] @ counts / max(counts.sum(), 1))


class Examples(NamedTuple):
    parts: Array  # (users, movies, PARTS)
    user_features: Array  # (users, USER_FEATURES)
    is_shown: Array  # (users, movies): whether the movie counts as shown to the user
    answers: Array  # (users, movies): whether the user liked the shown movie; at least one per user


def learn_weights(examples: Examples, empty: Array) -> Reranker:
    """Return the learnt form, fitted to the examples. `empty` holds the user features of an empty history."""
    parts, user_features, is_shown, answers = examples
    mean, scale = user_features.mean(axis=0), user_features.std(axis=0) + 1e-9
    standard = ((user_features - mean) / scale).astype(np.float32)
    personal = [standard[:, None, column, None] * parts[:, :, PERSONAL_PARTS] for column in range(len(USER_FEATURES))]
    result = _conditional_logit(np.concatenate([parts, *personal], axis=2), is_shown, answers)
    weights = np.zeros((1 + len(USER_FEATURES), len(PARTS)), dtype=np.float32)
    weights[0] = result[: len(PARTS)]
    weights[1:, PERSONAL_PARTS] = result[len(PARTS) :].reshape(len(USER_FEATURES), -1)
    return Reranker(weights, np.stack([mean, scale, empty]).astype(np.float32))


def _conditional_logit(parts: Array, is_shown: Array, answers: Array) -> Array:
    """Maximize the likelihood of the answers minus a ridge penalty on standardized weights. Return the weights."""
    from scipy.optimize import minimize  # imported here to save web processes half a second

    mean, scale = parts[is_shown].mean(axis=0), parts[is_shown].std(axis=0) + 1e-9
    standard = ((parts - mean) / scale).astype(np.float32)
    n_answers = answers.sum(axis=1).astype(np.float64)
    of_answers = standard[answers].sum(axis=0, dtype=np.float64)

    def loss(weights: Array) -> tuple[float, Array]:
        scores = np.where(is_shown, (standard @ weights.astype(np.float32)).astype(np.float64), -np.inf)
        scores -= scores.max(axis=1, keepdims=True)
        probabilities = np.exp(scores)
        sums = probabilities.sum(axis=1)
        expected = (probabilities * (n_answers / sums)[:, None]).astype(np.float32)
        likelihood = scores[answers].sum() - n_answers @ np.log(sums)
        slope = of_answers - np.tensordot(expected, standard, axes=([0, 1], [0, 1])).astype(np.float64)
        return PENALTY / 2 * weights @ weights - likelihood, PENALTY * weights - slope

    result = minimize(loss, np.zeros(parts.shape[2]), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return np.asarray(np.where(scale > 1e-6, result.x / scale, 0))
