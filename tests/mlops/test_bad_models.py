"""Seeded bad models: each is refused by the gate, with a reason of its own."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlops.gate.decision import PairedInterval, judge
from mlops.registry.smoke_test import examine
from mlops.registry.smoke_test_input import Probe, probe_of
from recommender.estimators import ESTIMATORS, Dataset
from recommender.estimators.ease import EaseRecommender
from recommender.evaluation import evaluate_on_cuts, fitter, popularity_baselines
from tests.mlops.tastes import dataset_of_tastes, ratings_of_tastes
from tests.mlops.test_gate import FIRST, POLICY

pytestmark = pytest.mark.ml_test("I4", "Mo5")

SPOILED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "columns": lambda lists: lists.rename(columns={"score": "points"}),
    "finite scores": lambda lists: lists.assign(score=lists["score"].where(lists["rank"] != 2)),
    "no unknown movies": lambda lists: lists.assign(movie_id=lists["movie_id"] + 10_000),
    "no repeated movies": lambda lists: lists.assign(movie_id=lists.groupby("user_id")["movie_id"].transform("first")),
    "ranks from one": lambda lists: lists.assign(rank=lists["rank"] - 1),
    "descending scores": lambda lists: lists.assign(score=-lists["score"]),
    "as many as asked for": lambda lists: lists[lists["rank"] <= 7],
    "at most k": lambda lists: pd.concat([lists, lists.assign(rank=lists["rank"] + 10)]).sort_values(
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
def probe(dataset) -> Probe:
    return probe_of(dataset, "ease", random_state=0)


def refusals(model, probe: Probe) -> list[str]:
    found = examine(model, probe) | {"memory_mb": 300}
    verdict = judge(replace(FIRST, fresh_process=found), POLICY)
    assert (verdict.decision == "refused") == any(rule.outcome == "failed" for rule in verdict.rules)
    return [rule.name.removeprefix("fresh process: ") for rule in verdict.rules if rule.outcome == "failed"]


def ease(kind: type[EaseRecommender], dataset: Dataset) -> EaseRecommender:
    return kind(regularization=5.0).fit(dataset)


def test_the_model_that_the_bad_ones_are_made_of_passes(dataset, probe):
    assert refusals(ease(Ease, dataset), probe) == []


@pytest.mark.parametrize("reason", SPOILED)
def test_each_fault_of_the_lists_is_named(dataset, probe, reason):
    assert reason in refusals(ease(spoiled(SPOILED[reason]), dataset), probe)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ShowsSeenMovies, "no seen movies"),
        (ShowsDismissedMovies, "no excluded movies"),
        (ForgetsTheCandidates, "candidates alone"),
        (CrashesForNewUsers, "list for new user"),
        (NotANumber, "answers"),
        (Random, "same answer twice"),
        (Constant, "lists depend on the person"),
        (IgnoresThePerson, "lists depend on the person"),
        (DependsOnTheCompany, "same answer alone"),
        (BreaksOnNewMovies, "takes in new movies"),
        (ExplainsAnotherScore, "reasons sum to the score"),
        (SimilarToItself, "similar movies"),
    ],
)
def test_each_fault_of_a_model_is_named(dataset, probe, kind, reason):
    assert reason in refusals(ease(kind, dataset), probe)


def test_popularity_alone_is_refused(dataset):
    model = ESTIMATORS["popularity"]().fit(dataset)

    assert refusals(model, probe_of(dataset, "popularity", 0)) == ["lists depend on the person"]


def test_a_model_turned_upside_down_is_refused(dataset, probe):
    class UpsideDown(Ease):
        def _score_history(self, history, columns):
            return -super()._score_history(history, columns)

    assert refusals(ease(UpsideDown, dataset), probe) == ["liked movies in the first tenth"]


def test_files_of_older_data_are_refused(probe):
    assert "learnt from the snapshot" in refusals(ease(Ease, dataset_of_tastes(seed=1)), probe)


def test_files_of_another_algorithm_are_refused(dataset, probe):
    assert refusals(ESTIMATORS["item_knn"]().fit(dataset), probe) == ["algorithm as registered"]


def test_a_cut_catalogue_is_refused(dataset, probe):
    kept = ratings_of_tastes()
    model = ease(Ease, Dataset.from_frames(kept[kept["movie_id"] <= 60]))

    assert {"knows every rated movie", "learnt from the snapshot"} <= set(refusals(model, probe))


def test_what_a_check_said_is_in_the_verdict(dataset, probe):
    found = examine(ease(CrashesForNewUsers, dataset), probe)
    rules = judge(replace(FIRST, fresh_process=found), POLICY).rules

    assert any("ZeroDivisionError: an empty history" in rule.sentence for rule in rules)


def test_a_recipe_without_skill_loses_to_the_baseline():
    def random(dataset: Dataset) -> EaseRecommender:
        return Random(regularization=5.0).fit(dataset)

    fitters = {"random": random, "ease": fitter("ease", regularization=5.0)} | popularity_baselines([30])
    comparison = evaluate_on_cuts(fitters, ratings_of_tastes(), cuts=[0.6])

    def failed(candidate: str) -> list[str]:
        found = comparison.difference(candidate, comparison.best_simple_baseline())
        against = PairedInterval(found.mean, found.low, found.high, found.n_users)
        rules = judge(replace(FIRST, against_baseline=against), POLICY).rules
        return [rule.name for rule in rules if rule.outcome == "failed"]

    assert failed("random") == ["better than the best simple baseline (popular)"]
    assert failed("ease") == []
