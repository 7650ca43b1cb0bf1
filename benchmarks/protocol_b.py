"""B. Cold movies: removes the ratings, but not the metadata, of a fifth of the liked movies and ranks only those."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import METADATA, movielens_ratings
from benchmarks.models import Model, random_split_models
from benchmarks.progress import Progress
from benchmarks.protocols import ColdSplit, auc, evaluate, hide_cold_movies
from recommender.estimators import Dataset, Recommender
from recommender.evaluation.comparison import Comparison, pool
from recommender.evaluation.evaluate import Evaluation

K = 10
POSITIVE = 4.0
REFERENCE = "content"


def run(
    folder: Path, names: list[str], metadata: str, seeds: range, progress: Progress
) -> tuple[str, list[dict[str, Any]]]:
    ratings = movielens_ratings(folder)
    movies = METADATA[metadata](folder)
    positives = ratings[ratings["rating"] >= POSITIVE]
    models = random_split_models(names)
    able = [model for model in models if model.scores_new_movies]
    found: dict[str, list[_Result]] = {model.name: [] for model in able}
    for seed in seeds:
        split = hide_cold_movies(positives, seed=seed)
        dataset = Dataset.from_frames(split.train, movies)
        for model in able:
            progress.start(f"B {model.name}, seed {seed}, {metadata} metadata")
            found[model.name].append(_judge(model, dataset, split, seed))
    title = f"B. Cold movies, ml-latest-small, {len(seeds)} seeds, metadata: {metadata}"
    rows = _rows(found)
    unable = [model.name for model in models if not model.scores_new_movies]
    return title, rows + [{"model": name, "note": "cannot score new movies"} for name in unable]


class _Result:
    def __init__(self, evaluation: Evaluation, auc_mean: float, fit_seconds: float) -> None:
        self.evaluation, self.auc, self.fit_seconds = evaluation, auc_mean, fit_seconds


def _judge(model: Model, dataset: Dataset, split: ColdSplit, seed: int) -> _Result:
    started = perf_counter()
    fitted = model.make().fit(dataset)
    seconds = perf_counter() - started
    cold = split.cold_movies.tolist()
    evaluation = evaluate(fitted, split.test, split.train, k=K, candidates=cold, with_stars=False, cut=f"seed {seed}")
    return _Result(evaluation, _mean_auc(fitted, split), seconds)


def _mean_auc(model: Recommender, split: ColdSplit) -> float:
    rows, users = pd.factorize(split.test["user_id"], sort=True)
    is_relevant = np.zeros((len(users), len(split.cold_movies)), dtype=bool)
    is_relevant[rows, np.searchsorted(split.cold_movies, split.test["movie_id"])] = True
    return float(np.nanmean(auc(model.score_candidates(users, split.cold_movies), is_relevant)))


def _rows(found: dict[str, list[_Result]]) -> list[dict[str, Any]]:
    comparison = Comparison({name: pool([result.evaluation for result in results]) for name, results in found.items()})
    rows = []
    for name, results in found.items():
        each = [result.evaluation.summary() for result in results]
        against = comparison.difference(name, REFERENCE) if REFERENCE in found and name != REFERENCE else None
        rows.append(
            {
                "model": name,
                "AUC": float(np.mean([result.auc for result in results])),
                "nDCG@10": float(np.mean([figures["ndcg"] for figures in each])),
                "recall@10": float(np.mean([figures["recall"] for figures in each])),
                f"nDCG less {REFERENCE}, 95 %": None if against is None else str(against),
                "fit s": float(np.mean([result.fit_seconds for result in results])),
                "score s": float(np.mean([result.evaluation.seconds["score"] for result in results])),
                "note": "",
            }
        )
    return rows
