"""Movies, and the signed-in user's ratings and watchlist."""

from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from catalog.api.serializers import (
    MovieSerializer,
    MovieSummarySerializer,
    NewRatingSerializer,
    RatingInputSerializer,
    RatingSerializer,
    WatchlistItemSerializer,
)
from catalog.errors import MovieNotFound
from catalog.filters import MovieFilter
from catalog.models import Credit, Movie, Rating, WatchlistItem
from catalog.paging import KeysFirstPaginator
from catalog.services import add_to_watchlist, record_rating, remove_from_watchlist, remove_rating


class MoviePagination(api_settings.DEFAULT_PAGINATION_CLASS):  # type: ignore[name-defined]
    django_paginator_class = KeysFirstPaginator


class MovieViewSet(ReadOnlyModelViewSet):
    """Lists of movies with search, filters and sorting, and single movies with all details."""

    queryset = Movie.objects.all()
    permission_classes = [AllowAny]
    filterset_class = MovieFilter
    pagination_class = MoviePagination
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Movie]:
        movies = super().get_queryset()
        if self.action == "list":
            return movies
        return movies.prefetch_related(
            "genres", "keywords", Prefetch("credits", Credit.objects.select_related("person"))
        )

    def paginate_queryset(self, queryset: Any) -> Any:
        movies = super().paginate_queryset(queryset)
        prefetch_related_objects(movies or [], "genres")
        return movies

    def get_serializer_class(self) -> type[BaseSerializer]:
        return MovieSummarySerializer if self.action == "list" else MovieSerializer


class OwnMoviesViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The signed-in user's rows, one per movie."""

    lookup_field = "movie_id"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().filter(user_id=self.request.user.pk)

    def answer(self, row: Rating | WatchlistItem, *, existed: bool) -> Response:
        return Response(self.get_serializer(row).data, status.HTTP_200_OK if existed else status.HTTP_201_CREATED)


class RatingViewSet(OwnMoviesViewSet):
    queryset = Rating.objects.select_related("movie")
    serializer_class = RatingSerializer

    @extend_schema(
        request=NewRatingSerializer,
        responses={201: RatingSerializer, 200: RatingSerializer},
        description="Rates a movie: 201 for a new rating, 200 for a changed one.",
    )
    def create(self, request: Request) -> Response:
        given = NewRatingSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self.rate(given.validated_data["movie"], given.validated_data["rating"])

    @extend_schema(
        request=RatingInputSerializer,
        responses={201: RatingSerializer, 200: RatingSerializer},
        description="Rates the movie: 201 for a new rating, 200 for a changed one.",
    )
    def update(self, request: Request, movie_id: int) -> Response:
        given = RatingInputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self.rate(movie_id, given.validated_data["rating"])

    def rate(self, movie_id: int, rating: float) -> Response:
        movie = movie_or_error(movie_id)
        existed = self.get_queryset().filter(movie=movie).exists()
        row = record_rating(user=_user(self.request), movie=movie, rating=rating)
        return self.answer(row, existed=existed)

    def destroy(self, request: Request, movie_id: int) -> Response:
        row = self.get_object()
        remove_rating(user=_user(request), movie=row.movie)
        return Response(status=status.HTTP_204_NO_CONTENT)


class WatchlistViewSet(OwnMoviesViewSet):
    queryset = WatchlistItem.objects.select_related("movie")
    serializer_class = WatchlistItemSerializer

    @extend_schema(
        request=None,
        responses={201: WatchlistItemSerializer, 200: WatchlistItemSerializer},
        description="Puts the movie on the watchlist: 201 when it is new there, else 200.",
    )
    def update(self, request: Request, movie_id: int) -> Response:
        movie = movie_or_error(movie_id)
        existed = self.get_queryset().filter(movie=movie).exists()
        return self.answer(add_to_watchlist(user=_user(request), movie=movie), existed=existed)

    def destroy(self, request: Request, movie_id: int) -> Response:
        row = self.get_object()
        remove_from_watchlist(user=_user(request), movie=row.movie)
        return Response(status=status.HTTP_204_NO_CONTENT)


def movie_or_error(movie_id: int) -> Movie:
    movie: Movie | None = Movie.objects.filter(pk=movie_id).first()
    if movie is None:
        raise MovieNotFound(f"There is no movie {movie_id}.")
    return movie


def _user(request: Request) -> Any:
    """The permission classes exclude anonymous users."""
    return request.user
