"""Distances between two windows, and the distances expected by chance. Uses only numpy and scipy.

Rows of one user are not independent. Permutations therefore keep them together, and the policy limits how many count. A
week counts for at most twice the median week, so that one busy week (a festival, an import) does not dominate its
window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops.evaluation.psi import population_stability_index

Array = np.ndarray[Any, Any]

PERMUTATIONS = 200
CHUNK = 20  # permutations drawn at once, to limit memory
MAX_WEEK = 2.0  # multiples of the median week


@dataclass(frozen=True)
class Shift:
    """A distance between two windows.

    `chance` is its mean if both distributions are equal, and `p` is its p-value.
    """

    figure: float
    chance: float
    p: float

    @property
    def beyond_chance(self) -> float:
        return self.figure - self.chance


def row_weights(people: Array, weeks: Array, rows_per_person: int) -> Array:
    """Returns each row's weight. A user's weights sum to at most `rows_per_person`, a week's to MAX_WEEK medians."""
    _, person, n_rows = np.unique(people, return_inverse=True, return_counts=True)
    weights = np.minimum(1.0, rows_per_person / n_rows)[person]
    _, week = np.unique(weeks, return_inverse=True)
    volumes = np.bincount(week, weights)
    return np.asarray(weights * np.minimum(1.0, MAX_WEEK * np.median(volumes) / volumes)[week])


def category_weights(people: Array, categories: Array, weights: Array, n_categories: int) -> Array:
    """Returns the summed weights per user and category, shape (users, categories).

    Pass a row once for each of its categories.
    """
    _, person = np.unique(people, return_inverse=True)
    n_people = int(person.max()) + 1 if len(person) else 0
    cells = np.bincount(person * n_categories + categories, weights, n_people * n_categories)
    return cells.reshape(n_people, n_categories)


def shares_of(weights: Array) -> Array:
    """Returns each category's share of the total weight, or zeros without users."""
    total = weights.sum(axis=0)
    return np.asarray(total / total.sum() if total.sum() else total)


def compare_shares(recent: Array, before: Array, *, seed: int = 0) -> Shift:
    """Returns the PSI between the windows, with its chance level and p-value by a permutation test.

    `recent` and `before` come from `category_weights`. Each permutation assigns users to the windows at random.
    """
    figure = float(population_stability_index(recent.sum(axis=0), before.sum(axis=0)))
    people = np.concatenate([recent, before])
    n_recent, n_people = len(recent), len(people)
    rng, dealt = np.random.default_rng(seed), []
    for start in range(0, PERMUTATIONS, CHUNK):
        drawn = rng.random((min(CHUNK, PERMUTATIONS - start), n_people), dtype=np.float32)
        limit = np.partition(drawn, n_recent - 1, axis=1)[:, n_recent - 1 : n_recent]
        sums = (drawn <= limit).astype(np.float64) @ people
        dealt.append(population_stability_index(sums, people.sum(axis=0) - sums))
    chance = np.concatenate(dealt)
    return Shift(figure, float(chance.mean()), float((1 + (chance >= figure).sum()) / (1 + PERMUTATIONS)))


def compare_values(recent: Array, before: Array) -> Shift:
    """Returns the two-sample Kolmogorov-Smirnov distance D, which is an effect size.

    In large samples, p alone would be significant for negligible differences.
    """
    from scipy.stats import ks_2samp  # imported here, so that the scheduler and web processes start without scipy

    found = ks_2samp(recent, before, method="asymp")
    # The mean of Kolmogorov's distribution: sqrt(pi / 2) ln 2, in units of sqrt(1 / n + 1 / m).
    chance = math.sqrt(math.pi / 2) * math.log(2) * math.sqrt(1 / len(recent) + 1 / len(before))
    return Shift(float(found.statistic), chance, float(found.pvalue))


def compare_rates(hits_recent: float, n_recent: int, hits_before: float, n_before: int) -> Shift:
    """Returns the relative fall of a rate, with a one-sided pooled two-proportion z-test. A rise is negative."""
    recent, before = hits_recent / n_recent, hits_before / n_before
    pooled = (hits_recent + hits_before) / (n_recent + n_before)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n_recent + 1 / n_before))
    p = 0.5 * math.erfc((before - recent) / spread / math.sqrt(2)) if spread else 1.0
    return Shift((before - recent) / before if before else 0.0, 0.0, p)


def weekly_ratio(recent: Array, before: Array) -> float:
    """Returns the ratio of median weeks, recent to before. A single busy or empty week has no effect."""
    usual = float(np.median(before))
    return float(np.median(recent)) / usual if usual else math.inf


def distinct_ratio(recent: list[Array], before: list[Array], *, draws: int = 10, seed: int = 0) -> float:
    """Returns the ratio of distinct movies, recent to before, in equal numbers of lists. Averages several draws."""
    rng = np.random.default_rng(seed)
    n_lists = min(len(recent), len(before))

    def distinct(lists: list[Array]) -> float:
        drawn = [rng.permutation(len(lists))[:n_lists] for _ in range(draws)]
        return float(np.mean([len(np.unique(np.concatenate([lists[at] for at in places]))) for places in drawn]))

    return distinct(recent) / distinct(before)


def list_diversity(lists: list[Array], genres: dict[int, frozenset[Any]]) -> Array:
    """Returns 1 minus the mean pairwise Jaccard similarity of genres, for each list of at least two movies."""
    found = []
    for movies in lists:
        sets = [genres.get(int(movie), frozenset()) for movie in movies]
        pairs = [_jaccard(a, b) for at, a in enumerate(sets) for b in sets[:at]]
        if pairs:
            found.append(1 - sum(pairs) / len(pairs))
    return np.array(found)


def _jaccard(a: frozenset[Any], b: frozenset[Any]) -> float:
    together = len(a | b)
    return len(a & b) / together if together else 0.0
