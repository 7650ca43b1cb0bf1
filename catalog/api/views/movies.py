from django.db.models import Prefetch, QuerySet
from rest_framework.permissions import AllowAny
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ReadOnlyModelViewSet

from catalog.api.serializers import MovieSerializer, MovieSummarySerializer
from catalog.filters import MovieFilter
from catalog.models import Credit, Movie


class MovieViewSet(ReadOnlyModelViewSet):
    """Movies: searched, filtered and sorted; or one with all that is known of it."""

    queryset = Movie.objects.prefetch_related("genres")
    permission_classes = [AllowAny]
    filterset_class = MovieFilter
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Movie]:
        movies = super().get_queryset()
        if self.action == "list":
            return movies
        return movies.prefetch_related("keywords", Prefetch("credits", Credit.objects.select_related("person")))

    def get_serializer_class(self) -> type[BaseSerializer]:
        return MovieSummarySerializer if self.action == "list" else MovieSerializer
