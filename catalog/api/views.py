"""Accounts and sign-in, movies, and the signed-in user's ratings and watchlist. Changes go through the services."""

from abc import ABC, abstractmethod
from typing import Any

from django.contrib.auth import authenticate
from django.db.models import QuerySet, prefetch_related_objects
from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from catalog.accounts import check_password_suffices, check_passwords_are_on, must_confirm_email
from catalog.api import serializers
from catalog.api.inputs import FilteredListMixin, read
from catalog.api.movie_serializers import MovieQuerySerializer, MovieSerializer, MovieSummarySerializer
from catalog.api.personal import OwnRowsMixin, movie_or_error
from catalog.api.scopes import PUBLIC
from catalog.errors import InvalidCredentials
from catalog.filters import MovieFilter
from catalog.keys import SIGN_IN_SCOPES, create_sign_in_key
from catalog.mail import ask_to_confirm
from catalog.models import Movie, Rating, User, WatchlistItem
from catalog.paging import KeysFirstPaginator
from catalog.pending_sign_ups import request_sign_up
from catalog.services import add_to_watchlist, record_rating, remove_from_watchlist, remove_rating
from catalog.sign_ups import sign_up
from catalog.throttling import SignInThrottle, SignUpThrottle


class AnonymousView(GenericAPIView):
    """Ignores credentials, so that an outdated key does not lock its owner out."""

    authentication_classes = []
    permission_classes = [AllowAny]


class AccountsView(AnonymousView):
    """Signs up. If addresses must be confirmed first, the link in the e-mail creates the account; `id` is null."""

    serializer_class = serializers.SignUpSerializer
    throttle_classes = [SignUpThrottle]

    @extend_schema(responses={201: serializers.SignUpSerializer, 403: None, 409: None})
    def post(self, request: Request) -> Response:
        given = read(serializers.SignUpSerializer, request.data)
        made = request_sign_up(request._request, **given) if must_confirm_email() else sign_up(**given)
        if isinstance(made, User):
            ask_to_confirm(request._request, made)
        return Response(self.get_serializer(made).data, status.HTTP_201_CREATED)


class TokenView(AnonymousView):
    serializer_class = serializers.CredentialsSerializer
    throttle_classes = [SignInThrottle]

    @extend_schema(responses={200: serializers.TokenSerializer, 401: None, 403: None}, operation_id="token_create")
    def post(self, request: Request) -> Response:
        """Returns a new API key for `Authorization: Token <token>`. The default scopes are `read` and `rate`."""
        check_passwords_are_on()
        credentials = read(serializers.CredentialsSerializer, request.data)
        scopes = credentials.pop("scopes", SIGN_IN_SCOPES)
        user = authenticate(request, **credentials)
        if user is None:
            raise InvalidCredentials
        check_password_suffices(user)
        return Response(serializers.TokenSerializer({"token": create_sign_in_key(user=user, scopes=scopes).key}).data)


class MoviePagination(api_settings.DEFAULT_PAGINATION_CLASS):  # type: ignore[name-defined]
    django_paginator_class = KeysFirstPaginator


class MovieViewSet(FilteredListMixin, ReadOnlyModelViewSet):
    """Lists of movies with search, filters and sorting, and single movies with all details."""

    queryset = Movie.objects.all()
    permission_classes = [AllowAny]
    scopes = PUBLIC
    query_class = MovieQuerySerializer
    pagination_class = MoviePagination
    lookup_value_converter = "id"

    def get_queryset(self) -> QuerySet[Movie]:
        movies: Any = super().get_queryset()
        return movies if self.action == "list" else movies.with_details()

    def filter_list(self, rows: QuerySet[Movie], query: dict[str, Any]) -> QuerySet[Movie]:
        found = MovieFilter(self.request.query_params, rows, request=self.request)
        if not found.is_valid():
            raise translate_validation(found.errors)
        return found.qs

    def paginate_queryset(self, queryset: Any) -> Any:
        movies = super().paginate_queryset(queryset)
        prefetch_related_objects(movies or [], "genres")
        return movies

    def get_serializer_class(self) -> type[BaseSerializer]:
        return MovieSummarySerializer if self.action == "list" else MovieSerializer


class OwnMoviesViewSet(OwnRowsMixin, ListModelMixin, RetrieveModelMixin, DestroyModelMixin, GenericViewSet, ABC):
    """The signed-in user's rows, one per movie."""

    lookup_field = "movie_id"
    lookup_value_converter = "id"

    def write(self, movie_id: int, **values: Any) -> Response:
        movie = movie_or_error(movie_id)
        existed = self.get_queryset().filter(movie=movie).exists()
        row = self.record(movie, **values)
        return Response(self.get_serializer(row).data, status.HTTP_200_OK if existed else status.HTTP_201_CREATED)

    @abstractmethod
    def record(self, movie: Movie, **values: Any) -> Rating | WatchlistItem: ...


class RatingViewSet(OwnMoviesViewSet):
    queryset = Rating.objects.select_related("movie")
    serializer_class = serializers.RatingSerializer

    @extend_schema(
        request=serializers.NewRatingSerializer,
        responses={201: serializers.RatingSerializer, 200: serializers.RatingSerializer, 404: None},
    )
    def create(self, request: Request) -> Response:
        """Rates a movie and removes it from the watchlist. Returns 201 for a new rating, 200 for a changed one."""
        given = read(serializers.NewRatingSerializer, request.data)
        return self.write(given["movie"], rating=given["rating"])

    @extend_schema(
        request=serializers.RatingInputSerializer,
        responses={201: serializers.RatingSerializer, 200: serializers.RatingSerializer},
    )
    def update(self, request: Request, movie_id: int) -> Response:
        """Rates the movie and removes it from the watchlist. Returns 201 for a new rating, 200 for a changed one."""
        return self.write(movie_id, **read(serializers.RatingInputSerializer, request.data))

    def record(self, movie: Movie, **values: Any) -> Rating:
        return record_rating(user=self.user, movie=movie, **values)

    def perform_destroy(self, row: Rating) -> None:
        remove_rating(user=self.user, movie=row.movie)


class WatchlistViewSet(OwnMoviesViewSet):
    queryset = WatchlistItem.objects.select_related("movie")
    serializer_class = serializers.WatchlistItemSerializer

    @extend_schema(
        request=None,
        responses={201: serializers.WatchlistItemSerializer, 200: serializers.WatchlistItemSerializer},
    )
    def update(self, request: Request, movie_id: int) -> Response:
        """Adds the movie to the watchlist. Returns 201 if it is new, 200 if it was there already."""
        return self.write(movie_id)

    def record(self, movie: Movie, **values: Any) -> WatchlistItem:
        return add_to_watchlist(user=self.user, movie=movie)

    def perform_destroy(self, row: WatchlistItem) -> None:
        remove_from_watchlist(user=self.user, movie=row.movie)
