"""Chooses lists from scores: diverse lists, which sacrifice some score, and lists for several people.

A list is chosen from the best `pool_size` movies by maximal marginal relevance (Carbonell and Goldstein, 1998). Each
step adds the movie with the highest

    (1 - strength) relevance - strength * mean likeness to the movies already chosen

where `relevance` maps scores to the model's own scale, divided so that the best k have mean 1. A penalty on well-known
movies may be subtracted. The chosen movies are sorted by score, so that scores descend and each score remains the one
that `explain` decomposes.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from recommender.estimators.base import Recommender
from recommender.estimators.fitted_data import FittedData, History, LikenessRows
from recommender.estimators.ids import IdArray
from recommender.estimators.interactions import Array, HistoryRows
from recommender.estimators.ranking import average_without_misery, pool_size, top_k


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
    """Return a diverse list for one history, chosen by maximal marginal relevance (see above).

    Parameters
    ----------
    model
        A fitted recommender.
    history
        The user's {movie_id: rating}.
    k
        Maximum length of the list, 1 or more.
    strength
        From 0 (best movies) to 1 (most diverse movies). It is multiplied by n / (n + 1) for a history of n ratings.
    novelty
        Penalty on the relevance of the best-known movie, compared with an unknown one. Negative values favour it.
    candidates
        Movies to choose from. None means all movies that had a rating in `fit`.
    exclude
        Movie ids to leave out.
    exclude_seen
        Whether to leave out the movies of the history.

    Returns
    -------
    tuple of numpy.ndarray
        Ids of the best movies, their scores (best first), and the ascending positions of the at most k listed ones.

    Raises
    ------
    ValueError
        A movie is unknown, `k` is below 1, or `strength` is not from 0 to 1.

    Examples
    --------
    >>> movies_found, scores, chosen = diverse_list(model, {1: 5.0}, k=2, strength=0.3)
    >>> movies_found[chosen].tolist()
    [2, 3]
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
    """Return the ascending positions of at most k movies to keep from one list, whose scores descend.

    `novelty` is the penalty on the relevance of the best-known movie, compared with an unknown one.
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
    """Return the ascending positions of k movies. `relevance` must be descending and at least 0."""
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


def group_list(
    model: Recommender, histories: Sequence[History], movies: Array, k: int, strength: float, novelty: float
) -> tuple[Array, Array]:
    """Return one list for several people, ranked by "average without misery".

    The viewers studied in J. Masthoff, "Group modeling: selecting a sequence of television items to suit a group of
    viewers" (User Modeling and User-Adapted Interaction 14, 2004), used and accepted this rule.

    Parameters
    ----------
    model
        A fitted recommender.
    histories
        One {movie_id: rating} per person.
    movies
        Ids of the candidates.
    k
        Maximum length of the list.
    strength, novelty
        See `diverse_list`.

    Returns
    -------
    tuple of numpy.ndarray
        Ids of at most k movies, and their values in descending order. Movies that someone would dislike are left out.

    Raises
    ------
    ValueError
        A movie is unknown.

    Examples
    --------
    >>> ids, values = group_list(model, [{1: 5.0}, {2: 4.0}], [3, 4, 5], k=1, strength=0.0, novelty=0.0)
    >>> ids.tolist()
    [3]
    """
    movies = np.sort(movies)
    scores, stars, means = model.score_histories(histories, movies)
    values = average_without_misery(np.array([_worth(model, line) for line in scores]), stars, means)
    best = top_k(values, pool_size(k, len(movies)))
    if len(best) > k and (strength or novelty):
        penalty = novelty * model.fame(movies[best])
        best = best[choose_unlike(values[best], model.likeness_rows(movies[best]), k, strength, penalty)]
    return movies[best[:k]], values[best[:k]]


def _worth(model: Recommender, scores: Array) -> Array:
    """Return the `relevance` of all movies. The scores need not be sorted."""
    order = np.argsort(-scores, kind="stable")
    worth = np.empty(len(scores))
    worth[order] = model.relevance(scores[order])
    return worth
