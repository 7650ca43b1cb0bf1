"""The content model's kernel, chosen where it is needed: on movies that the inner fit has no rating of."""

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.content_kernel import Ridge, kernel, noise
from recommender.estimators.dataset import Dataset
from recommender.estimators.ease import ease_weights, gram_matrix
from recommender.estimators.interactions import Array, select_items
from recommender.estimators.validation import best_of, ndcg_of_scores, sample_users

STEEPNESSES_GRID = (0.25, 0.5, 1.0)
REGULARIZATIONS_GRID = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
HIDDEN_SHARE = 0.2
TUNING_MOVIES = 2500
TUNING_HIDDEN = 5000
TUNING_USERS = 1500
TUNING_LENGTH = 50  # steadier than 10, and there is no clutter of old favourites to rank past


def tune_content(
    dataset: Dataset,
    features: csr_matrix,
    given: dict[str, float | None],
    of_items: tuple[float, float],
    random_state: int,
) -> dict[str, float]:
    """regularization and steepness as far as not given: the best nDCG of hidden movies, a fifth of all, ranked
    alone from the most rated others. `of_items`: the item model's regularization and the weight of the history."""
    trial = _Trial(dataset, features, of_items, random_state)
    steepness, regularization = given["steepness"], given["regularization"]
    result: list[tuple[float, dict[str, float]]] = []
    for steep in STEEPNESSES_GRID if steepness is None else (steepness,):
        trial.use(steep)
        best = best_of(REGULARIZATIONS_GRID, trial.quality) if regularization is None else regularization
        result.append((trial.quality(best), {"regularization": best, "steepness": steep}))
    middle = result[len(result) // 2]
    best_found = max(result, key=lambda one: one[0]) if np.isfinite([one[0] for one in result]).all() else middle
    return {name: best_found[1][name] for name, value in given.items() if value is None}


class _Trial:
    def __init__(self, dataset: Dataset, features: csr_matrix, of_items: tuple[float, float], seed: int) -> None:
        item_regularization, history_weight = of_items
        shown, hidden = _hide_movies(dataset.popularity, seed)
        answers = select_items(dataset.positives, hidden)
        sampled = sample_users(answers, TUNING_USERS, seed)
        self.answers = answers[sampled]
        self.nothing_seen = csr_matrix(self.answers.shape, dtype=np.float32)
        liked = select_items(dataset.positives, shown)
        self.popularity = dataset.popularity[shown]
        weights = ease_weights(gram_matrix(liked), item_regularization)
        weights[np.diag_indices_from(weights)] += history_weight
        self.targets = np.asarray((liked[sampled] @ weights).T)
        self.shown, self.hidden = (features[item_idx] for item_idx in (shown, hidden))

    def use(self, steepness: float) -> None:
        self.among = kernel(self.shown, self.shown, steepness)
        self.to_hidden = kernel(self.shown, self.hidden, steepness)

    def quality(self, regularization: float) -> float:
        if not self.answers.nnz:
            return float("nan")
        learnt = Ridge(self.among.copy(), noise(self.popularity, regularization)).solve(self.targets)
        ndcg = ndcg_of_scores(learnt.T @ self.to_hidden, self.nothing_seen, self.answers, k=TUNING_LENGTH)
        return float(np.nanmean(ndcg))


def _hide_movies(popularity: Array, random_state: int) -> tuple[Array, Array]:
    """Ascending item positions to learn from and to evaluate on."""
    rng = np.random.default_rng(random_state)
    liked = rng.permutation(np.flatnonzero(popularity > 0))
    n_hidden = int(HIDDEN_SHARE * len(liked))
    hidden, shown = liked[: min(n_hidden, TUNING_HIDDEN)], liked[n_hidden:]
    shown = shown[np.argsort(-popularity[shown], kind="stable")[:TUNING_MOVIES]]
    return np.sort(shown), np.sort(hidden)
