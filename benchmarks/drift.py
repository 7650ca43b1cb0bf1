"""Measures what the drift checks detect and miss: `python -m benchmarks.drift --data DIR [--windows 200]`.

Windows consist of real MovieTweetings weeks. Without drift, four of twelve consecutive weeks are drawn for the recent
window and four for the reference, so that both have the same returning users and current films. With a fat week, one
week of the recent window has five times its ratings. With drift, the recent window is changed. The thresholds are the
policy's defaults. Ratings are drawn by whole users.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.drift_kinds import N_WEEKS, Array, Kind, Rng, Rows, draw_weeks
from benchmarks.drift_lists import Lists
from benchmarks.drift_weeks import Weeks, read_weeks
from benchmarks.tables import render
from mlops.findings import Finding, Outcome
from mlops.monitoring.codes import DriftCode
from mlops.monitoring.drift import checks
from mlops.monitoring.drift.statistics import category_weights, row_weights
from mlops.policy import DriftPolicy

FAT = 5  # times the usual size of a week
STARS = [f"{step / 2:g}" for step in range(11)]


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
    """Returns the sum of each check's worst error rate in percent, because checks may err on different windows."""
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
    """Windows of ratings, and the drift checks on them."""

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
            now, then = (
                self._category_weights(rows, category(rows).astype(int), len(labels)) for rows in (recent, before)
            )
            sizes = (len(recent["user"]), len(before["user"]))
            return checks.check_shares(code, now, then, sizes, labels, self.policy)

        return judge

    def _judge_genres(self, recent: Rows, before: Rows) -> Finding:
        now, then = (self._genre_weights(rows) for rows in (recent, before))
        sizes = (len(recent["user"]), len(before["user"]))
        return checks.check_shares(DriftCode.GENRES, now, then, sizes, self.weeks.genre_names, self.policy)

    def _genre_weights(self, rows: Rows) -> Array:
        genres = [self.weeks.genres.get(int(movie), []) for movie in rows["movie"]]
        lengths = np.array([len(found) for found in genres])
        at = np.repeat(np.arange(len(genres)), lengths)
        weights = self._weights(rows)[at] / lengths[at]
        categories = np.array([genre for found in genres for genre in found])
        return category_weights(rows["user"][at], categories, weights, len(self.weeks.genre_names))

    def _category_weights(self, rows: Rows, categories: Array, n_categories: int) -> Array:
        return category_weights(rows["user"], categories, self._weights(rows), n_categories)

    def _weights(self, rows: Rows) -> Array:
        return row_weights(rows["user"], rows["week"], self.policy.ratings_per_person)

    def _horror(self, rng: Rng) -> int:
        return int(rng.choice(self.horror))


def _of_people(rows: Rows, size: int, rng: Rng) -> Rows:
    """Returns rows of one week, drawn by whole users. The last user is cut."""
    _, person = np.unique(rows["user"], return_inverse=True)
    order = np.argsort(rng.permutation(int(person.max()) + 1)[person], kind="stable")[:size]
    return {name: values[order] for name, values in rows.items()}


def _some(rows: Rows, share: float, rng: Rng) -> Array:
    return np.asarray(rng.random(len(rows["user"])) < share)


if __name__ == "__main__":
    main()
