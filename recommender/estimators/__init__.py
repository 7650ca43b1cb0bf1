"""Recommenders, and the Dataset that they learn from. Does not use Django.

`ESTIMATORS` maps each name in `ALGORITHMS` to its class, a subclass of `Recommender`. Ratings are stars from 0.5 to 5,
ids are ints or strings, and a history is a dict {movie_id: rating} of one user. All examples use the data and the model
below. `folder` is the path of an empty folder.

Examples
--------
>>> import pandas as pd
>>> from recommender.estimators import ALGORITHMS, ESTIMATORS, Dataset
>>> rows = [("ann", 1, 5.0), ("ann", 2, 4.5), ("bob", 1, 4.0), ("bob", 2, 5.0), ("bob", 3, 4.5)]
>>> rows += [("cleo", 1, 2.0), ("cleo", 4, 4.5), ("cleo", 5, 5.0), ("dan", 4, 4.0), ("dan", 5, 4.5)]
>>> ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
>>> ratings["rated_at"] = pd.date_range("2026-01-01", periods=len(ratings), tz="UTC")
>>> movies = pd.DataFrame({"movie_id": [1, 2, 3, 4, 5], "title": ["Alien", "Aliens", "Gravity", "Emma", "Amelie"]})
>>> movies["genres"] = [["Sci-Fi"], ["Sci-Fi"], ["Sci-Fi"], ["Romance"], ["Romance"]]
>>> dataset = Dataset.from_frames(ratings, movies, implicit_threshold=4.0)
>>> model = ESTIMATORS["ease"](regularization=1.0).fit(dataset)
>>> ALGORITHMS
('popularity', 'ease', 'als', 'lightfm', 'item_knn', 'rp3beta', 'metadata_ease', 'content', 'hybrid')
"""

# Imports are lazy. The package imports its modules, numpy and pandas when a name is first used, so that a process that
# needs only ALGORITHMS starts at once. A library needed only for training is imported by its model during training.

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recommender.estimators.artifact import load_recommender
    from recommender.estimators.base import Recommender
    from recommender.estimators.batch import scored_ahead
    from recommender.estimators.dataset import Dataset
    from recommender.estimators.diversity import diverse_list, group_list
    from recommender.estimators.elicitation import Elicitation
    from recommender.estimators.ids import keep_places
    from recommender.estimators.manifest import ArtifactError, artifact_checksum, verify_artifact

    ESTIMATORS: dict[str, type[Recommender]]
    """The class of each algorithm, by name."""

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
    "ArtifactError": "manifest.ArtifactError",
    "Dataset": "dataset.Dataset",
    "Elicitation": "elicitation.Elicitation",
    "keep_places": "ids.keep_places",
    "Recommender": "base.Recommender",
    "artifact_checksum": "manifest.artifact_checksum",
    "diverse_list": "diversity.diverse_list",
    "group_list": "diversity.group_list",
    "load_recommender": "artifact.load_recommender",
    "scored_ahead": "batch.scored_ahead",
    "verify_artifact": "manifest.verify_artifact",
}

ALGORITHMS = tuple(_CLASSES)
"""Names of the algorithms, the keys of `ESTIMATORS`. Reading them does not import the algorithms."""

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
