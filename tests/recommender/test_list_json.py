"""The JSON of lists equals the output of REST framework byte for byte."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.renderers import JSONRenderer

from catalog.api.movie_serializers import MovieSummarySerializer
from catalog.models import Movie
from recommender.api.list_json import ListRenderer, list_json
from recommender.api.serializers import RecommendationListSerializer
from recommender.explanations import Reason
from recommender.reasons import MainReason, ReasonCode
from recommender.services import popular, recommend, similar
from recommender.serving.lists import Recommendation, RecommendationList
from tests.factories import MovieFactory

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['"\\/\b\f\n\r\t\x00\x1f\x7f', "\u2028\u2029"]
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1e-4, 9.9e-5, 1e16, 5e-324])


def described(recommendations: RecommendationList) -> Any:
    return RecommendationListSerializer(recommendations).data


@given(TEXTS, NUMBERS, NUMBERS | st.none())
def test_texts_and_numbers_are_written_as_by_rest_framework(text, number, contribution):
    movie = Movie(pk=1, title=text, year=None)
    movie._prefetched_objects_cache = {"genres": []}
    movie.card = JSONRenderer().render(MovieSummarySerializer(movie).data)
    reason = MainReason(ReasonCode.LIKED, 7, text, contribution)
    results = [
        Recommendation(movie, number, 1, "personal", [Reason("movie", None, text, number)], reason),
        Recommendation(movie, number, 2, "new", [], None),
    ]
    made = RecommendationList(results, None, "popular", uuid.uuid4())
    assert list_json(made) == JSONRenderer().render(described(made))


@pytest.mark.django_db
def test_lists_are_as_their_serializer_describes(train, camps, fan):
    train(algorithm="hybrid")
    fresh = MovieFactory(year=2027)
    lists = [
        recommend(user=fan, k=20, include_new=True, explain=True, surface="test"),
        popular(user=fan, surface="test"),
        similar(movie=camps["Romance"][0], user=fan),
        recommend(user=fan, exclude=Movie.objects.values_list("pk", flat=True), surface="test"),
    ]
    assert fresh.pk not in [result.movie.pk for result in lists[-1].results]
    for made in lists:
        assert list_json(made) == JSONRenderer().render(described(made))


def test_a_client_may_have_it_indented():
    made = RecommendationList([], 3, None, uuid.uuid4())
    shown = ListRenderer().render(made, "application/json; indent=2")
    assert shown.startswith(b'{\n  "results": []') and json.loads(shown) == described(made)
