"""Distances between two windows, and the distances that chance alone produces; numpy and scipy only.

One user's rows are not independent, so permutations keep them together and a policy limits how many count. A week
counts at most twice the median week, so that one busy week (a festival, an import) does not dominate its window.
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
    """`figure` is the distance, `chance` its mean between equal windows, `p` how often chance reaches it."""

    figure: float
    chance: float
    p: float

    @property
    def beyond_chance(self) -> float:
        return self.figure - self.chance


def row_weights(people: Array, weeks: Array, rows_per_person: int) -> Array:
    """The weight of each row: at most `rows_per_person` rows for a user and twice the median for a week."""
    _, person, n_rows = np.unique(people, return_inverse=True, return_counts=True)
    weights = np.minimum(1.0, rows_per_person / n_rows)[person]
    _, week = np.unique(weeks, return_inverse=True)
    volumes = np.bincount(week, weights)
    return np.asarray(weights * np.minimum(1.0, MAX_WEEK * np.median(volumes) / volumes)[week])


def category_weights(people: Array, categories: Array, weights: Array, n_categories: int) -> Array:
    """Sums of the rows' weights, a row for each user and a column for each category.

    A row with several categories comes once for each.
    """
    _, person = np.unique(people, return_inverse=True)
    n_people = int(person.max()) + 1 if len(person) else 0
    cells = np.bincount(person * n_categories + categories, weights, n_people * n_categories)
    return cells.reshape(n_people, n_categories)


def shares_of(weights: Array) -> Array:
    """Each category's share of the weights of all users; zeros where there are none."""
    total = weights.sum(axis=0)
    return np.asarray(total / total.sum() if total.sum() else total)


def compare_shares(recent: Array, before: Array, *, seed: int = 0) -> Shift:
    """PSI of two windows' `category_weights`, and its distribution when users are assigned to them at random."""
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
    """The two-sample Kolmogorov-Smirnov distance D: an effect size; p alone would fire on nothing in large samples."""
    from scipy.stats import ks_2samp  # here, so that the scheduler and web processes start without scipy

    found = ks_2samp(recent, before, method="asymp")
    # The mean of Kolmogorov's distribution: sqrt(pi / 2) ln 2, in units of sqrt(1 / n + 1 / m).
    chance = math.sqrt(math.pi / 2) * math.log(2) * math.sqrt(1 / len(recent) + 1 / len(before))
    return Shift(float(found.statistic), chance, float(found.pvalue))


def compare_rates(hits_recent: float, n_recent: int, hits_before: float, n_before: int) -> Shift:
    """The relative fall of a rate (negative: a rise), with a one-sided pooled two-proportion z-test."""
    recent, before = hits_recent / n_recent, hits_before / n_before
    pooled = (hits_recent + hits_before) / (n_recent + n_before)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n_recent + 1 / n_before))
    p = 0.5 * math.erfc((before - recent) / spread / math.sqrt(2)) if spread else 1.0
    return Shift((before - recent) / before if before else 0.0, 0.0, p)


def weekly_ratio(recent: Array, before: Array) -> float:
    """The recent median week relative to the earlier one; a single busy or empty week changes neither."""
    usual = float(np.median(before))
    return float(np.median(recent)) / usual if usual else math.inf


def distinct_ratio(recent: list[Array], before: list[Array], *, draws: int = 10, seed: int = 0) -> float:
    """Distinct movies in an equal number of lists, recent over before; the mean of several draws."""
    rng = np.random.default_rng(seed)
    n_lists = min(len(recent), len(before))

    def distinct(lists: list[Array]) -> float:
        drawn = [rng.permutation(len(lists))[:n_lists] for _ in range(draws)]
        return float(np.mean([len(np.unique(np.concatenate([lists[at] for at in places]))) for places in drawn]))

    return distinct(recent) / distinct(before)


def list_diversity(lists: list[Array], genres: dict[int, frozenset[Any]]) -> Array:
    """For each list of two movies or more: 1 minus the mean Jaccard similarity of its movies by genre."""
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
