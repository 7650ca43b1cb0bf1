"""Additional tables of a comparison: properties of the lists, and quality by slice."""

from __future__ import annotations

from typing import Any

from recommender.evaluation.comparison import Comparison
from recommender.evaluation.slices import SLICES

Table = tuple[str, list[dict[str, Any]]]

LISTS = {
    "precision@10": "precision",
    "recall@10": "recall",
    "RMSE": "rmse",
    "coverage@10": "coverage",
    "novelty, bits": "novelty",
    "popularity Gini": "popularity_gini",
    "diversity": "intra_list_diversity",
    "personalisation": "personalisation",
}
SLICE_FIGURES = {"nDCG@10": "ndcg", "recall@10": "recall", "precision@10": "precision", "RMSE": "rmse"}

HEADS = {
    "history_0": "0 ratings",
    "history_1_4": "1-4 ratings",
    "history_5_19": "5-19 ratings",
    "history_20_plus": "20+ ratings",
}


def list_table(title: str, comparison: Comparison) -> Table:
    rows = []
    for name, evaluation in comparison.evaluations.items():
        figures = evaluation.summary()
        rows.append({"model": name, "nDCG@10": figures["ndcg"]} | {head: figures[key] for head, key in LISTS.items()})
    return f"{title}: what the lists are like", rows


def slice_tables(title: str, comparison: Comparison) -> list[Table]:
    """Returns nDCG of every model in every slice, then all metrics by slice for the last model, which is served."""
    of_models = {name: evaluation.slices() for name, evaluation in comparison.evaluations.items()}
    rows = [
        {"model": name} | {_readable(part): slices[part]["ndcg"] for part in SLICES}
        for name, slices in of_models.items()
    ]
    served = list(of_models)[-1]
    own = [
        {"slice": _readable(part), "users": figures["n_users"], "lists": figures["n_lists"]}
        | {head: figures[key] for head, key in SLICE_FIGURES.items()}
        for part, figures in of_models[served].items()
    ]
    return [(f"{title}: nDCG@10 by slice", rows), (f"{title}: slices of {served}", own)]


def _readable(part: str) -> str:
    return HEADS.get(part) or f"{part.removeprefix('movies_')} movies"
