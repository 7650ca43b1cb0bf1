"""Measures how often the gate decides correctly: `python -m benchmarks.gate --data DIR [--users 1000] [--pairs 200]`.

Users are drawn with replacement from real evaluations of two fits of one model with different seeds. A random choice
per user decides which of the two is the candidate, so both are equally good. A worse candidate has no hits for a share
of its users, large enough to lose the given nDCG. The thresholds are those of the policy.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import MOVIELENS, MOVIETWEETINGS, movielens_ratings, movietweetings
from benchmarks.tables import Row, render
from mlops.evaluation.intervals import PairedInterval
from mlops.gate.inputs import GateInput, Lists
from mlops.gate.rules import PASSED, REFUSED, decide
from mlops.policy import GatePolicy
from movierec.policy import load_policy
from recommender.evaluation.baselines import fitter
from recommender.evaluation.bootstrap import paired_bootstrap
from recommender.evaluation.comparison import Comparison, evaluate_on_cuts
from recommender.evaluation.evaluate import Evaluation
from recommender.evaluation.requests import Sampling

Array = np.ndarray[Any, Any]

ROOT = Path(__file__).resolve().parent.parent
MODEL = ("als", {"n_components": 32, "regularization": 5.0, "alpha": 8.0})
FIRST, SECOND = "first fit", "second fit"
SAMPLING = Sampling(max_users=2000, max_lists=4000)
LOSS = 0.02
LATEST = 100_000  # latest ratings of MovieTweetings; leaves some thousand users after the cut


def main(arguments: list[str] | None = None) -> None:
    options = _read(arguments)
    policy = load_policy(ROOT / "config.yaml")
    for name, ratings, threshold, cuts in _logs(options.data, policy.evaluation.cuts):
        pool = equal_models(ratings, threshold, cuts)
        drawn = {"n_users": options.users, "n_pairs": options.pairs, "resamples": policy.evaluation.bootstrap_resamples}
        rows = decisions(pool, policy.gate, **drawn)
        title = f"Gate, {name}: {options.pairs} pairs of {options.users} users, drawn from {len(pool)}"
        print(render(title, rows, {"share": 3}), flush=True)


def equal_models(ratings: pd.DataFrame, threshold: float, cuts: list[float]) -> Array:
    """Returns the nDCG of both fits for each user of each cut, (users, 2)."""
    name, parameters = MODEL
    fitters = {FIRST: fitter(name, 0, **parameters), SECOND: fitter(name, 1, **parameters)}
    comparison = evaluate_on_cuts(fitters, ratings, cuts=cuts, implicit_threshold=threshold, sampling=SAMPLING)
    return pool_of(comparison)


def pool_of(comparison: Comparison) -> Array:
    def of(evaluation: Evaluation) -> pd.Series:
        return evaluation.per_user().set_index(["user_id", "cut"])["ndcg"]

    return pd.concat([of(comparison[FIRST]), of(comparison[SECOND])], axis=1).to_numpy()


def decisions(pool: Array, policy: GatePolicy, **drawn: int) -> list[Row]:
    """Returns each case with the share of pairs decided correctly, and the target."""
    cases = [
        ("equal models pass as a refresh", True, 0.0, PASSED, ">= 0.95"),
        ("equal models pass as a change", False, 0.0, PASSED, "<= 0.05"),
        (f"worse by {LOSS:g} is refused as a refresh", True, LOSS, REFUSED, ">= 0.95"),
        (f"worse by {LOSS:g} is refused as a change", False, LOSS, REFUSED, ">= 0.95"),
    ]
    return [
        {"case": name, "share": decided(pool, policy, is_refresh, loss, outcome, **drawn), "target": asked}
        for name, is_refresh, loss, outcome, asked in cases
    ]


def decided(
    pool: Array,
    policy: GatePolicy,
    is_refresh: bool,
    loss: float,
    outcome: str,
    *,
    n_users: int,
    n_pairs: int,
    resamples: int,
) -> float:
    rng = np.random.default_rng(0)
    n_found = 0
    for number in range(n_pairs):
        candidate, champion = draw(pool, n_users, loss, rng)
        found = paired_bootstrap(candidate, champion, np.arange(n_users), resamples=resamples, seed=number)
        interval = PairedInterval(found.mean, found.low, found.high, found.n_users)
        n_found += decide(gate_input(interval, is_refresh), policy).outcome == outcome
    return n_found / n_pairs


def draw(pool: Array, n_users: int, loss: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Returns the nDCG of candidate and champion for the drawn users. The expected difference is `loss`."""
    drawn = pool[rng.integers(0, len(pool), n_users)]
    is_swapped = rng.random(n_users) < 0.5
    candidate = np.where(is_swapped, drawn[:, 1], drawn[:, 0])
    champion = np.where(is_swapped, drawn[:, 0], drawn[:, 1])
    return candidate * (rng.random(n_users) >= loss / pool.mean()), champion


def gate_input(difference: PairedInterval, is_refresh: bool) -> GateInput:
    """Returns an input in which only the difference can make the gate refuse."""
    lists = Lists(coverage=0.3, popularity_gini=0.8, mean_popularity=0.1)
    return GateInput(
        baseline="popular",
        against_baseline=PairedInterval(0.03, 0.01, 0.05, difference.n_users),
        lists=lists,
        smoke_test={"checks": {"answers": True}, "latency_ms": 1.0, "memory_mb": 1.0},
        artifact_mb=1.0,
        data_age_hours=1.0,
        is_refresh=is_refresh,
        champion=lists,
        against_champion=difference,
    )


def _logs(folder: Path, cuts: list[float]) -> list[tuple[str, pd.DataFrame, float, list[float]]]:
    """Returns name, ratings, threshold of a like and cuts for each data set found."""
    logs = []
    if (folder / MOVIELENS).is_dir():
        logs.append((MOVIELENS, movielens_ratings(folder), 3.5, cuts))
    if (folder / MOVIETWEETINGS).is_dir():
        ratings = movietweetings(folder)[0]
        latest = ratings.sort_values("rated_at", kind="stable").tail(LATEST)
        logs.append((f"latest of {MOVIETWEETINGS}", latest, 7.0, cuts[-1:]))
    return logs


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description="Print how the gate decides.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the data sets")
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=200)
    options = parser.parse_args(arguments)
    if not options.data.is_dir():
        parser.error(f"--data: {options.data} is no folder")
    return options


if __name__ == "__main__":
    main()
