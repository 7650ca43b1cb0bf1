"""Feeds of recommendations, at the secret address of their user.

None of these lists is recorded: programs fetch them every few minutes, whether a person looks or not, so as impressions
they would outweigh the lists that people saw, in online metrics, drift and the replay of past requests.
"""

from typing import Any

from django.db.models.functions import Coalesce, TruncDate
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from catalog.api.feeds import FeedMovieSerializer, FeedView, Format
from catalog.api.inputs import read
from catalog.feeds import Entry, Feed, movie_json
from catalog.models import Movie, User
from recommender.api.serializers import CountSerializer
from recommender.reasons import LIKED
from recommender.services import recommend, recommend_new, similar
from recommender.serving.lists import RecommendationList
from recommender.serving.profile import UserProfile

ROWS = 5  # movies that "because you watched" is about
TRIED = 10  # of the latest, since a model may not know one


class RecommendationsFeedView(FeedView):
    """Movies for the key's owner, from their ratings at this moment."""

    query = CountSerializer

    def contents(self, owner: User, request: Request) -> Feed:
        found = recommend(user=owner, surface=None, **read(CountSerializer, request.query_params))
        return Feed(_("For you"), reverse("recommender:for-you"), entries_of(found))


class NewMoviesFeedView(FeedView):
    """Movies that are new to the model, for the taste of the key's owner."""

    query = CountSerializer

    def contents(self, owner: User, request: Request) -> Feed:
        found = recommend_new(user=owner, surface=None, **read(CountSerializer, request.query_params))
        return Feed(_("New movies"), reverse("recommender:home"), entries_of(found))


def entries_of(recommendations: RecommendationList) -> list[Entry]:
    return [Entry(result.movie, result.reason.sentence if result.reason else "") for result in recommendations.results]


class BecauseSerializer(serializers.Serializer[Any]):
    """`as_rows` writes it."""

    watched = FeedMovieSerializer()
    recommended = FeedMovieSerializer(many=True)


Row = tuple[Movie, RecommendationList]


def as_rows(rows: list[Row], request: HttpRequest) -> HttpResponse:
    found = [
        {
            "watched": movie_json(Entry(movie), request),
            "recommended": [movie_json(entry, request) for entry in entries_of(recommendations)],
        }
        for movie, recommendations in rows
    ]
    return JsonResponse(found, safe=False)


ROWS_OF_JSON = Format(as_rows, "application/json", BecauseSerializer(many=True))


class BecauseYouWatchedFeedView(FeedView):
    """Movies like each of the latest that the key's owner watched or liked and a model knows."""

    query = CountSerializer

    def contents(self, owner: User, request: Request) -> list[Row]:
        k, profile = read(CountSerializer, request.query_params)["k"], UserProfile.of(owner)
        rows: list[Row] = []
        for movie in watched_lately(owner, profile):
            found = similar(movie=movie, k=k, surface=None, profile=profile)
            if found.model_version is not None and found.results:
                rows.append((movie, found))
            if len(rows) == ROWS:
                break
        return rows


def watched_lately(user: User, profile: UserProfile) -> list[Movie]:
    """The movies of the diary and those that were liked, the latest first; none that was watched and disliked."""
    viewings = user.viewings.annotate(day=Coalesce("watched_on", TruncDate("recorded_at")))
    liked = user.ratings.filter(rating__gte=LIKED).annotate(day=TruncDate("rated_at"))
    rows = [
        *viewings.order_by("-day", "-pk").values_list("movie_id", "day")[:TRIED],
        *liked.order_by("-rated_at", "-pk").values_list("movie_id", "day")[:TRIED],
    ]
    latest = dict.fromkeys(movie for movie, _day in sorted(rows, key=lambda row: row[1], reverse=True))
    ids = [movie for movie in latest if profile.ratings.get(movie, LIKED) >= LIKED][:TRIED]
    movies = Movie.objects.in_bulk(ids)
    return [movies[movie] for movie in ids if movie in movies]
