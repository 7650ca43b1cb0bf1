"""Chooses the titles to ask a new user about. The answers should improve the user's list as much as possible.

A sample of the model's users represents the range of tastes. The log tells which of them have seen each title, the
model predicts who likes it, and Bayes' rule weights the users by the answers so far (w_u). The value of a question is
the expected gain in nDCG of the list with the answer (a: liked, disliked) over the list without it:

    value(title) = sum_u w_u sum_a P(seen, a | u, title) (nDCG_u(list with the answer) - nDCG_u(list without it))

`python -m benchmarks.welcome` measures it. The mutual information of answer and taste (Golbandi, Koren and Lempel,
"Adaptive bootstrapping of recommender systems using decision trees", WSDM 2011) did worse than popular titles. It
prefers titles that distinguish tastes without improving the list.
"""

import weakref
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from recommender.estimators.base import Recommender
from recommender.estimators.diversity import choose_unlike
from recommender.estimators.interactions import Array, with_values
from recommender.estimators.scoring import Scorer

N_TITLES = 150  # most-rated titles to choose from
N_VALUED = 60  # titles most likely to be seen and liked; their value is computed
N_TARGETS = 500  # most-liked movies to make lists from
N_TASTES = 384
K = 10  # length of the lists
MIN_RATINGS = 20  # minimum number of ratings of a user who represents a taste
MAX_HISTORY = 50  # ratings used to make the lists
SEEN_SHARE = 0.75  # weight of the log in P(seen); the rest is the title's share of all users
OPINION_SHARE = 0.8  # weight of a user's own rating in P(like); the rest is the prediction
STARS_SCALE = 0.5  # scale of the logistic function from predicted stars to the probability of a like
EVIDENCE = 0.7  # exponent of the answers' likelihood, because answers are not independent given a taste
ALIKE = 0.65  # of two titles with a higher likeness, such as two parts of a series, only the better one is needed
TWIN_SHARE = 0.1  # factor on the value of the other title
VARIETY = 0.5  # see `diversity.choose_unlike`
TINY = 1e-12
DISCOUNTS = 1 / np.log2(np.arange(2, K + 2))


