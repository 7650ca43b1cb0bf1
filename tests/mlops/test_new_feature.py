"""A new feature needs one line. It is then used in training, serving and explanations, and its cost is measured."""

import time

import pytest

from catalog.models import Movie
from recommender.estimators.features import BLOCKS, Block, feature_costs
from recommender.export import movie_frame
from recommender.services import explain, recommend_new
from tests.recommender.conftest import camps, fan, train

__all__ = ["camps", "fan", "train"]

pytestmark = [pytest.mark.django_db, pytest.mark.ml_test("D6")]


def first_letter(title: str) -> dict[str, float]:
    return {title[:1].lower(): 1.0} if title else {}


@pytest.fixture
def letters(monkeypatch) -> None:
    monkeypatch.setitem(BLOCKS, "letter", Block("title", first_letter, weight=1.0, min_movies=1))


def test_it_is_learnt_served_and_explained_within_a_minute(letters, fan, train):
    began = time.monotonic()
    alike = Movie.objects.create(title="Sunless")  # begins as space operas do here; nothing else is known of it
    unlike = Movie.objects.create(title="Rainless")

    train(algorithm="content")
    lists = recommend_new(user=fan, k=2, surface="test")
    reasons = explain(user=fan, movie=alike).contributions

    assert [row.movie for row in lists.results] == [alike, unlike]
    assert any(reason.kind == "feature" and "letter" in f"{reason.id} {reason.name}" for reason in reasons)
    assert "letter" in feature_costs(movie_frame())
    assert time.monotonic() - began < 60
