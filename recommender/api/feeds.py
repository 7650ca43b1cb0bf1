"""Feeds of recommendations at a user's secret URL.

These lists are not recorded. Programs fetch feeds every few minutes whether or not anyone looks at them, so in online
metrics, drift and the replay of past requests they would outweigh the lists that people saw.
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

ROWS = 5  # watched movies in the feed "because you watched"
TRIED = 10  # latest movies tried for these rows, because the model may not know some


class RecommendationsFeedView(FeedView):
    """Movies for the owner of the key, from their current ratings."""

    query = CountSerializer

    def contents(self, owner: User, request: Request) -> Feed:
        found = recommend(user=owner, surface=None, **read(CountSerializer, request.query_params))
        return Feed(_("For you"), reverse("recommender:for-you"), entries_of(found))


class NewMoviesFeedView(FeedView):
    """Movies that are new to the model, ranked by the taste of the owner of the key."""

    query = CountSerializer

    def contents(self, owner: User, request: Request) -> Feed:
        found = recommend_new(user=owner, surface=None, **read(CountSerializer, request.query_params))
        return Feed(_("New movies"), reverse("recommender:home"), entries_of(found))


def entries_of(recommendations: RecommendationList) -> list[Entry]:
    return [Entry(result.movie, result.reason.sentence if result.reason else "") for result in recommendations.results]


class BecauseSerializer(serializers.Serializer[Any]):
    """Describes the JSON that `as_rows` writes."""

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
    """Movies similar to each of the latest movies that the owner of the key watched or liked and a model knows."""

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
    """Return the movies that the user watched or liked, latest first, without those watched but not liked."""
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
