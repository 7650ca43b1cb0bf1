"""Tunes the metadata model on movies held out from an inner fit."""

from collections.abc import Callable, Mapping
from operator import itemgetter

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.dataset import Dataset
from recommender.estimators.interactions import Array, select_items
from recommender.estimators.metadata_regression import Ridge, kernel, noise
from recommender.estimators.validation import best_of, ndcg_of_scores, sample_users

STEEPNESSES_GRID = (0.25, 0.5, 1.0)
REGULARIZATIONS_GRID = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
HIDDEN_SHARE = 0.2
TUNING_MOVIES = 2500
TUNING_HIDDEN = 5000
TUNING_USERS = 1500
TUNING_LENGTH = 50  # less noisy than 10; no seen movies compete for the first positions


def tune_content(
    dataset: Dataset,
    features: csr_matrix,
    weights_of: Callable[[csr_matrix], Array],
    given: Mapping[str, float | None],
    random_state: int,
) -> dict[str, float]:
    """Return regularization and steepness, as given or tuned for the nDCG of held-out movies.

    A fifth of all movies is held out. The inner fit learns from the most-rated other movies and ranks only the held-out
    ones, without using their ratings. `weights_of` returns the item-item weights of positives.
    """
    shown, hidden = _hide_movies(dataset.popularity, random_state)
    answers = select_items(dataset.positives, hidden)
    users = sample_users(answers, TUNING_USERS, random_state)
    answers, nothing_seen = answers[users], csr_matrix((len(users), len(hidden)), dtype=np.float32)
    liked = select_items(dataset.positives, shown)
    targets = np.asarray((liked[users] @ weights_of(liked)).T)

    def quality_at(steepness: float) -> Callable[[float], float]:
        among, to_hidden = (kernel(features[shown], features[others], steepness) for others in (shown, hidden))

        def quality(regularization: float) -> float:
            if not answers.nnz:
                return float("nan")
            ridge = Ridge(among.copy(), noise(dataset.popularity[shown], regularization))
            scores = ridge.solve(targets).T @ to_hidden
            return float(np.nanmean(ndcg_of_scores(scores, nothing_seen, answers, TUNING_LENGTH)))

        return quality

    found: list[tuple[float, dict[str, float]]] = []
    for steepness in STEEPNESSES_GRID if given["steepness"] is None else (given["steepness"],):
        quality = quality_at(steepness)
        best = best_of(REGULARIZATIONS_GRID, quality) if given["regularization"] is None else given["regularization"]
        found.append((quality(best), {"regularization": best, "steepness": steepness}))
    is_known = np.isfinite([of_best for of_best, _ in found]).all()
    return max(found, key=itemgetter(0))[1] if is_known else found[len(found) // 2][1]


def _hide_movies(popularity: Array, random_state: int) -> tuple[Array, Array]:
    """Return the ascending item positions to learn from and those to evaluate on."""
    rng = np.random.default_rng(random_state)
    liked = rng.permutation(np.flatnonzero(popularity > 0))
    n_hidden = int(HIDDEN_SHARE * len(liked))
    hidden, shown = liked[: min(n_hidden, TUNING_HIDDEN)], liked[n_hidden:]
    shown = shown[np.argsort(-popularity[shown], kind="stable")[:TUNING_MOVIES]]
    return np.sort(shown), np.sort(hidden)
