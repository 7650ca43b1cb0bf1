"""Measures the latency of one list: `python -m benchmarks.latency [--movies N ...] [--ratings N]`. Needs no site.

Fits the hybrid on a generated catalogue with given item parameters, saves it and loads it with memory-mapped arrays, as
web processes do. Uses one BLAS thread and one user at a time.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.scale_data import Size, generate
from benchmarks.tables import render
from recommender.estimators import ESTIMATORS, Dataset, load_recommender

MOVIES = (10_000, 60_000)
RATINGS_PER_MOVIE = 25
PARAMETERS: dict[str, Any] = {
    "regularization": 200.0,
    "metadata_weight": 10.0,
    "residual_weight": 0.2,
    "user_exponent": 0.25,
    "history_weight": 0.1,
    "dropout": 0.0,
}
N_USERS = 300
WARM_UP = 20
K = 10
DIGITS = dict.fromkeys(("p50 ms", "p99 ms", "CPU ms", "load s"), 2)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description="Measure the time of one list.")
    parser.add_argument("--movies", type=int, nargs="+", default=list(MOVIES))
    parser.add_argument("--users", type=int, default=N_USERS, help=f"lists to time (default {N_USERS})")
    options = parser.parse_args(arguments)
    rows = [measure(n_movies, options.users) for n_movies in options.movies]
    print(render("One list of the hybrid, loaded with mapped arrays, one BLAS thread", rows, DIGITS))


def measure(n_movies: int, n_users: int) -> dict[str, Any]:
    n_ratings = RATINGS_PER_MOVIE * n_movies
    ratings, movies = generate(Size(n_ratings, max(n_ratings // 156, n_users + WARM_UP), n_movies))
    dataset = Dataset.from_frames(ratings, movies, implicit_threshold=3.5)
    with tempfile.TemporaryDirectory(prefix="movierec-latency-") as folder:
        ESTIMATORS["hybrid"](random_state=0, **PARAMETERS).fit(dataset).save(Path(folder) / "model")
        started = perf_counter()
        model = load_recommender(Path(folder) / "model", mmap=True)
        seconds = perf_counter() - started
        histories = _histories(ratings, n_users + WARM_UP)
        with threadpool_limits(1, "blas"):
            wall, cpu = zip(*(_one_list(model, history) for history in histories), strict=True)
    wall_ms, cpu_ms = (1000 * np.array(times[WARM_UP:]) for times in (wall, cpu))
    return {
        "movies": n_movies,
        "with ratings": int(dataset.is_rated.sum()),
        "ratings": n_ratings,
        "ratings a user": round(float(np.mean([len(history) for history in histories]))),
        "p50 ms": float(np.median(wall_ms)),
        "p99 ms": float(np.quantile(wall_ms, 0.99)),
        "CPU ms": float(np.median(cpu_ms)),
        "load s": seconds,
    }


def _histories(ratings: Any, n_users: int) -> list[dict[int, float]]:
    chosen = ratings[ratings["user_id"].isin(ratings["user_id"].drop_duplicates()[:n_users])]
    return [
        dict(zip(rows["movie_id"].tolist(), rows["rating"].tolist(), strict=True))
        for _, rows in chosen.groupby("user_id")
    ]


def _one_list(model: Any, history: dict[int, float]) -> tuple[float, float]:
    wall, cpu = perf_counter(), process_time()
    lists = model.recommend_for_history([history], k=K)
    if len(lists) != K:
        raise SystemExit(f"{len(lists)} movies instead of {K}")
    return perf_counter() - wall, process_time() - cpu


if __name__ == "__main__":
    main()
