"""Skew checks on a trained model and a snapshot detect every injected fault."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Movie, MovieGenre, Rating
from mlops.data.codes import RowRule
from mlops.models import Alert, DatasetSnapshot, ModelVersion, TestEvidence
from mlops.monitoring.codes import SkewCode
from mlops.services import check_skew, export_snapshot, promote
from mlops.tasks import check_skew as check_task
from recommender.serving.loaded_model import load_model
from tests.factories import GenreFactory
from tests.mlops.site import make_version

METADATA, INPUTS, SCORES = SkewCode.METADATA, SkewCode.INPUTS, SkewCode.SCORES


def params_of(code: SkewCode) -> dict[str, Any]:
    """What the open alert of this check found."""
    return Alert.objects.get(code=code, closed_at=None).findings[0]["params"]


@pytest.fixture
def champion(alice, bob, quick) -> ModelVersion:
    version = make_version(snapshot=export_snapshot())
    promote(version=version.pk)
    DatasetSnapshot.objects.update(exported_at=timezone.now() + timedelta(seconds=1))
    return version


@pytest.mark.ml_test("Mo2", "Mo3")
def test_site_without_skew_passes_and_leaves_evidence(champion):
    assert check_task() == {METADATA: True, INPUTS: True, SCORES: True}

    rows = TestEvidence.objects.filter(source="beat")
    assert {(row.test, row.passed, row.is_automatic) for row in rows} == {("Mo2", True, True), ("Mo3", True, True)}
    assert not Alert.objects.exists()


@pytest.mark.ml_test("Mo3")
def test_metadata_that_differs_in_serving_is_found(champion):
    movie = Movie.objects.first()
    Movie.objects.filter(pk=movie.pk).update(overview="Another story.")  # without a new `updated_at`

    assert check_skew()[METADATA] is False
    assert (params_of(METADATA)["n_differ"], params_of(METADATA)["movies"]) == (1, [movie.pk])


def test_movies_edited_since_the_export_are_not_compared(champion):
    movie = Movie.objects.first()
    movie.overview = "Another story."
    movie.save()
    Movie.objects.filter(pk=movie.pk).update(updated_at=timezone.now() + timedelta(hours=1))

    assert check_skew()[METADATA] is True


@pytest.mark.ml_test("Mo2")
def test_only_genres_outside_the_catalog_break_a_rule(champion, settings):
    MovieGenre.objects.create(movie=Rating.objects.first().movie, genre=GenreFactory(name="Western"))
    assert check_skew()[INPUTS] is True

    checks = settings.POLICY.data_checks.model_copy(update={"genres": ["Drama"]})
    settings.POLICY = settings.POLICY.model_copy(update={"data_checks": checks})
    assert check_skew()[INPUTS] is False
    assert params_of(INPUTS)["rules"] == [RowRule.UNKNOWN_GENRE]


def test_without_a_snapshot_metadata_is_not_compared(champion):
    DatasetSnapshot.objects.update(removed_at=timezone.now())

    assert METADATA not in check_skew()


@pytest.mark.ml_test("Mo2")
def test_ratings_that_break_a_rule_are_found(champion):
    Rating.objects.filter(pk=Rating.objects.first().pk).update(rated_at=timezone.now() + timedelta(days=30))

    assert check_skew()[INPUTS] is False
    assert params_of(INPUTS)["rules"] == [RowRule.IN_FUTURE]


@pytest.mark.ml_test("Mo3")
def test_scores_that_differ_from_the_artefact_are_found(champion, monkeypatch):
    def other(row):
        served = load_model(row)
        recommend = served.model.recommend_for_history
        served.model.recommend_for_history = lambda *a, **k: recommend(*a, **k).eval("score = score + 0.001")
        return served

    monkeypatch.setattr("mlops.registry.artifacts.load_model", other)

    assert check_skew()[SCORES] is False


def test_without_a_champion_there_is_nothing_to_check(db, quick):
    assert check_skew() == {}
