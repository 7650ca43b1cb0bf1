"""What the drift checks find and miss: `python -m benchmarks.drift --data DIR [--windows 200]`.

Windows are made of real MovieTweetings weeks. Without drift: of twelve weeks in a row, four fall to the recent window
and four to the reference at random, so that both come from one stretch of the log, with its returning people and its
films of the month. With a fat week: one week of the recent window has five times its ratings. With drift: a change is
planted in the recent window. Limits are those of config.yaml; ratings are drawn by whole people.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.drift_weeks import Weeks, read_weeks
from benchmarks.tables import render
from mlops.findings import Finding, Outcome
from mlops.monitoring.codes import DriftCode
from mlops.monitoring.drift import checks
from mlops.monitoring.drift.statistics import Shares, row_weights, shares_of
from mlops.policy import DriftPolicy

Array = np.ndarray[Any, Any]
Rows = dict[str, Array]
Rng = np.random.Generator

SIZES = (500, 1000, 5000)  # ratings in each window
N_WEEKS, STRETCH, FAT = 4, 12, 5
STARS = [f"{step / 2:g}" for step in range(11)]


@dataclass(frozen=True)
class Kind:
    """`draw(size, rng, fat)` makes two windows without drift, `judge(recent, before)` is one check, `plant(recent)`
    changes what it should notice. `fat` is by how much one week of the recent window is larger than usual."""

    name: str
    planted: str
    draw: Callable[..., tuple[Any, Any]]
    judge: Callable[[Any, Any], Finding]
    plant: Callable[[Any, Rng], Any]
    sizes: tuple[int, ...] = SIZES
    draws_fat_weeks: bool = True


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds movietweetings/")
    parser.add_argument("--windows", type=int, default=200, help="pairs of windows of each kind and size")
    options = parser.parse_args(arguments)
    title, rows = table(options.data, DriftPolicy(), options.windows)
    print(render(title, rows, digits=dict.fromkeys(PERCENT, 1)))
    print(f"A report of all checks raises a false alarm on at most {most_false_reports(rows):.1f} % of windows.")


FALSE, FALSE_FAT, FOUND = "false alarms, %", "with a fat week, %", "found, %"
PERCENT = (FALSE, FALSE_FAT, FOUND)


def most_false_reports(rows: list[dict[str, Any]]) -> float:
    """In percent: the sum of each check's worst rate, with fat weeks too, since checks may err on different windows."""
    worst: dict[str, float] = {}
    for row in rows:
        rates = [row[name] for name in (FALSE, FALSE_FAT) if row[name] is not None]
        worst[row["check"]] = max([*rates, worst.get(row["check"], 0.0)])
    return sum(worst.values())


def table(folder: Path, policy: DriftPolicy, n_windows: int) -> tuple[str, list[dict[str, Any]]]:
    weeks = read_weeks(folder)
    found = kinds(weeks, policy)
    rows = []
    with tqdm(total=n_windows * sum(len(kind.sizes) for kind in found), leave=False) as bar:
        for kind in found:
            for size in kind.sizes:
                bar.set_description(f"{kind.name}, {size}")
                rows.append(try_out(kind, size, n_windows, np.random.default_rng(size), bar))
    return f"Drift checks on {n_windows} pairs of windows from MovieTweetings' weeks", rows


def try_out(kind: Kind, size: int, n_windows: int, rng: Rng, bar: Any) -> dict[str, Any]:
    alerts = dict.fromkeys(PERCENT, 0)
    for _ in range(n_windows):
        recent, before = kind.draw(size, rng)
        alerts[FALSE] += kind.judge(recent, before).outcome == Outcome.ALERT
        alerts[FOUND] += kind.judge(kind.plant(recent, rng), before).outcome == Outcome.ALERT
        if kind.draws_fat_weeks:
            alerts[FALSE_FAT] += kind.judge(*kind.draw(size, rng, fat=FAT)).outcome == Outcome.ALERT
        bar.update()
    rates: dict[str, float | None] = {name: 100 * count / n_windows for name, count in alerts.items()}
    if not kind.draws_fat_weeks:
        rates[FALSE_FAT] = None
    return {"check": kind.name, "sample a window": size, "planted drift": kind.planted} | rates


