"""Tests that every recommender must pass. Parametrise a subclass with `algorithm`."""

from tests.recommender.estimators.contract_artefacts import ArtefactContract
from tests.recommender.estimators.contract_lists import ListsContract
from tests.recommender.estimators.contract_scores import ScoresContract


class RecommenderContract(ListsContract, ScoresContract, ArtefactContract):
    pass
