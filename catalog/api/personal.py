"""The signed-in user's diary, lists and followed sources. Rows of other users return 404."""

import re
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import GenericViewSet

from catalog.api.inputs import MAX_ID, BodySerializer, RatingField, read
from catalog.api.scopes import OWN
from catalog.api.serializers import (
    FollowedSourceSerializer,
    NewSourceSerializer,
    SourceChangeSerializer,
    UnmatchedRowSerializer,
)
from catalog.diary import change_viewing, diary_of, record_viewing
from catalog.errors import MovieNotFound
from catalog.following.rows import unmatched_rows
from catalog.following.services import follow, pause, sources_of, sync_now
from catalog.lists import add_to_list, change_list, create_list, move_in_list, remove_from_list
from catalog.models import FollowedSource, Movie, MovieList, MovieListItem, SourceSync, Viewing
from catalog.models.personal import MAX_LIST_LENGTH
from catalog.models.rating import NOTE_LENGTH
from catalog.throttling import FollowingThrottle

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class DayField(serializers.DateField):
    """A date in the form 2026-05-31. REST framework would accept other forms of ISO 8601, too."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


def _text(length: int = NOTE_LENGTH, **options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=length, trim_whitespace=False, required=False, **options)


class DiaryEntrySerializer(serializers.ModelSerializer):
    """A viewing from `diary_of`."""

    movie = serializers.IntegerField(source="movie_id")
    title = serializers.CharField(source="movie.title")
    rating = RatingField(allow_null=True, help_text="The user's rating of the movie.")

    class Meta:
        model = Viewing
        fields = ["id", "movie", "title", "watched_on", "is_rewatch", "note", "rating", "recorded_at"]
        read_only_fields = fields


class DiaryChangeSerializer(BodySerializer):
    watched_on = DayField(required=False, allow_null=True, help_text="Null if the day is unknown.")
    is_rewatch = serializers.BooleanField(required=False)
    note = _text(allow_blank=True)


class NewDiaryEntrySerializer(DiaryChangeSerializer):
    """A new viewing. The default of `watched_on` is today; the diary determines the default of `is_rewatch`."""

    movie = serializers.IntegerField(min_value=1, max_value=MAX_ID)


class MovieListSerializer(serializers.ModelSerializer):
    """A list, annotated with `n_movies`."""

    n_movies = serializers.IntegerField()
    url = serializers.CharField(source="get_absolute_url", help_text="The list's page on this site.")

    class Meta:
        model = MovieList
        fields = ["id", "name", "description", "is_public", "n_movies", "url", "created_at", "updated_at"]
        read_only_fields = fields


class MovieListItemSerializer(serializers.ModelSerializer):
    movie = serializers.IntegerField(source="movie_id")
    title = serializers.CharField(source="movie.title")

    class Meta:
        model = MovieListItem
        fields = ["movie", "title", "added_at"]
        read_only_fields = fields


class WholeMovieListSerializer(MovieListSerializer):
    movies: Any = MovieListItemSerializer(source="items.all", many=True, help_text="In the list's order.")

    class Meta(MovieListSerializer.Meta):
        fields = [*MovieListSerializer.Meta.fields, "movies"]
        read_only_fields = fields


class ListChangeSerializer(BodySerializer):
    name = _text(100)
    description = _text(allow_blank=True)
    is_public = serializers.BooleanField(required=False)


class NewListSerializer(ListChangeSerializer):
    name = serializers.CharField(max_length=100, trim_whitespace=False)


class PositionSerializer(BodySerializer):
    position = serializers.IntegerField(
        min_value=1, max_value=MAX_LIST_LENGTH, required=False, help_text="From 1; without it, a new movie is the last."
    )


class OwnRowsMixin:
    """Restricts `queryset` to the signed-in user's rows."""

    scopes = OWN
    request: Any

    @property
    def user(self) -> Any:
        """Returns the request's user. The permission classes exclude anonymous users."""
        return self.request.user

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().filter(user_id=self.user.pk)  # type: ignore[misc]


def movie_or_error(movie_id: int) -> Movie:
    movie: Movie | None = Movie.objects.filter(pk=movie_id).first()
    if movie is None:
        raise MovieNotFound(_("Movie %(id)d does not exist.") % {"id": movie_id})
    return movie


class DiaryViewSet(OwnRowsMixin, ListModelMixin, DestroyModelMixin, GenericViewSet):
    queryset = Viewing.objects.all()
    serializer_class = DiaryEntrySerializer
    lookup_value_converter = "id"

    def get_queryset(self) -> QuerySet[Viewing]:
        return diary_of(self.user)

    @extend_schema(
        request=NewDiaryEntrySerializer,
        responses={201: DiaryEntrySerializer, 200: DiaryEntrySerializer, 404: None, 409: None},
    )
    def create(self, request: Request) -> Response:
        """Adds a viewing to the diary and removes the movie from the watchlist.

        Each day counts once. Returns 201, or 200 if the diary has the viewing already or had it on an unknown day.
        """
        given = {"watched_on": timezone.localdate()} | read(NewDiaryEntrySerializer, request.data)
        viewing, is_new = record_viewing(user=self.user, movie=movie_or_error(given.pop("movie")), **given)
        return self._answer(viewing, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(request=DiaryChangeSerializer, responses={200: DiaryEntrySerializer, 409: None})
    def partial_update(self, request: Request, pk: int) -> Response:
        given = read(DiaryChangeSerializer, request.data)
        viewing = self.get_object()
        values = {name: getattr(viewing, name) for name in ("watched_on", "is_rewatch", "note")}
        return self._answer(change_viewing(viewing, **values | given))

    def _answer(self, viewing: Viewing, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=viewing.pk)).data, code)


