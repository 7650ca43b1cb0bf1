"""D. The gate's evaluation: the rank of each later positive in a list from its user's earlier ratings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.data import movielens_metadata, movielens_ratings
from benchmarks.progress import Progress
from benchmarks.slices import Table, list_table, slice_tables
from recommender.evaluation.baselines import fitter, popularity_baselines
from recommender.evaluation.comparison import Comparison, evaluate_on_cuts

CUTS = (0.7, 0.8, 0.9)
POSITIVE = 3.5
REFERENCE = "item_knn"


def run(folder: Path, names: list[str], progress: Progress) -> list[Table]:
    def show(step: str, done: int, total: int) -> None:
        if step.startswith("fit"):
            progress.start(f"D {step}")

    fitters = popularity_baselines() | {name: fitter(name) for name in _others(names)}
    comparison = evaluate_on_cuts(
        fitters,
        movielens_ratings(folder),
        movielens_metadata(folder),
        CUTS,
        implicit_threshold=POSITIVE,
        progress=show,
    )
    title = "D. Later data, ml-latest-small, cuts at 70, 80 and 90 %"
    return [(title, _rows(comparison)), list_table("D", comparison), *slice_tables("D", comparison)]


def count_fits(names: list[str]) -> int:
    return len(CUTS) * (len(popularity_baselines()) + len(_others(names)))


def _others(names: list[str]) -> list[str]:
    """Returns the other models. Popularity counts once for each half-life."""
    return [name for name in names if name != "popularity"]


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    rows = []
    for name, evaluation in comparison.evaluations.items():
        figures = evaluation.summary()
        against = comparison.difference(name, REFERENCE) if REFERENCE in comparison.evaluations else None
        rows.append(
            {
                "model": name,
                "nDCG@10": figures["ndcg"],
                f"less {REFERENCE}, 95 %": None if against is None or name == REFERENCE else str(against),
                "users": figures["n_users"],
                "lists": figures["n_lists"],
                "fit s": evaluation.seconds["fit"],
                "score s": evaluation.seconds["score"],
            }
        )
    return rows
