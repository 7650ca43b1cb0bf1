"""The recommenders and the Dataset they learn from; plain Python, no Django.

Imports stay light. This package imports its modules, and with them numpy and pandas, when a name is first asked for, so
that a process that only needs to know the ALGORITHMS starts at once; and a library that only training needs is imported
by the model that uses it, when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recommender.estimators.artifact import ArtifactError, artifact_checksum, load_recommender, verify_artifact
    from recommender.estimators.base import Recommender
    from recommender.estimators.batch import scored_ahead
    from recommender.estimators.dataset import Dataset
    from recommender.estimators.diversity import diverse_list, group_list
    from recommender.estimators.elicitation import Elicitation, keep_places

    ESTIMATORS: dict[str, type[Recommender]]

_CLASSES = {
    "popularity": "popularity.PopularityRecommender",
    "ease": "ease.EaseRecommender",
    "als": "als.AlsRecommender",
    "lightfm": "lightfm.LightFMRecommender",
    "item_knn": "neighbors.ItemKNNRecommender",
    "rp3beta": "neighbors.RP3BetaRecommender",
    "metadata_ease": "ease.MetadataEaseRecommender",
    "content": "content.ContentRecommender",
    "hybrid": "hybrid.HybridRecommender",
}
_OTHERS = {
    "ArtifactError": "artifact.ArtifactError",
    "Dataset": "dataset.Dataset",
    "Elicitation": "elicitation.Elicitation",
    "keep_places": "elicitation.keep_places",
    "Recommender": "base.Recommender",
    "artifact_checksum": "artifact.artifact_checksum",
    "diverse_list": "diversity.diverse_list",
    "group_list": "diversity.group_list",
    "load_recommender": "artifact.load_recommender",
    "scored_ahead": "batch.scored_ahead",
    "verify_artifact": "artifact.verify_artifact",
}

ALGORITHMS = tuple(_CLASSES)

__all__ = [
    "ALGORITHMS",
    "ESTIMATORS",
    "ArtifactError",
    "Dataset",
    "Elicitation",
    "Recommender",
    "artifact_checksum",
    "diverse_list",
    "group_list",
    "keep_places",
    "load_recommender",
    "scored_ahead",
    "verify_artifact",
]


def __getattr__(name: str) -> Any:
    if name == "ESTIMATORS":
        value: Any = {algorithm: _imported(path) for algorithm, path in _CLASSES.items()}
    elif name in _OTHERS:
        value = _imported(_OTHERS[name])
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _imported(path: str) -> Any:
    module, name = path.split(".")
    return getattr(import_module(f"{__name__}.{module}"), name)
