"""Lists chosen from scores: of movies that are less alike, for a little of their score, and for several people.

A list is chosen from the best `pool_size` movies by maximal marginal relevance (Carbonell and Goldstein, 1998):
one after the other the movie of the highest

    (1 - strength) relevance - strength * mean likeness to those chosen before

where relevance is the score on the model's own scale (`relevance`): 1 is the mean score of the best k. A penalty on
well-known movies may be taken off it. The chosen movies are shown in the order of their scores, so that scores descend
and a movie's score stays what `explain` accounts for.

A list for several people is made by average without misery: J. Masthoff, "Group modeling: selecting a sequence of
television items to suit a group of viewers" (User Modeling and User-Adapted Interaction 14, 2004), whose viewers used
and accepted that rule.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from recommender.estimators.base import Recommender
from recommender.estimators.fitted_data import FittedData, History, LikenessRows
from recommender.estimators.ids import IdArray
from recommender.estimators.interactions import Array, HistoryRows
from recommender.estimators.ranking import EXCLUDED, top_k

MISERY = 0.5  # stars below what a person gives on average: predictions stay near it, so that is the worst eighth
POOL_FACTOR = 13  # of k: the best so many may come into a list
POOL_EXTRA = 120  # but no more than so many beyond k
POOL_SHARE = 0.25  # of all candidates: in a small catalogue the 120th is no good movie any more


def pool_size(k: int, n_candidates: int) -> int:
    """Number of best movies from which a list of k is chosen, given the number of candidates."""
    return max(k, min(POOL_FACTOR * k, k + POOL_EXTRA, int(POOL_SHARE * n_candidates)))


def diverse_list(
    model: Recommender,
    history: History | HistoryRows,
    k: int,
    strength: float,
    *,
    novelty: float = 0.0,
    candidates: Array | None = None,
    exclude: Iterable[Any] = (),
    exclude_seen: bool = True,
) -> tuple[IdArray, Array, Array]:
    """The best movies for one history and their scores, as in `recommend_for_history`, and which of them are the list.

    The strength is that for a long history: after n ratings it is n / (n + 1) of it, since a few likes have few movies
    near them, and what is unlike those is off taste.
    """
    row, excluded = model.history_row(history), model._excluded([exclude], 1)
    strength *= row.nnz / (row.nnz + 1)
    n_candidates = int(model.is_rated_.sum()) if candidates is None else len(candidates)
    n_best = pool_size(k, n_candidates) if strength or novelty else k
    picked, found = model._cut(row, n_best, exclude_seen, candidates, excluded)
    if not picked:
        return model.movie_ids_[:0], np.empty(0), np.empty(0, dtype=np.int64)
    movies, scores = model.movie_ids_[picked[0]], found[0]
    return movies, scores, choose_diverse(model, movies, scores, k, strength, novelty)


def choose_diverse(
    model: FittedData, movies: Array, scores: Array, k: int, strength: float, novelty: float = 0.0
) -> Array:
    """Ascending positions of the at most k that stay of one list, whose scores descend.

    `novelty` is how much the relevance of the best-known movie counts less than that of an unknown one (more if < 0).
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength: expected a number from 0 to 1, got {strength!r}")
    if not (strength or novelty) or len(movies) <= k:
        return np.arange(min(k, len(movies)))
    penalty = novelty * model.fame(movies) if novelty else None
    return choose_unlike(model.relevance(scores), model.likeness_rows(movies), k, strength, penalty)


def choose_unlike(
    relevance: Array, likeness: Array | LikenessRows, k: int, strength: float, penalty: Array | None = None
) -> Array:
    """Ascending positions of k of the movies, whose relevance descends to 0 or more; of equal ones the first."""
    of_best = float(relevance[:k].mean())
    relevance = relevance / of_best if of_best > 0 else relevance
    relevance = relevance if penalty is None else relevance - penalty
    chosen = np.zeros(len(relevance), dtype=bool)
    together = np.zeros(len(relevance))
    for n_chosen in range(k):
        value = (1 - strength) * relevance - strength * together / max(n_chosen, 1)
        value[chosen] = -np.inf
        best = int(np.argmax(value))
        chosen[best] = True
        if n_chosen < k - 1:
            together += likeness[best]
    return np.flatnonzero(chosen)


def average_without_misery(worth: Array, stars: Array, means: Array) -> Array:
    """One value a movie, EXCLUDED where one of the company is predicted to give MISERY stars less than their mean.

    `worth` and `stars` are (people, movies), `worth` 0 or more on a scale of each person's own; all have equal say.
    """
    best = worth.max(axis=1, keepdims=True)
    share = np.sort(worth / np.where(best > 0, best, 1.0), axis=0)  # sorted, so that the sum is the same in any order
    together = np.asarray(share.mean(axis=0))
    if len(worth) > 1:
        together[(stars < means[:, None] - MISERY).any(axis=0)] = EXCLUDED
    return together


def group_list(
    model: Recommender, histories: Sequence[History], movies: Array, k: int, strength: float, novelty: float
) -> tuple[Array, Array]:
    """At most k of `movies` for these people together, with their values, which descend."""
    movies = np.sort(movies)
    scores, stars, means = model.score_histories(histories, movies)
    values = average_without_misery(np.array([_worth(model, line) for line in scores]), stars, means)
    best = top_k(values, pool_size(k, len(movies)))
    if len(best) > k and (strength or novelty):
        penalty = novelty * model.fame(movies[best])
        best = best[choose_unlike(values[best], model.likeness_rows(movies[best]), k, strength, penalty)]
    return movies[best[:k]], values[best[:k]]


def _worth(model: Recommender, scores: Array) -> Array:
    """`relevance` of all movies, whose scores are in no order."""
    order = np.argsort(-scores, kind="stable")
    worth = np.empty(len(scores))
    worth[order] = model.relevance(scores[order])
    return worth
