"""`python -m mlops.verify ARTEFACT PROBE.json`: does a saved model load and answer in a process that knows nothing?

A model that works in the process that trained it may still be broken on disk, so this runs in a fresh one, without
Django, and asks for lists as the site does: by histories. The answer is one line of JSON on standard output, each
check with its outcome; the exit code is 0 when all of them passed.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recommender.estimators import load_recommender

K = 10
LIST_COLUMNS = ["user_id", "movie_id", "score", "rank"]


def verify(folder: Path, probe: list[dict[int, float]]) -> dict[str, Any]:
    """`probe` holds histories of the training data; an empty one stands for a user who is new."""
    started = time.perf_counter()
    model = load_recommender(folder, mmap=True)
    loaded = time.perf_counter() - started
    known = set(model.movie_ids_.tolist())
    histories = [{movie: rating for movie, rating in history.items() if movie in known} for history in probe]
    lists = model.recommend_for_history(histories, k=K)
    checks = check_lists(lists, histories, known)
    checks["list_for_new_user"] = not model.recommend_for_history([{}], k=K).empty
    return {
        "checks": checks,
        "algorithm": model.algorithm,
        "load_seconds": round(loaded, 3),
        "latency_ms": round(1000 * statistics.median(_seconds(model, history) for history in histories), 3),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "n_histories": len(histories),
        "lists": {str(row): _movies_of(lists, row) for row in range(min(len(histories), 5))},
    }


def check_lists(lists: pd.DataFrame, histories: list[dict[int, float]], known: set[int]) -> dict[str, bool]:
    if list(lists.columns) != LIST_COLUMNS:
        return {"columns": False}
    scores = lists["score"].to_numpy(dtype=np.float64)
    seen = {(row, movie) for row, history in enumerate(histories) for movie in history}
    shown = list(zip(lists["user_id"].tolist(), lists["movie_id"].tolist(), strict=True))
    ranks = lists.groupby("user_id")["rank"]
    return {
        "columns": True,
        "finite_scores": bool(np.isfinite(scores).all()),
        "no_seen_movies": not seen.intersection(shown),
        "no_unknown_movies": known.issuperset(lists["movie_id"].tolist()),
        "no_repeated_movies": len(set(shown)) == len(shown),
        "at_most_k": bool((ranks.size() <= K).all()),
        "ranks_from_one": bool(((ranks.min() == 1) & (ranks.max() == ranks.size())).all()),
        "descending_scores": bool((lists.groupby("user_id")["score"].diff().dropna() <= 0).all()),
        "a_list_for_each": len(ranks.size()) == sum(len(history) < len(known) for history in histories),
    }


def _seconds(model: Any, history: dict[int, float]) -> float:
    started = time.perf_counter()
    model.recommend_for_history([history], k=K)
    return time.perf_counter() - started


def _movies_of(lists: pd.DataFrame, row: int) -> list[int]:
    return [int(movie) for movie in lists.loc[lists["user_id"] == row, "movie_id"]]


def main(folder: str, probe: str) -> int:
    histories = [
        {int(movie): float(rating) for movie, rating in row.items()} for row in json.loads(Path(probe).read_text())
    ]
    try:
        result = verify(Path(folder), histories)
    except Exception as error:
        # Whatever a broken model raises is the finding.
        result = {"checks": {"loads_and_answers": False}, "error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if all(result["checks"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