class Elicitation:
    """Chooses titles to ask a new user about by the expected gain in nDCG (see above).

    It holds only a weak reference to the model, so the caller must keep the model alive.

    Parameters
    ----------
    model
        A fitted recommender. `titles` are the ids of its most-rated movies.

    Examples
    --------
    >>> Elicitation(model).titles
    [1, 2, 4, 5, 3]
    """

    def __init__(self, model: Recommender) -> None:
        self._model: Scorer = weakref.proxy(model)  # a strong one would keep models alive in caches keyed by model
        log = model.interactions_
        counts = np.bincount(log.indices, minlength=log.shape[1])
        titles = np.argsort(-counts, kind="stable")[: min(N_TITLES, np.count_nonzero(counts))]
        self.titles: list[Any] = model.movie_ids_[titles].tolist()
        self._place = {movie: place for place, movie in enumerate(self.titles)}
        self._likeness = model.likeness(self.titles)
        self._threshold = model.rating_mean_ if model.implicit_threshold_ is None else model.implicit_threshold_
        # Rating assumed for each answer: the median of all likes and the median of all dislikes.
        is_like = log.data >= self._threshold
        sides = (log.data[is_like], log.data[~is_like])
        self._given = [float(np.median(side)) if len(side) else self._threshold for side in sides]
        tastes = _tastes(np.diff(log.indptr))
        self._answers = self._probabilities(tastes, titles, counts[titles] / log.shape[0])
        self._targets = np.sort(np.argsort(-model.popularity_[: log.shape[1]], kind="stable")[:N_TARGETS])
        self._target = {movie: place for place, movie in enumerate(model.movie_ids_[self._targets].tolist())}
        liked = model._positives(log[tastes])[:, self._targets].toarray()
        ideal = np.concatenate([[np.inf], np.cumsum(DISCOUNTS)])[np.minimum(liked.sum(axis=1).astype(int), K)]
        self._gains = liked / ideal[:, None]  # (tastes, targets): nDCG gain in the first position of a list

    def _probabilities(self, tastes: Array, titles: Array, share_seen: Array) -> Array:
        """Return P(answer) as (answers, tastes, titles): seen and liked, seen and disliked, not seen."""
        model, rows = self._model, self._model.interactions_[tastes]
        has_rated = with_values(rows, np.ones(rows.nnz))[:, titles].toarray() > 0
        has_liked = (rows[:, titles].toarray() >= self._threshold) & has_rated
        predicted = model.predict_ratings(model.user_ids_[tastes], self.titles)
        by_model = 1 / (1 + np.exp((model._scale.stars(np.array(self._threshold)) - predicted) / STARS_SCALE))
        liked = np.where(has_rated, OPINION_SHARE * has_liked + (1 - OPINION_SHARE) * by_model, by_model)
        seen = SEEN_SHARE * has_rated + (1 - SEEN_SHARE) * share_seen
        return np.asarray(np.clip([seen * liked, seen * (1 - liked), 1 - seen], TINY, 1))

    def choose(self, ratings: Mapping[Any, float], not_seen: Collection[Any], k: int) -> list[Any]:
        """Choose the titles to ask about next.

        Parameters
        ----------
        ratings
            The answers so far, as {movie_id: rating}.
        not_seen
            Ids of the titles that the user has not seen.
        k
            Number of titles.

        Returns
        -------
        list
            At most k diverse ids, most valuable first, without titles already answered.

        Examples
        --------
        >>> Elicitation(model).choose({1: 5.0}, not_seen=[2], k=2)
        [5, 3]
        """
        weights = self._weights(ratings, not_seen)
        is_open = np.ones(len(self.titles), dtype=bool)
        is_open[[self._place[movie] for movie in {*ratings, *not_seen} if movie in self._place]] = False
        likely = np.argsort(-(weights @ self._answers[0]), kind="stable")
        likely = likely[is_open[likely]][: max(N_VALUED, k)]
        if not len(likely):
            return []
        values = np.maximum(self._values(ratings, weights, likely), 0)
        likeness = self._likeness[np.ix_(likely, likely)]
        has_better_twin = ((likeness > ALIKE) & (values > values[:, None])).any(axis=1)
        values = np.where(has_better_twin, TWIN_SHARE * values, values)
        order = np.argsort(-values, kind="stable")
        best = likely[order]
        if len(best) > k:
            best = best[choose_unlike(values[order], likeness[np.ix_(order, order)], k, VARIETY)]
        return [self.titles[place] for place in best]

    def _weights(self, ratings: Mapping[Any, float], not_seen: Iterable[Any]) -> Array:
        """Return the weight of each taste, which is how well it explains the answers."""
        given = [(int(rating < self._threshold), movie) for movie, rating in ratings.items()]
        given += [(2, movie) for movie in not_seen if movie not in ratings]
        evidence = np.zeros(self._answers.shape[1])
        for answer, movie in given:
            if movie in self._place:
                evidence += EVIDENCE * np.log(self._answers[answer, :, self._place[movie]])
        weights = np.exp(evidence - evidence.max())
        return np.asarray(weights / weights.sum())

    def _values(self, ratings: Mapping[Any, float], weights: Array, titles: Array) -> Array:
        """Return the value of a question about each title."""
        known = dict(list(ratings.items())[:MAX_HISTORY])
        asked = [self.titles[place] for place in titles]
        lists = self._lists([known, *({**known, movie: given} for given in self._given for movie in asked)])
        listed, places = np.unique(lists, return_inverse=True)
        without, *answered = np.split(places.reshape(lists.shape), [1, 1 + len(asked)])
        values = np.zeros(len(asked))
        for lists_of_answer, probabilities in zip(answered, self._answers, strict=False):
            gains = (weights[:, None] * probabilities[:, titles]).T @ self._gains[:, listed]
            change = np.take_along_axis(gains, lists_of_answer, axis=1) - gains[:, without[0]]
            values += change @ DISCOUNTS[: lists.shape[1]]
        return values

    def _lists(self, histories: list[dict[Any, float]]) -> Array:
        """Return the best targets for each history, as columns of `_gains`."""
        scores = self._model._scores(self._model._from_mappings(histories), self._targets)
        for row, history in enumerate(histories):
            scores[row, [self._target[movie] for movie in history if movie in self._target]] = -np.inf
        return np.argsort(-scores, axis=1, kind="stable")[:, :K]


def _tastes(n_ratings: Array) -> Array:
    """Return an even sample of at most N_TASTES users with enough ratings, or of all users if none has enough."""
    enough = np.flatnonzero(n_ratings >= MIN_RATINGS)
    users = enough if len(enough) else np.flatnonzero(n_ratings)
    return users[:: max(1, -(-len(users) // N_TASTES))]
