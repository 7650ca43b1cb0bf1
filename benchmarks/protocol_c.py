"""C. Later data: predicts each of the last weeks of MovieTweetings from all earlier data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from benchmarks.data import movietweetings
from benchmarks.models import Model, later_data_models
from benchmarks.progress import Progress
from benchmarks.protocols import evaluate, rolling_weeks
from recommender.estimators import Dataset
from recommender.evaluation.comparison import Comparison, pool
from recommender.evaluation.evaluate import Evaluation
from recommender.evaluation.splits import TimeSplit

K = 10
POSITIVE = 7.0
REFERENCE = "popular, half-life 2 d"


@dataclass
class _Found:
    known: list[Evaluation] = field(default_factory=list)
    with_new: list[Evaluation] = field(default_factory=list)
    fit_seconds: list[float] = field(default_factory=list)


def run(folder: Path, names: list[str], n_weeks: int, progress: Progress) -> list[tuple[str, list[dict[str, Any]]]]:
    """Returns two tables: movies rated before the week, and those plus the week's new movies."""
    ratings, movies = movietweetings(folder)
    models = later_data_models(names)
    found = {model.name: _Found() for model in models}
    for split in rolling_weeks(ratings, n_weeks):
        known = movies[movies["movie_id"].isin(split.train["movie_id"])]
        dataset = Dataset.from_frames(split.train, known, implicit_threshold=POSITIVE)
        for model in models:
            progress.start(f"C {model.name}, week from {split.cut:%Y-%m-%d}")
            _judge(model, dataset, split, movies, found[model.name])
    n_users = round(sum(len(week.lists) for week in found[REFERENCE].known) / len(found[REFERENCE].known))
    return [
        (f"C. Later data, MovieTweetings, last {n_weeks} weeks, {n_users} users a week", _rows(found, "known")),
        ("C with each week's never-seen movies among the candidates", _rows(found, "with_new")),
    ]


def _judge(model: Model, dataset: Dataset, split: TimeSplit, movies: pd.DataFrame, found: _Found) -> None:
    started = perf_counter()
    fitted = model.make().fit(dataset)
    found.fit_seconds.append(perf_counter() - started)
    options = {"k": K, "with_stars": False, "cut": split.cut.isoformat()}
    positives = positives_of_known_users(split)
    is_known = positives["movie_id"].isin(split.train["movie_id"])
    found.known.append(evaluate(fitted, positives[is_known], split.train, **options))
    new = movies[movies["movie_id"].isin(split.test["movie_id"]) & ~movies["movie_id"].isin(split.train["movie_id"])]
    candidates = [*split.train["movie_id"].unique().tolist(), *new["movie_id"].tolist()]
    positives = positives[positives["movie_id"].isin(candidates)]
    extended = fitted.with_movies(new)
    found.with_new.append(evaluate(extended, positives, split.train, candidates=candidates, **options))


def positives_of_known_users(split: TimeSplit) -> pd.DataFrame:
    liked_before = split.train.loc[split.train["rating"] >= POSITIVE, "user_id"]
    test = split.test
    return test[(test["rating"] >= POSITIVE) & test["user_id"].isin(liked_before)]


def _rows(found: dict[str, _Found], kind: str) -> list[dict[str, Any]]:
    comparison = Comparison({name: pool(getattr(weeks, kind)) for name, weeks in found.items()})
    rows = []
    for name, evaluation in comparison.evaluations.items():
        figures = evaluation.summary()
        rows.append(
            {
                "model": name,
                "nDCG@10": figures["ndcg"],
                "recall@10": figures["recall"],
                "less half-life 2 d, 95 %": None if name == REFERENCE else str(comparison.difference(name, REFERENCE)),
                "movies a week": round(figures["distinct_movies"]),
                "fit s a week": sum(found[name].fit_seconds) / len(found[name].fit_seconds),
                "score s a week": evaluation.seconds["score"] / len(getattr(found[name], kind)),
            }
        )
    return rows
