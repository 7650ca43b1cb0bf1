"""Windows of lists and the drift checks on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.drift_kinds import N_WEEKS, Array, Kind, Rng, draw_weeks
from benchmarks.drift_weeks import Weeks
from mlops.monitoring.drift import checks
from mlops.policy import DriftPolicy


class Lists:
    """Lists that a model made for the users of each week, and their ratings in that week."""

    def __init__(self, weeks: Weeks, policy: DriftPolicy) -> None:
        self.weeks, self.policy = weeks, policy
        self.genres = {movie: frozenset(found) for movie, found in weeks.genres.items()}
        self.of_one_genre = weeks.movies_of_one_genre

    def kinds(self) -> list[Kind]:
        policy, sizes = self.policy, (500, 1000)
        top = _most_shown(self.weeks.lists_shown, 40)
        return [
            Kind(
                "score distribution",
                "half of the people have rated at random",
                lambda size, rng: self._draw("scores", size, rng),
                lambda recent, before: checks.check_scores(recent, before, policy),
                lambda recent, rng: np.where(rng.random(len(recent)) < 0.5, self._at_random(len(recent), rng), recent),
                sizes,
                draws_fat_weeks=False,
            ),
            Kind(
                "coverage shown",
                "lists show the 40 most shown movies alone",
                lambda size, rng: self._draw("lists", size, rng),
                lambda recent, before: checks.check_coverage(list(recent), list(before), policy),
                lambda recent, rng: [rng.choice(top, 10, replace=False) for _ in recent],
                sizes,
                draws_fat_weeks=False,
            ),
            Kind(
                "diversity shown",
                "each list keeps to one genre",
                lambda size, rng: self._draw("lists", size, rng),
                lambda recent, before: checks.check_diversity(list(recent), list(before), self.genres, policy),
                lambda recent, rng: [self._of_one_genre(movies, rng) for movies in recent],
                sizes,
                draws_fat_weeks=False,
            ),
            Kind(
                "online metrics",
                "half of the hits are lost",
                lambda size, rng: self._draw("hits", size, rng),
                lambda recent, before: checks.check_online_metrics(
                    (int(recent.sum()), int(before.sum())), (len(recent), len(before)), policy
                ),
                lambda recent, rng: recent * (rng.random(len(recent)) < 0.5),
                (5000, 10_000),
                draws_fat_weeks=False,
            ),
        ]

    def _draw(self, what: str, size: int, rng: Rng) -> tuple[Any, Any]:
        drawn = draw_weeks(self.weeks.list_weeks, rng)
        found = []
        for numbers in (drawn[:N_WEEKS], drawn[N_WEEKS:]):
            pools = [self.weeks.shown[number][what] for number in numbers]
            found.append([pool[at] for pool in pools for at in rng.integers(0, len(pool), size // N_WEEKS)])
        recent, before = found if what == "lists" else [np.array(values) for values in found]
        return recent, before

    def _at_random(self, n: int, rng: Rng) -> Array:
        return rng.choice(self.weeks.scores_at_random, n)

    def _of_one_genre(self, movies: Array, rng: Rng) -> Array:
        genre = self.of_one_genre[int(rng.integers(len(self.of_one_genre)))]
        return rng.choice(genre, len(movies), replace=False)


def _most_shown(lists: list[Array], count: int) -> Array:
    movies, counts = np.unique(np.concatenate(lists), return_counts=True)
    return np.asarray(movies[np.argsort(-counts)[:count]])
