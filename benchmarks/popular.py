"""Tests the popular list under attack, and its quality: `python -m benchmarks.popular --data DIR [--skip-quality]`.

Uses two embedded sites, with ml-latest-small and with generated ratings of 600 people. The attacks are one account with
10,000 ratings (given at once, over years or long ago), a thousand new people who like one movie, a rating dated 2099,
and three people who begin to rate years after all others. Popularity is computed in full, without the tolerance of the
hourly refresh.

Then evaluates the nDCG@10 of the popularity baseline by protocols A, C and D and compares it with plain counts: every
like weighted by age, without prior or bounds. Protocol B ranks movies without ratings, which popularity cannot. The
exit code is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import protocol_c
from benchmarks.data import MOVIELENS, movielens_metadata, movielens_ratings, movietweetings
from benchmarks.protocol_d import CUTS
from benchmarks.protocol_d import POSITIVE as POSITIVE_D
from benchmarks.protocols import evaluate, leave_ratings_out, rolling_weeks
from benchmarks.site import load
from benchmarks.tables import Row, render
from recommender.estimators import Dataset, Recommender
from recommender.estimators.popularity import DAY_NS, PopularityRecommender
from recommender.evaluation.baselines import HALF_LIVES_DAYS
from recommender.evaluation.comparison import Comparison, evaluate_on_cuts, pool

K = 10
WEEKLY_HALF_LIVES = (1.0, 2.0, 7.0, 30.0)
MAX_LOSS = 0.001  # maximum loss of nDCG@10


class PlainCounts(PopularityRecommender):
    """Popularity without prior and bounds."""

    def _fit(self, dataset: Dataset) -> None:
        age = (dataset.rated_at.max() - dataset.rated_at) / DAY_NS
        likes = np.exp2(-age / self.config.half_life_days)
        if dataset.implicit_threshold is not None:
            likes *= dataset.ratings.data >= dataset.implicit_threshold
        self.scores_ = np.bincount(dataset.ratings.indices, weights=likes, minlength=dataset.n_movies)


KINDS: dict[str, type[Recommender]] = {"plain": PlainCounts, "popularity": PopularityRecommender}


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    rows = _attacks(options.data)
    print(render("The popular list of a site under attack", rows), flush=True)
    is_good = all(row["bar met"] == "yes" for row in rows)
    if not options.skip_quality:
        rows = _quality(options.data, options.weeks)
        print(render("nDCG@10 of the popularity baseline", rows))
        is_good &= all(row["change"] >= -MAX_LOSS for row in rows)
    return 0 if is_good else 1


def _attacks(data: Path) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        site = load("benchmarks.popular_site", _environment(folder))
        rows: list[Row] = []
        for name, arguments in (
            ("MovieLens, 610 people", ["import_movielens", str(data / MOVIELENS)]),
            ("generated, 600 people", ["generate_ratings", "--users=600", "--movies=3000", "--ratings=60000"]),
        ):
            site.create(*arguments)
            rows += [{"site": name} | row for row in site.attacks()]
    return rows


def _environment(folder: str) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "movierec.settings", "VAR_DIR": folder, "ENV_FILE": f"{folder}/no.env"}


def _quality(data: Path, n_weeks: int) -> list[Row]:
    rows = []
    for name, found in (_warm(data) | _later_weeks(data, n_weeks) | _later_cuts(data)).items():
        rows.append({"protocol": name, **found, "change": found["popularity"] - found["plain"]})
    return rows


def _warm(data: Path) -> dict[str, dict[str, float]]:
    split = leave_ratings_out(movielens_ratings(data))
    dataset = Dataset.from_frames(split.train)
    found = {
        name: evaluate(kind(half_life_days=math.inf).fit(dataset), split.test, split.train, k=K, with_stars=False)
        for name, kind in KINDS.items()
    }
    return {"A, all time": _ndcg(found)}


def _later_weeks(data: Path, n_weeks: int) -> dict[str, dict[str, float]]:
    weeks: dict[str, dict[str, list[Any]]] = {}
    for split in rolling_weeks(movietweetings(data)[0], n_weeks):
        dataset = Dataset.from_frames(split.train, implicit_threshold=protocol_c.POSITIVE)
        positives = protocol_c.positives_of_known_users(split)
        positives = positives[positives["movie_id"].isin(split.train["movie_id"])]
        for days in WEEKLY_HALF_LIVES:
            of_kinds = weeks.setdefault(f"C, half-life {days:g} d", {})
            for name, kind in KINDS.items():
                model = kind(half_life_days=days).fit(dataset)
                cut = split.cut.isoformat()
                of_kinds.setdefault(name, []).append(
                    evaluate(model, positives, split.train, k=K, with_stars=False, cut=cut)
                )
    return {row: _ndcg({name: pool(each) for name, each in of_kinds.items()}) for row, of_kinds in weeks.items()}


def _later_cuts(data: Path) -> dict[str, dict[str, float]]:
    fitters = {
        f"{name} {days:g}": kind(half_life_days=days).fit for days in HALF_LIVES_DAYS for name, kind in KINDS.items()
    }
    ratings, movies = movielens_ratings(data), movielens_metadata(data)
    comparison: Comparison = evaluate_on_cuts(fitters, ratings, movies, CUTS, implicit_threshold=POSITIVE_D)
    return {
        f"D, half-life {days:g} d": _ndcg({name: comparison.evaluations[f"{name} {days:g}"] for name in KINDS})
        for days in HALF_LIVES_DAYS
    }


def _ndcg(found: dict[str, Any]) -> dict[str, float]:
    return {name: evaluation.summary()["ndcg"] for name, evaluation in found.items()}


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.popular", description="Attack the popular list.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the data sets")
    parser.add_argument("--weeks", type=int, default=8, help="of protocol C")
    parser.add_argument("--skip-quality", action="store_true", help="attacks alone")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