def kinds(weeks: Weeks, policy: DriftPolicy) -> list[Kind]:
    ratings, lists = Ratings(weeks, policy), Lists(weeks, policy)
    return [
        *ratings.kinds(),
        Kind(
            "activity",
            "every week has a sixth of its ratings",
            lambda _, rng, fat=1: ratings.volumes(rng, fat),
            lambda recent, before: checks.check_activity(recent, before, policy),
            lambda recent, _: recent // 6,
            sizes=(sum(len(weeks.rows[week]["user"]) for week in weeks.numbers) // len(weeks.numbers) * N_WEEKS,),
        ),
        *lists.kinds(),
    ]


class Ratings:
    """Windows of ratings, and the checks of how they divide."""

    def __init__(self, weeks: Weeks, policy: DriftPolicy) -> None:
        self.weeks, self.policy = weeks, policy
        horror = [weeks.genre_names.index("Horror")]
        self.horror = [movie for movie, found in weeks.genres.items() if found == horror]

    def kinds(self) -> list[Kind]:
        third, half, two_thirds = 1 / 3, 1 / 2, 2 / 3
        return [
            Kind(
                "rating distribution",
                "a third of the ratings becomes 1 star",
                self.draw,
                self._judge(DriftCode.RATINGS, lambda rows: rows["stars"], STARS),
                lambda rows, rng: rows | {"stars": np.where(_some(rows, third, rng), 2, rows["stars"])},
            ),
            Kind(
                "source mix",
                "a quarter comes from another source",
                self.draw,
                self._judge(DriftCode.SOURCES, lambda rows: rows["source"], ["site", "imported"]),
                lambda rows, rng: rows | {"source": _some(rows, 0.25, rng).astype(int)},
            ),
            Kind(
                "new-user share",
                "two thirds of the others' ratings come from new people",
                self.draw,
                self._judge(DriftCode.NEW_USERS, lambda rows: rows["new_user"], ["known", "new"]),
                lambda rows, rng: rows | {"new_user": np.maximum(rows["new_user"], _some(rows, two_thirds, rng))},
            ),
            Kind(
                "new-movie share",
                "half of the others' ratings are of new movies",
                self.draw,
                self._judge(DriftCode.NEW_MOVIES, lambda rows: rows["new_movie"], ["known", "new"]),
                lambda rows, rng: rows | {"new_movie": np.maximum(rows["new_movie"], _some(rows, half, rng))},
            ),
            Kind(
                "genre mix",
                "a third of the ratings goes to horror films",
                self.draw,
                self._judge_genres,
                lambda rows, rng: rows | {"movie": np.where(_some(rows, third, rng), self._horror(rng), rows["movie"])},
            ),
        ]

    def draw(self, size: int, rng: Rng, fat: int = 1) -> tuple[Rows, Rows]:
        drawn = draw_weeks(self.weeks.numbers, rng)
        return self._window(drawn[:N_WEEKS], size, rng, fat), self._window(drawn[N_WEEKS:], size, rng)

    def _window(self, numbers: list[int], size: int, rng: Rng, fat: int = 1) -> Rows:
        sizes = [size // N_WEEKS] * (N_WEEKS - 1) + [fat * size // N_WEEKS]
        parts = [_of_people(self.weeks.rows[number], n, rng) for number, n in zip(numbers, sizes, strict=True)]
        rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return rows | {"week": np.repeat(np.arange(len(parts)), [len(part["user"]) for part in parts])}

    def volumes(self, rng: Rng, fat: int = 1) -> tuple[Array, Array]:
        drawn = draw_weeks(self.weeks.numbers, rng)
        counts = np.array([len(self.weeks.rows[number]["user"]) for number in drawn])
        counts[0] *= fat
        return counts[:N_WEEKS], counts[N_WEEKS:]

    def _judge(self, code: DriftCode, category: Callable[[Rows], Array], labels: list[str]) -> Callable[..., Finding]:
        def judge(recent: Rows, before: Rows) -> Finding:
            now, then = (self._shares(rows, category(rows).astype(int), len(labels)) for rows in (recent, before))
            sizes = (len(recent["user"]), len(before["user"]))
            return checks.check_shares(code, now, then, sizes, labels, self.policy)

        return judge

    def _judge_genres(self, recent: Rows, before: Rows) -> Finding:
        now, then = (self._genre_shares(rows) for rows in (recent, before))
        sizes = (len(recent["user"]), len(before["user"]))
        return checks.check_shares(DriftCode.GENRES, now, then, sizes, self.weeks.genre_names, self.policy)

    def _genre_shares(self, rows: Rows) -> Shares:
        genres = [self.weeks.genres.get(int(movie), []) for movie in rows["movie"]]
        lengths = np.array([len(found) for found in genres])
        at = np.repeat(np.arange(len(genres)), lengths)
        weights = self._weights(rows)[at] / lengths[at]
        categories = np.array([genre for found in genres for genre in found])
        return shares_of(rows["user"][at], categories, weights, len(self.weeks.genre_names))

    def _shares(self, rows: Rows, categories: Array, n_categories: int) -> Shares:
        return shares_of(rows["user"], categories, self._weights(rows), n_categories)

    def _weights(self, rows: Rows) -> Array:
        return row_weights(rows["user"], rows["week"], self.policy.ratings_per_person)

    def _horror(self, rng: Rng) -> int:
        return int(rng.choice(self.horror))


class Lists:
    """Windows of lists that a model made for the people of each week, and what they rated then."""

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
                "live quality",
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


def draw_weeks(numbers: list[int], rng: Rng) -> list[int]:
    """Eight of twelve weeks in a row, in random order."""
    at = int(rng.integers(0, max(1, len(numbers) - STRETCH + 1)))
    return [int(number) for number in rng.permutation(numbers[at : at + STRETCH])[: 2 * N_WEEKS]]


def _of_people(rows: Rows, size: int, rng: Rng) -> Rows:
    """So many rows of one week, by whole people (the last one cut)."""
    _, person = np.unique(rows["user"], return_inverse=True)
    order = np.argsort(rng.permutation(int(person.max()) + 1)[person], kind="stable")[:size]
    return {name: values[order] for name, values in rows.items()}


def _some(rows: Rows, share: float, rng: Rng) -> Array:
    return np.asarray(rng.random(len(rows["user"])) < share)


def _most_shown(lists: list[Array], count: int) -> Array:
    movies, counts = np.unique(np.concatenate(lists), return_counts=True)
    return np.asarray(movies[np.argsort(-counts)[:count]])


if __name__ == "__main__":
    main()
