from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from rest_framework.permissions import AllowAny
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.viewsets import ReadOnlyModelViewSet

from catalog.api.serializers import MovieSerializer, MovieSummarySerializer
from catalog.filters import MovieFilter
from catalog.models import Credit, Movie
from catalog.paging import KeysFirstPaginator


class MoviePagination(api_settings.DEFAULT_PAGINATION_CLASS):  # type: ignore[name-defined]
    django_paginator_class = KeysFirstPaginator


class MovieViewSet(ReadOnlyModelViewSet):
    """Movies: searched, filtered and sorted; or one with all that is known of it."""

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