class MovieListViewSet(OwnRowsMixin, ListModelMixin, RetrieveModelMixin, DestroyModelMixin, GenericViewSet):
    """The signed-in user's lists. Everybody can read a public list at its `url`."""

    queryset = MovieList.objects.with_length()
    lookup_value_converter = "id"

    def get_queryset(self) -> QuerySet[MovieList]:
        rows: QuerySet[MovieList] = super().get_queryset()
        return rows if self.action == "list" else rows.prefetch_related("items__movie")

    def get_serializer_class(self) -> type[MovieListSerializer]:
        return MovieListSerializer if self.action == "list" else WholeMovieListSerializer

    @extend_schema(request=NewListSerializer, responses={201: WholeMovieListSerializer, 409: None})
    def create(self, request: Request) -> Response:
        return self._answer(create_list(user=self.user, **read(NewListSerializer, request.data)), 201)

    @extend_schema(request=ListChangeSerializer, responses={200: WholeMovieListSerializer, 409: None})
    def partial_update(self, request: Request, pk: int) -> Response:
        given = read(ListChangeSerializer, request.data)
        return self._answer(change_list(self.get_object(), **given))

    def _answer(self, row: MovieList, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=row.pk)).data, code)

    @extend_schema(
        operation_id="lists_movies_update",
        request=PositionSerializer,
        responses={201: MovieListItemSerializer, 200: MovieListItemSerializer, 409: None},
    )
    @action(detail=True, methods=["put"], url_path="movies/<id:movie_id>")
    def movies(self, request: Request, pk: int, movie_id: int) -> Response:
        """Adds the movie (201) or moves it (200)."""
        position = read(PositionSerializer, request.data).get("position")
        row, movie = self.get_object(), movie_or_error(movie_id)
        is_new = add_to_list(row, movie)
        if position:
            move_in_list(row, movie, position)
        item = get_object_or_404(MovieListItem.objects.select_related("movie"), movie_list=row, movie=movie)
        return Response(MovieListItemSerializer(item).data, 201 if is_new else 200)

    @extend_schema(operation_id="lists_movies_destroy", responses={204: None})
    @movies.mapping.delete
    def remove_movie(self, request: Request, pk: int, movie_id: int) -> Response:
        row, movie = self.get_object(), movie_or_error(movie_id)
        if not remove_from_list(row, movie):
            raise MovieNotFound(_("Movie %(id)d is not in this list.") % {"id": movie_id})
        return Response(status=status.HTTP_204_NO_CONTENT)


class FollowedSourceViewSet(OwnRowsMixin, ListModelMixin, RetrieveModelMixin, DestroyModelMixin, GenericViewSet):
    """Profiles and files at other sites whose new rows are imported regularly. What was imported stays."""

    queryset = FollowedSource.objects.all()
    serializer_class = FollowedSourceSerializer
    lookup_value_converter = "id"

    def get_queryset(self) -> QuerySet[FollowedSource]:
        return sources_of(self.user)

    def get_throttles(self) -> list[BaseThrottle]:
        is_costly = self.action in ("create", "sync")
        return [*super().get_throttles(), *([FollowingThrottle()] if is_costly else [])]

    @extend_schema(request=NewSourceSerializer, responses={201: FollowedSourceSerializer, 409: None})
    def create(self, request: Request) -> Response:
        """Follows a source, and enqueues its first sync."""
        given = read(NewSourceSerializer, request.data)
        options: dict[str, str] = {name: given.pop(name) for name in ("format", "rows", "dates") if name in given}
        source = follow(user=self.user, options=options, trigger=SourceSync.Trigger.API, **given)
        return self._answer(source, status.HTTP_201_CREATED)

    @extend_schema(request=SourceChangeSerializer, responses=FollowedSourceSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Pauses or resumes the source. A resumed one is due at once."""
        given = read(SourceChangeSerializer, request.data)
        source = self.get_object()
        pause(source, paused=given["is_paused"])
        return self._answer(source)

    @extend_schema(request=None, responses={202: FollowedSourceSerializer, 409: None})
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, pk: int) -> Response:
        """Starts a sync at once, unless one is under way. Returns 409 soon after the last one, or while paused."""
        source = self.get_object()
        sync_now(source, trigger=SourceSync.Trigger.API)
        return self._answer(source, status.HTTP_202_ACCEPTED)

    @extend_schema(responses=UnmatchedRowSerializer(many=True))
    @action(detail=True)
    def unmatched(self, request: Request, pk: int) -> Response:
        """The rows without a movie, latest first, each with the reason."""
        rows = self.paginate_queryset(unmatched_rows(self.get_object()))
        return self.get_paginated_response(UnmatchedRowSerializer(rows, many=True).data)

    def _answer(self, source: FollowedSource, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=source.pk)).data, code)
