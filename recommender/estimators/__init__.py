"""The recommenders and the Dataset they learn from; plain Python, no Django.

Imports stay light: a library that only training needs is imported by the model that uses it, when it is used.
"""

from __future__ import annotations

from recommender.estimators.als import AlsRecommender
from recommender.estimators.artifact import ArtifactError, artifact_checksum, load_recommender
from recommender.estimators.base import Recommender
from recommender.estimators.content import ContentRecommender
from recommender.estimators.dataset import Dataset
from recommender.estimators.ease import EaseRecommender
from recommender.estimators.hybrid import HybridRecommender
from recommender.estimators.item_knn import ItemKNNRecommender
from recommender.estimators.lightfm import LightFMRecommender
from recommender.estimators.metadata_ease import MetadataEaseRecommender
from recommender.estimators.popularity import PopularityRecommender
from recommender.estimators.rp3beta import RP3BetaRecommender

ESTIMATORS: dict[str, type[Recommender]] = {
    "popularity": PopularityRecommender,
    "ease": EaseRecommender,
    "als": AlsRecommender,
    "lightfm": LightFMRecommender,
    "item_knn": ItemKNNRecommender,
    "rp3beta": RP3BetaRecommender,
    "metadata_ease": MetadataEaseRecommender,
    "content": ContentRecommender,
    "hybrid": HybridRecommender,
}

__all__ = ["ESTIMATORS", "ArtifactError", "Dataset", "Recommender", "artifact_checksum", "load_recommender"]
