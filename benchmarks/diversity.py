"""Measures the cost of diverse lists: re-ranks the hybrid's lists of protocol A at several strengths.

Diversity is 1 minus the mean cosine of two movies in a list, by their raters and by their metadata.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import METADATA, movielens_ratings
from benchmarks.models import random_split_models
from benchmarks.progress import Progress
from benchmarks.protocols import Split, ask_by_user, leave_ratings_out, one_list_a_user
from recommender.estimators import Dataset, Recommender
from recommender.estimators.diversity import choose_diverse
from recommender.estimators.ranking import pool_size
from recommender.evaluation.comparison import Comparison
from recommender.evaluation.evaluate import Evaluation, evaluate_lists
from recommender.evaluation.list_metrics import intra_list_diversity

K = 10
MODEL = "hybrid"
PLAIN = "0"
STRENGTHS = (0.0, 0.5, 0.6, 0.67, 0.7, 0.8)
N_FITS = 1


def run(folder: Path, metadata: str, progress: Progress) -> tuple[str, list[dict[str, Any]]]:
    movies = METADATA[metadata](folder)
    split = leave_ratings_out(movielens_ratings(folder))
    dataset = Dataset.from_frames(split.train, movies)
    progress.start(f"A {MODEL} at {len(STRENGTHS)} strengths of diversity, {metadata} metadata")
    model = random_split_models([MODEL])[-1].make().fit(dataset)
    title = f"A. The same lists more diverse, ml-latest-small, metadata: {metadata}"
    return title, _rows(model, dataset, split)


def _rows(model: Recommender, dataset: Dataset, split: Split) -> list[dict[str, Any]]:
    requests = one_list_a_user(split.test, split.train)
    pools = ask_by_user(requests, model, pool_size(K, int(dataset.is_rated.sum()))).rename(
        columns={"request": "user_id"}
    )
    judged: dict[str, Evaluation] = {}
    by_metadata: dict[str, float] = {}
    for strength in STRENGTHS:
        shown = diversify(model, pools, K, strength).rename(columns={"user_id": "request"})
        judged[f"{strength:g}"] = evaluate_lists(shown, requests, split.train, k=K)
        by_metadata[f"{strength:g}"] = _metadata_diversity(shown, dataset)
    comparison = Comparison(judged)
    return [_row(name, comparison, by_metadata) for name in judged]


def diversify(model: Recommender, pools: pd.DataFrame, k: int, strength: float) -> pd.DataFrame:
    """Re-ranks lists made by `recommend` with `pool_size` rows. Returns at most k rows per user, with ranks from 1.

    Strength 0 keeps the best k. Strength 1 uses only likeness. Lists of at most k movies are not changed.
    """
    movies, scores = pools["movie_id"].to_numpy(), pools["score"].to_numpy()
    lists = map(np.asarray, pools.groupby("user_id", sort=False).indices.values())
    kept = [rows[choose_diverse(model, movies[rows], scores[rows], k, strength)] for rows in lists]
    diverse = pools.iloc[np.concatenate(kept)] if kept else pools
    ranks = np.concatenate([np.arange(1, len(rows) + 1) for rows in kept]) if kept else diverse["rank"]
    return diverse.assign(rank=ranks).reset_index(drop=True)


def _row(name: str, comparison: Comparison, by_metadata: dict[str, float]) -> dict[str, Any]:
    figures, plain = comparison[name].summary(), comparison[PLAIN].summary()
    more = figures["intra_list_diversity"] / plain["intra_list_diversity"] - 1
    return {
        "strength": name,
        "nDCG@10": figures["ndcg"],
        "change, %": 100 * (figures["ndcg"] / plain["ndcg"] - 1),
        "nDCG less plain, 95 %": None if name == PLAIN else str(comparison.difference(name, PLAIN)),
        "diversity, by raters": figures["intra_list_diversity"],
        "more, %": 100 * more,
        "diversity, by metadata": by_metadata[name],
        "of it, %": 100 * (by_metadata[name] / by_metadata[PLAIN] - 1),
        "distinct movies": int(figures["distinct_movies"]),
    }


def _metadata_diversity(shown: pd.DataFrame, dataset: Dataset) -> float:
    """Returns the same metric by the features of movies instead of their raters."""
    columns = np.searchsorted(dataset.movie_ids, shown["movie_id"])
    features = dataset.movie_features[1].T.tocsr()
    return intra_list_diversity(shown["request"].to_numpy(dtype=np.int64), columns, features)
