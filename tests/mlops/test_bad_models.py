"""The gate refuses each intentionally bad model with the right reason."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlops.evaluation.intervals import PairedInterval
from mlops.gate.codes import Rule
from mlops.gate.rules import decide
from mlops.registry.codes import SmokeCheck
from mlops.registry.smoke_test import examine
from mlops.registry.smoke_test_input import SmokeTestInput, smoke_test_input
from recommender.estimators import ESTIMATORS, Dataset
from recommender.estimators.ease import EaseRecommender
from recommender.evaluation.baselines import fitter, popularity_baselines
from recommender.evaluation.comparison import evaluate_on_cuts
from tests.mlops.tastes import dataset_of_tastes, ratings_of_tastes
from tests.mlops.test_gate import FIRST, POLICY

pytestmark = pytest.mark.ml_test("I4", "Mo5")

SPOILED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    SmokeCheck.COLUMNS: lambda lists: lists.rename(columns={"score": "points"}),
    SmokeCheck.FINITE: lambda lists: lists.assign(score=lists["score"].where(lists["rank"] != 2)),
    SmokeCheck.UNKNOWN: lambda lists: lists.assign(movie_id=lists["movie_id"] + 10_000),
    SmokeCheck.REPEATED: lambda lists: lists.assign(movie_id=lists.groupby("user_id")["movie_id"].transform("first")),
    SmokeCheck.RANKS: lambda lists: lists.assign(rank=lists["rank"] - 1),
    SmokeCheck.DESCENDING: lambda lists: lists.assign(score=-lists["score"]),
    SmokeCheck.FULL_LISTS: lambda lists: lists[lists["rank"] <= 7],
    SmokeCheck.AT_MOST_K: lambda lists: pd.concat([lists, lists.assign(rank=lists["rank"] + 10)]).sort_values(
        ["user_id", "rank"]
    ),
}


class Ease(EaseRecommender):
    """The class that registers it makes no difference to the checks."""


def spoiled(change: Callable[[pd.DataFrame], pd.DataFrame]) -> type[EaseRecommender]:
    class Spoiled(Ease):
        def recommend_for_history(self, *args, **options):
            return change(super().recommend_for_history(*args, **options))

    return Spoiled


class ShowsSeenMovies(Ease):
    def recommend_for_history(self, histories, k=10, exclude_seen=True, **options):
        return super().recommend_for_history(histories, k, exclude_seen=False, **options)


class ShowsDismissedMovies(Ease):
    def recommend_for_history(self, histories, k=10, exclude_seen=True, candidates=None, exclude=None):
        return super().recommend_for_history(histories, k, exclude_seen, candidates)


class ForgetsTheCandidates(Ease):
    def recommend_for_history(self, histories, k=10, exclude_seen=True, candidates=None, exclude=None):
        return super().recommend_for_history(histories, k, exclude_seen, None, exclude)


class CrashesForNewUsers(Ease):
    def _score_history(self, history, columns):
        if not all(np.diff(history.indptr)):
            raise ZeroDivisionError("an empty history")
        return super()._score_history(history, columns)


class Random(Ease):
    def _score_history(self, history, columns):
        return np.random.default_rng().random(super()._score_history(history, columns).shape)


class Constant(Ease):
    popularity_prior = 0.0

    def _score_history(self, history, columns):
        return np.zeros_like(super()._score_history(history, columns))


class NotANumber(Ease):
    def _score_history(self, history, columns):
        return super()._score_history(history, columns) * np.nan


class IgnoresThePerson(Ease):
    def _score_history(self, history, columns):
        scores = super()._score_history(history, columns)
        return np.tile(np.random.default_rng(0).random(scores.shape[1]), (scores.shape[0], 1))


class DependsOnTheCompany(Ease):
    def _score_history(self, history, columns):
        scores = super()._score_history(history, columns)
        return scores + scores.mean(axis=0)


class BreaksOnNewMovies(Ease):
    def _add_movies(self, movies, columns):
        raise KeyError("no factors for a movie that is new")


class ExplainsAnotherScore(Ease):
    def explain(self, *args, **options):
        return super().explain(*args, **options).assign(contribution=1.0)


class SimilarToItself(Ease):
    def similar(self, *args, **options):
        found = super().similar(*args, **options)
        return found.assign(similar_id=found["movie_id"])


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of_tastes()


@pytest.fixture(scope="module")
def given(dataset) -> SmokeTestInput:
    return smoke_test_input(dataset, "ease", random_state=0)


def refusals(model, given: SmokeTestInput) -> list[str]:
    found = examine(model, given) | {"memory_mb": 300}
    decision = decide(replace(FIRST, smoke_test=found), POLICY)
    assert (decision.outcome == "refused") == any(rule.outcome == "failed" for rule in decision.findings)
    return [rule.key for rule in decision.findings if rule.outcome == "failed"]


def ease(kind: type[EaseRecommender], dataset: Dataset) -> EaseRecommender:
    return kind(regularization=5.0).fit(dataset)


def test_the_model_that_the_bad_ones_are_made_of_passes(dataset, given):
    assert refusals(ease(Ease, dataset), given) == []


@pytest.mark.parametrize("reason", SPOILED)
def test_each_fault_of_the_lists_is_named(dataset, given, reason):
    assert reason in refusals(ease(spoiled(SPOILED[reason]), dataset), given)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ShowsSeenMovies, SmokeCheck.SEEN),
        (ShowsDismissedMovies, SmokeCheck.EXCLUDED),
        (ForgetsTheCandidates, SmokeCheck.CANDIDATES),
        (CrashesForNewUsers, SmokeCheck.NEW_USER),
        (NotANumber, SmokeCheck.ANSWERS),
        (Random, SmokeCheck.SAME_TWICE),
        (Constant, SmokeCheck.PERSONAL),
        (IgnoresThePerson, SmokeCheck.PERSONAL),
        (DependsOnTheCompany, SmokeCheck.SAME_ALONE),
        (BreaksOnNewMovies, SmokeCheck.NEW_MOVIES),
        (ExplainsAnotherScore, SmokeCheck.REASONS),
        (SimilarToItself, SmokeCheck.SIMILAR),
    ],
)
def test_each_fault_of_a_model_is_named(dataset, given, kind, reason):
    assert reason in refusals(ease(kind, dataset), given)


def test_popularity_alone_is_refused(dataset):
    model = ESTIMATORS["popularity"]().fit(dataset)

    assert refusals(model, smoke_test_input(dataset, "popularity", 0)) == [SmokeCheck.PERSONAL]


def test_a_model_turned_upside_down_is_refused(dataset, given):
    class UpsideDown(Ease):
        def _score_history(self, history, columns):
            return -super()._score_history(history, columns)

    assert refusals(ease(UpsideDown, dataset), given) == [Rule.LIKED_SHARE]


def test_files_of_older_data_are_refused(given):
    assert SmokeCheck.SNAPSHOT in refusals(ease(Ease, dataset_of_tastes(seed=1)), given)


def test_files_of_another_algorithm_are_refused(dataset, given):
    assert refusals(ESTIMATORS["item_knn"]().fit(dataset), given) == [SmokeCheck.ALGORITHM]


def test_a_cut_catalogue_is_refused(dataset, given):
    kept = ratings_of_tastes()
    model = ease(Ease, Dataset.from_frames(kept[kept["movie_id"] <= 60]))

    assert {SmokeCheck.RATED_MOVIES, SmokeCheck.SNAPSHOT} <= set(refusals(model, given))


def test_error_of_a_check_is_in_the_decision(dataset, given):
    found = examine(ease(CrashesForNewUsers, dataset), given)
    rules = decide(replace(FIRST, smoke_test=found), POLICY).findings

    assert any("ZeroDivisionError: an empty history" in rule.params.get("error", "") for rule in rules)


def test_a_recipe_without_skill_loses_to_the_baseline():
    def random(dataset: Dataset) -> EaseRecommender:
        return Random(regularization=5.0).fit(dataset)

    fitters = {"random": random, "ease": fitter("ease", regularization=5.0)} | popularity_baselines([30])
    comparison = evaluate_on_cuts(fitters, ratings_of_tastes(), cuts=[0.6])

    def failed(candidate: str) -> list[str]:
        found = comparison.difference(candidate, comparison.best_simple_baseline())
        against = PairedInterval(found.mean, found.low, found.high, found.n_users)
        rules = decide(replace(FIRST, against_baseline=against), POLICY).findings
        return [rule.key for rule in rules if rule.outcome == "failed"]

    assert failed("random") == ["gate.baseline:popular"]
    assert failed("ease") == []
