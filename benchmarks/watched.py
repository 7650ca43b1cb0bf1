"""Compares ways of using movies that a user watched but did not rate.

MovieLens users have rated every movie that they are known to have watched. A share of the ratings of held-out users is
therefore treated as watched but unrated. Lists are made in each way, and the liked movies among the other ratings are
the targets. Watched movies are never listed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import movielens_metadata, movielens_ratings
from benchmarks.fold_in import FOLDS, left_out
from benchmarks.protocols import leave_ratings_out, one_list_a_user
from benchmarks.tables import render
from recommender.estimators import ESTIMATORS, Dataset, Recommender
from recommender.evaluation.comparison import Comparison, pool
from recommender.evaluation.evaluate import Evaluation, evaluate_requests
from recommender.evaluation.requests import Requests

THRESHOLD = 3.5
SHARES = (0.5, 0.8, 1.0)
K = 10
Count = Callable[[dict[int, float]], float | None]


def _mean(rated: dict[int, float]) -> float:
    return float(np.mean(list(rated.values()))) if rated else THRESHOLD


WAYS: dict[str, Count] = {
    "nothing": lambda rated: None,
    "their mean": _mean,
    "their mean, liked at least": lambda rated: max(_mean(rated), THRESHOLD),
    "3.5 stars": lambda rated: 3.5,
    "4 stars": lambda rated: 4.0,
    "3 stars": lambda rated: 3.0,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--model", default="hybrid")
    given = parser.parse_args()
    split = leave_ratings_out(movielens_ratings(given.data))
    movies = movielens_metadata(given.data)
    found: dict[tuple[float, str], list[Evaluation]] = {}
    for number in range(given.folds):
        is_left_out = split.train["user_id"].isin(left_out(split.train["user_id"].unique(), number))
        train, known = split.train[~is_left_out], split.train[is_left_out]
        test = split.test[split.test["user_id"].isin(known["user_id"]) & (split.test["rating"] >= THRESHOLD)]
        options = {"validation": "random"} if given.model == "hybrid" else {}
        data = Dataset.from_frames(train, movies, implicit_threshold=THRESHOLD)
        model = ESTIMATORS[given.model](random_state=0, **options).fit(data)
        for share in SHARES:
            for name, count in [*WAYS.items(), ("what they gave", None)]:
                requests = _requests(test, known, share, count)
                found.setdefault((share, name), []).append(evaluate_requests(model, requests, train, k=K))
        print(f"fold {number + 1} of {given.folds}", flush=True)
    for share in SHARES:
        pooled = {name: pool(parts) for (of, name), parts in found.items() if of == share}
        comparison = Comparison(pooled)
        rows = [
            {
                "counts as": name,
                "nDCG@10": evaluation.summary()["ndcg"],
                "less nothing, 95 %": "" if name == "nothing" else str(comparison.difference(name, "nothing")),
            }
            for name, evaluation in pooled.items()
        ]
        print(render(f"{share:.0%} of what was seen is not rated", rows))


@dataclass(frozen=True)
class _OfTheUnseen(Requests):
    """Lists without watched movies, whether or not they are in the history."""

    seen: list[list[int]] = field(default_factory=list)

    def ask(self, model: Recommender, k: int, candidates: Any = None) -> pd.DataFrame:
        lists = model.recommend_for_history(self.histories(0, len(self)), k=k, candidates=candidates, exclude=self.seen)
        return lists.rename(columns={"user_id": "request"})


def _requests(test: pd.DataFrame, known: pd.DataFrame, share: float, count: Count | None) -> Requests:
    is_rated = np.random.default_rng(0).random(len(known)) >= share
    histories: dict[int, dict[int, float]] = {}
    seen: dict[int, list[int]] = {}
    for user, rows in known.assign(is_rated=is_rated).groupby("user_id"):
        everything = dict(zip(rows["movie_id"].tolist(), rows["rating"].tolist(), strict=True))
        rated = {movie: everything[movie] for movie in rows["movie_id"][rows["is_rated"]].tolist()}
        seen[user] = list(everything)
        histories[user] = everything if count is None else _counted(everything, rated, count)
    asked = one_list_a_user(test, known)
    users = asked.table["user_id"].tolist()
    wanted = [histories.get(user, {}) for user in users]
    return _OfTheUnseen(
        asked.table,
        asked.relevant,
        lambda start, stop: wanted[start:stop],
        seen=[seen.get(user, []) for user in users],
    )


def _counted(everything: dict[int, float], rated: dict[int, float], count: Count) -> dict[int, float]:
    value = count(rated)
    if value is None:
        return rated
    return {movie: rated.get(movie, value) for movie in everything}


if __name__ == "__main__":
    main()
