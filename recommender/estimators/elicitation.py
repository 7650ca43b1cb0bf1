"""Which titles to ask a newcomer about: those whose answers tell most about taste.

A sample of the model's own users stands for the tastes that there are. The model predicts how each of them rates each
well-known title, the log says who has seen it, and Bayes' rule weighs the users by the answers so far. The expected
information of a question is the mutual information of its answer (liked, disliked or not seen) and the taste:

    I(answer; taste) = H(sum_u w_u p_u) - sum_u w_u H(p_u)

(Golbandi, Koren and Lempel, "Adaptive bootstrapping of recommender systems using decision trees", WSDM 2011, with the
model's users instead of a tree). All of it is precomputed, so that a question costs milliseconds.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from recommender.estimators.base import Recommender
from recommender.estimators.diversity import choose_unlike
from recommender.estimators.interactions import Array, with_values

N_TITLES = 150  # the most rated ones: newcomers have seen some of them
N_TASTES = 384
MIN_RATINGS = 20  # of a user who stands for a taste
SEEN_SHARE = 0.75  # how far the log decides who has seen a title; the rest is its share of all users
OPINION_SHARE = 0.8  # how far a user's own rating decides whether they like a title; the rest is the prediction
STARS_SCALE = 0.5  # of the logistic function from predicted stars to the probability of a like
EVIDENCE = 0.7  # exponent of the likelihood of the answers, which are not independent given a taste
POOL_FACTOR = 4  # a wall of k varied titles is chosen among the best POOL_FACTOR * k
VARIETY = 0.5  # see `diversity.choose_unlike`
TINY = 1e-12


class Elicitation:
    """The questions that one fitted model can ask. `titles` are their movie ids, the most rated first."""

    def __init__(self, model: Recommender) -> None:
        log = model.interactions_
        counts = np.bincount(log.indices, minlength=log.shape[1])
        titles = np.argsort(-counts, kind="stable")[: min(N_TITLES, np.count_nonzero(counts))]
        self.titles: list[Any] = model.movie_ids_[titles].tolist()
        self._likeness = model.likeness(self.titles)
        self._place = {movie: place for place, movie in enumerate(self.titles)}
        tastes = _tastes(np.diff(log.indptr))
        rows = log[tastes]
        has_rated = with_values(rows, np.ones(rows.nnz))[:, titles].toarray() > 0
        self._threshold = model.rating_mean_ if model.implicit_threshold_ is None else model.implicit_threshold_
        likes = (model._scale.stars(rows[:, titles].toarray()) >= self._threshold) & has_rated
        predicted = model.predict_ratings(model.user_ids_[tastes], self.titles)
        by_model = 1 / (1 + np.exp((self._threshold - predicted) / STARS_SCALE))
        liked = np.where(has_rated, OPINION_SHARE * likes + (1 - OPINION_SHARE) * by_model, by_model)
        seen = SEEN_SHARE * has_rated + (1 - SEEN_SHARE) * counts[titles] / log.shape[0]
        # (answers, tastes, titles)
        self._answers = np.clip(np.stack([seen * liked, seen * (1 - liked), 1 - seen]), TINY, 1)
        self._entropies = -np.sum(self._answers * np.log(self._answers), axis=0)

    def choose(self, ratings: Mapping[Any, float], not_seen: Collection[Any], k: int) -> list[Any]:
        """The k titles to ask about next, varied, the most informative first; none that was answered."""
        answered = [self._place[movie] for movie in {*ratings, *not_seen} if movie in self._place]
        information = self._information(self._weights(ratings, not_seen))
        information[answered] = -1
        best = np.argsort(-information, kind="stable")[: min(POOL_FACTOR * k, len(self.titles) - len(answered))]
        if len(best) > k:
            best = best[choose_unlike(information[best], self._likeness[np.ix_(best, best)], k, VARIETY)]
        return [self.titles[place] for place in best]

    def _weights(self, ratings: Mapping[Any, float], not_seen: Iterable[Any]) -> Array:
        """How much each taste explains the answers."""
        given = [(int(rating < self._threshold), movie) for movie, rating in ratings.items()]
        given += [(2, movie) for movie in not_seen if movie not in ratings]
        evidence = np.zeros(self._answers.shape[1])
        for answer, movie in given:
            if movie in self._place:
                evidence += EVIDENCE * np.log(self._answers[answer, :, self._place[movie]])
        weights = np.exp(evidence - evidence.max())
        return np.asarray(weights / weights.sum())

    def _information(self, weights: Array) -> Array:
        expected = np.einsum("u,aut->at", weights, self._answers)
        return np.asarray(-np.sum(expected * np.log(expected), axis=0) - weights @ self._entropies)


def _tastes(n_ratings: Array) -> Array:
    """At most N_TASTES users, evenly taken from those with enough ratings; everybody on a site without such."""
    enough = np.flatnonzero(n_ratings >= MIN_RATINGS)
    users = enough if len(enough) else np.flatnonzero(n_ratings)
    return users[:: max(1, -(-len(users) // N_TASTES))]


def keep_places(shown: Sequence[Any], chosen: Sequence[Any]) -> list[Any]:
    """The chosen titles, those that are shown already in their places."""
    new = [movie for movie in chosen if movie not in shown]
    wall = [movie if movie in chosen else (new.pop(0) if new else None) for movie in shown]
    return [movie for movie in (*wall, *new) if movie is not None]
