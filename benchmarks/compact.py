"""Measures the cost of compact weights: `python -m benchmarks.compact --data DIR [--protocol A B C D]`.

Fits the hybrid with given parameters on the protocols of benchmarks.quality. Evaluates each fit with all weights and
exact vectors, and with those that a model keeps. Prints nDCG@10 of both and the paired difference, which may be .001.
`--kept N` sets another number of weights per movie.
"""

from __future__ import annotations

import argparse
import copy
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.data import has_tmdb, movielens_metadata, movielens_ratings, movietweetings, tmdb_metadata
from benchmarks.protocol_b import POSITIVE as LIKED_STARS
from benchmarks.protocol_c import POSITIVE as LIKED_OF_TEN
from benchmarks.protocol_c import positives_of_known_users
from benchmarks.protocol_d import CUTS
from benchmarks.protocol_d import POSITIVE as LIKED_ON_THE_SITE
from benchmarks.protocols import evaluate, hide_cold_movies, leave_ratings_out, rolling_weeks
from benchmarks.tables import Row, render
from recommender.estimators import ESTIMATORS, Dataset
from recommender.estimators.compact import MAX_WEIGHTS, keep_largest
from recommender.estimators.metadata_regression import kernel
from recommender.evaluation.comparison import Comparison, evaluate_on_cuts, pool
from recommender.evaluation.evaluate import Evaluation

ALL = 1_000_000  # weights per movie
MOST = 0.001  # maximum loss of nDCG@10
ITEMS = {"regularization": 200.0, "metadata_weight": 10.0, "residual_weight": 0.2, "user_exponent": 0.25}
CONTENT = {"history_weight": 0.1, "content_regularization": 10.0, "content_steepness": 0.5}
BLEND = {"half_life_days": math.inf, "popularity_weight": 0.0, "cold_user_weight": 0.1, "reranker": False}
OF_LATE = {"half_life_days": 2.0, "popularity_weight": 0.05}
Pair = tuple[Any, Any]
Pairs = list[tuple[Evaluation, Evaluation]]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compact", description="What compact weights cost.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the data sets")
    parser.add_argument("--protocol", nargs="+", choices=list(PROTOCOLS), default=list(PROTOCOLS))
    parser.add_argument("--kept", type=int, default=MAX_WEIGHTS, help=f"weights a movie (default {MAX_WEIGHTS})")
    parser.add_argument("--quick", action="store_true", help="2 seeds of B, 2 weeks of C")
    options = parser.parse_args(arguments)
    rows = [_row(name, PROTOCOLS[name](options)) for name in options.protocol]
    print(render(f"nDCG@10 with all weights and with {options.kept} a movie, vectors rounded", rows))


def _row(protocol: str, comparison: Comparison) -> Row:
    every, kept = (comparison[name].summary()["ndcg"] for name in ("all", "kept"))
    difference = comparison.difference("kept", "all")
    verdict = "met" if abs(difference.mean) <= MOST else "NOT MET"
    return {"protocol": protocol, "all": every, "compact": kept, "compact less all, 95 %": str(difference), "": verdict}


def _fitted(dataset: Dataset, n_kept: int, **more: Any) -> Pair:
    kept = ESTIMATORS["hybrid"](random_state=0, max_weights=ALL, **ITEMS | CONTENT | BLEND | more).fit(dataset)
    every = copy.copy(kept)
    every.content_ = with_exact_vectors(kept.content_)
    kept.collaborative_ = copy.copy(kept.collaborative_)
    kept.collaborative_.weights_ = keep_largest(every.collaborative_.weights_.toarray(), n_kept)
    return every, kept


def with_exact_vectors(model: Any) -> Any:
    model = copy.copy(model)
    alike = kernel(model.modelled_features_, model.features_[model.kept_], model.steepness_)
    model.vectors_ = model.right_ @ alike
    return model


def _compared(pairs: Iterator[tuple[Evaluation, Evaluation]]) -> Comparison:
    every, kept = zip(*pairs, strict=True)
    return Comparison({"all": pool(list(every)), "kept": pool(list(kept))})


def _evaluated(models: Pair, *data: Any, **how: Any) -> tuple[Evaluation, Evaluation]:
    every, kept = (evaluate(model, *data, with_stars=False, **how) for model in models)
    return every, kept


def _a(options: argparse.Namespace) -> Comparison:
    split = leave_ratings_out(movielens_ratings(options.data))
    models = _fitted(Dataset.from_frames(split.train, _metadata(options.data)), options.kept)
    return _compared(iter([_evaluated(models, split.test, split.train)]))


def _b(options: argparse.Namespace) -> Comparison:
    ratings, movies = movielens_ratings(options.data), _metadata(options.data)
    liked = ratings[ratings["rating"] >= LIKED_STARS]

    def pairs() -> Iterator[tuple[Evaluation, Evaluation]]:
        for seed in range(2 if options.quick else 5):
            split = hide_cold_movies(liked, seed=seed)
            models = _fitted(Dataset.from_frames(split.train, movies), options.kept)
            cold = split.cold_movies.tolist()
            yield _evaluated(models, split.test, split.train, candidates=cold, cut=f"seed {seed}")

    return _compared(pairs())


def _c(options: argparse.Namespace) -> Comparison:
    ratings, movies = movietweetings(options.data)

    def pairs() -> Iterator[tuple[Evaluation, Evaluation]]:
        for split in rolling_weeks(ratings, 8)[:: 4 if options.quick else 1]:
            known = movies[movies["movie_id"].isin(split.train["movie_id"])]
            dataset = Dataset.from_frames(split.train, known, implicit_threshold=LIKED_OF_TEN)
            liked = positives_of_known_users(split)
            liked = liked[liked["movie_id"].isin(split.train["movie_id"])]
            models = _fitted(dataset, options.kept, **OF_LATE)
            yield _evaluated(models, liked, split.train, cut=split.cut.isoformat())

    return _compared(pairs())


def _d(options: argparse.Namespace) -> Comparison:
    fitted: list[Any] = []

    def fit_both(dataset: Dataset) -> Any:
        fitted[:] = _fitted(dataset, options.kept)
        return fitted[0]

    fitters = {"all": fit_both, "kept": lambda _: fitted[1]}
    ratings, movies = movielens_ratings(options.data), movielens_metadata(options.data)
    return evaluate_on_cuts(fitters, ratings, movies, CUTS, implicit_threshold=LIKED_ON_THE_SITE)


def _metadata(folder: Path) -> Any:
    return tmdb_metadata(folder) if has_tmdb(folder) else movielens_metadata(folder)


PROTOCOLS: dict[str, Callable[[argparse.Namespace], Comparison]] = {"A": _a, "B": _b, "C": _c, "D": _d}


if __name__ == "__main__":
    main()
