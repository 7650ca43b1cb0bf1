"""A. Warm: hides a random quarter of each movie's ratings and evaluates every user's list of all movies."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from benchmarks.data import METADATA, movielens_ratings
from benchmarks.models import random_split_models
from benchmarks.progress import Progress
from benchmarks.protocols import evaluate, leave_ratings_out
from recommender.estimators import Dataset
from recommender.evaluation.comparison import Comparison
from recommender.evaluation.evaluate import Evaluation

K = 10
REFERENCE = "ease"
CHOSEN = "chosen by fit"
NO_METADATA = "none"
WITHOUT_METADATA = (REFERENCE, "metadata_ease", "hybrid")  # also evaluated without metadata


def run(folder: Path, names: list[str], metadata: str, progress: Progress) -> tuple[str, list[dict[str, Any]]]:
    ratings = movielens_ratings(folder)
    movies = _movies(folder, metadata)
    split = leave_ratings_out(ratings)
    found: dict[str, Evaluation] = {}
    seconds: dict[str, float] = {}
    chosen: dict[str, Any] = {}
    dataset = Dataset.from_frames(split.train, movies)
    for model in random_split_models(names):
        progress.start(f"A {model.name}, {metadata} metadata")
        started = perf_counter()
        fitted = model.make().fit(dataset)
        seconds[model.name] = perf_counter() - started
        found[model.name] = evaluate(fitted, split.test, split.train, k=K)
        chosen[model.name] = fitted.best_params_
    title = f"A. Warm, ml-latest-small, {len(split.train)} / {len(split.test)} ratings, metadata: {metadata}"
    return title, _rows(Comparison(found), seconds, chosen)


def _movies(folder: Path, metadata: str) -> pd.DataFrame | None:
    if metadata == NO_METADATA:
        return None
    return METADATA[metadata](folder)


def _rows(comparison: Comparison, seconds: dict[str, float], chosen: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, evaluation in comparison.evaluations.items():
        figures = evaluation.summary()
        against = comparison.difference(name, REFERENCE) if REFERENCE in comparison.evaluations else None
        rows.append(
            {
                "model": name,
                "nDCG@10": figures["ndcg"],
                "recall@10": figures["recall"],
                f"nDCG less {REFERENCE}, 95 %": None if against is None or name == REFERENCE else str(against),
                "RMSE": figures["rmse"],
                "coverage": figures["coverage"],
                "diversity": figures["intra_list_diversity"],
                "fit s": seconds[name],
                "score s": evaluation.seconds["score"],
                CHOSEN: chosen[name],
            }
        )
    return rows
