"""Measures the time to fit the hybrid on ml-latest-small: `python -m benchmarks.fit --data DIR`.

Fits once with tuning and once with given parameters.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.data import MOVIELENS, has_tmdb, movielens_metadata, movielens_ratings, tmdb_metadata
from benchmarks.measure import Figures, timed
from benchmarks.tables import render
from recommender.estimators import ESTIMATORS, Dataset

MODEL = "hybrid"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit", description="Time the fit of the hybrid.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {MOVIELENS}")
    options = parser.parse_args(arguments)
    movies = tmdb_metadata(options.data) if has_tmdb(options.data) else movielens_metadata(options.data)
    dataset = Dataset.from_frames(movielens_ratings(options.data), movies)
    chosen: dict[str, object] = {}
    rows = []
    for parameters in ("chosen", "given"):
        figures: Figures = {}
        with timed(figures, "fit"):
            model = ESTIMATORS[MODEL](random_state=0, **chosen).fit(dataset)
        chosen = model.best_params_ or chosen
        rows.append({"parameters": parameters} | figures)
    print(render(f"Fit of the {MODEL}, {MOVIELENS}", rows, {"fit s": 1, "fit CPU s": 1}))


if __name__ == "__main__":
    main()
