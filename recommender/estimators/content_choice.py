"""The content model's regularization, chosen where it is needed: on movies that the inner fit has no rating of."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from recommender.estimators.dataset import Dataset
from recommender.estimators.ease import ease_weights, gram_matrix
from recommender.estimators.histories import map_columns
from recommender.estimators.validation import best_of, ndcg_of_scores, sample_users

Array = np.ndarray[Any, Any]

REGULARIZATIONS_TRIED = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
HIDDEN_SHARE = 0.2
CHOICE_MOVIES = 2500
CHOICE_HIDDEN = 5000
CHOICE_USERS = 1500
CHOICE_LENGTH = 50  # steadier than 10, and there is no clutter of old favourites to rank past


def choose_regularization(
    dataset: Dataset, features: csr_matrix, item_regularization: float, history_weight: float, random_state: int
) -> float:
    """The best nDCG of hidden movies ranked alone, a fifth of all, from the most rated others."""
    shown, hidden = _hide_movies(dataset.popularity, random_state)
    answers = map_columns(dataset.positives, hidden)
    judged = sample_users(answers, CHOICE_USERS, random_state)
    liked, answers = map_columns(dataset.positives, shown), answers[judged]
    weights = ease_weights(gram_matrix(liked), item_regularization)
    weights[np.diag_indices_from(weights)] += history_weight
    targets = liked[judged] @ weights
    known = features[shown]
    kernel = (known @ known.T).toarray()
    to_hidden = (known @ features[hidden].T).toarray()
    nothing_seen = csr_matrix(answers.shape, dtype=np.float32)

    def quality(regularization: float) -> float:
        if not answers.nnz:
            return float("nan")
        ridge = kernel + regularization * np.eye(len(kernel), dtype=np.float32)
        learnt = cho_solve(cho_factor(ridge, overwrite_a=True), targets.T)
        return float(np.nanmean(ndcg_of_scores(learnt.T @ to_hidden, nothing_seen, answers, k=CHOICE_LENGTH)))

    return best_of(REGULARIZATIONS_TRIED, quality)


def _hide_movies(popularity: Array, random_state: int) -> tuple[Array, Array]:
    """Ascending columns to learn from and to judge on."""
    rng = np.random.default_rng(random_state)
    liked = rng.permutation(np.flatnonzero(popularity > 0))
    n_hidden = int(HIDDEN_SHARE * len(liked))
    hidden, shown = liked[: min(n_hidden, CHOICE_HIDDEN)], liked[n_hidden:]
    shown = shown[np.argsort(-popularity[shown], kind="stable")[:CHOICE_MOVIES]]
    return np.sort(shown), np.sort(hidden)
