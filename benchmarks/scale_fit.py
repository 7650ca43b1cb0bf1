"""Measures one estimator at one size, in a separate process: `python -m benchmarks.scale_fit NAME FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.measure import Figures, peak_mb, timed
from benchmarks.scale_data import read
from recommender.estimators import ESTIMATORS
from recommender.evaluation.folds import TemporalFold
from recommender.evaluation.splits import temporal_cuts

CUT = 0.9
POSITIVE = 3.5
K = 10


def measure(name: str, folder: Path) -> Figures:
    ratings, movies = read(folder)
    split = temporal_cuts(ratings, [CUT])[0]
    del ratings
    figures: Figures = {}
    with timed(figures, "data"):
        later = TemporalFold.after(split, movies, POSITIVE, sampling=None)
    with timed(figures, "fit"):
        model = ESTIMATORS[name](random_state=0).fit(later.dataset)
    figures["fit peak MB"] = peak_mb()
    with timed(figures, "evaluate"):
        found = later.evaluate(model, K).summary()
    return figures | {"peak MB": peak_mb(), "lists": found["n_lists"], "nDCG@10": round(found["ndcg"], 4)}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
