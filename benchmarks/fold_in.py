"""Evaluates fold-in: lists for users outside the training data, by the number of their known ratings.

The users are divided into FOLDS parts. Each part is evaluated with models trained on the others.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import METADATA, movielens_ratings
from benchmarks.models import random_split_models
from benchmarks.progress import Progress
from benchmarks.protocols import evaluate, leave_ratings_out, one_list_a_user
from recommender.estimators import Dataset, Recommender
from recommender.evaluation.comparison import Comparison, pool
from recommender.evaluation.evaluate import Evaluation, evaluate_requests
from recommender.evaluation.requests import Requests

K = 10
MODEL = "hybrid"
FOLDS = 3
N_FITS = 2 * FOLDS
COUNTS = (1, 2, 5, 20)
ALL = "all"


def run(folder: Path, metadata: str, progress: Progress) -> list[tuple[str, list[dict[str, Any]]]]:
    """Returns a table of held-out users, and one of trained users' lists requested in both ways."""
    split = leave_ratings_out(movielens_ratings(folder))
    movies = METADATA[metadata](folder)
    found: dict[int | None, dict[str, list[Evaluation]]] = {count: defaultdict(list) for count in (*COUNTS, None)}
    for number in range(FOLDS):
        is_left_out = split.train["user_id"].isin(left_out(split.train["user_id"].unique(), number))
        train, known = split.train[~is_left_out], split.train[is_left_out]
        test = split.test[split.test["user_id"].isin(known["user_id"])]
        popular, model = (_fit(entry, train, movies, progress) for entry in random_split_models([MODEL]))
        for count, evaluations in found.items():
            requests = _requests(test, known, count)
            for name, fitted in (("popular", popular), (MODEL, model)):
                evaluations[name].append(evaluate_requests(fitted, requests, train, k=K))
    rows = [
        {"ratings": ALL if count is None else count}
        | _figures({name: pool(parts) for name, parts in evaluations.items()}, MODEL, "popular")
        for count, evaluations in found.items()
    ]
    trained = split.test[~split.test["user_id"].isin(known["user_id"])]
    n_users = split.train["user_id"].nunique()
    return [
        (f"A. Fold-in of {n_users} users without a training row, {MODEL}, metadata: {metadata}", rows),
        ("A. Lists of trained users", [_asked_in_both_ways(model, trained, train)]),
    ]


def left_out(users: Any, number: int) -> Any:
    return np.random.default_rng(0).permutation(np.sort(users))[number::FOLDS]


def _fit(entry: Any, train: pd.DataFrame, movies: pd.DataFrame, progress: Progress) -> Recommender:
    progress.start(f"A {entry.name}, without some of the users")
    fitted: Recommender = entry.make().fit(Dataset.from_frames(train, movies))
    return fitted


def _requests(test: pd.DataFrame, known: pd.DataFrame, count: int | None) -> Requests:
    """Returns one list per user, from a random sample of their known ratings, or from all."""
    drawn = known.sample(frac=1, random_state=0).groupby("user_id").head(len(known) if count is None else count)
    return one_list_a_user(test, drawn)


def _asked_in_both_ways(model: Recommender, test: pd.DataFrame, train: pd.DataFrame) -> dict[str, Any]:
    folded = evaluate_requests(model, _requests(test, train, None), train, k=K)
    by_id = evaluate(model, test, train, k=K, with_stars=False)
    return {"ratings": ALL} | _figures({"trained": by_id, "folded in": folded}, "folded in", "trained")


def _figures(evaluations: dict[str, Evaluation], first: str, second: str) -> dict[str, Any]:
    comparison = Comparison(evaluations)
    figures = {f"{name} nDCG@10": evaluation.summary()["ndcg"] for name, evaluation in evaluations.items()}
    return figures | {f"{first} less {second}, 95 %": str(comparison.difference(first, second))}
