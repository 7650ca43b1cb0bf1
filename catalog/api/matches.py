"""Choosing movies for unmatched rows of imports, and the remembered choices."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet

from catalog.api.inputs import BodySerializer, read
from catalog.api.scopes import OWN
from catalog.api.serializers import ImportRowSerializer
from catalog.errors import RowNotFound
from catalog.imports.candidates import add_candidates
from catalog.imports.choices import choose_movie, forget_choice, undo_choice
from catalog.imports.remembered import choices_of
from catalog.models import ImportRow, MatchChoice

JSON = api_settings.DEFAULT_PARSER_CLASSES  # unlike uploads


class MatchSerializer(BodySerializer):
    movie = serializers.IntegerField(min_value=1, allow_null=True, help_text="Null if no candidate is right.")


class MatchChoiceSerializer(serializers.ModelSerializer):
    """A remembered choice. `movie` is null if no candidate was right. Select `movie`."""

    movie = serializers.IntegerField(source="movie_id", allow_null=True)
    movie_title = serializers.CharField(source="movie.title", default=None, allow_null=True)

    class Meta:
        model = MatchChoice
        fields = ["id", "title", "year", "movie", "movie_title", "chosen_at"]
        read_only_fields = fields


class RowMatching(GenericViewSet):
    """Actions of an import: choose the movie of an unmatched row, or undo the choice."""

    @extend_schema(
        operation_id="import_entries_match_update",
        request=MatchSerializer,
        responses={200: ImportRowSerializer, 409: None},
    )
    @action(detail=True, methods=["put"], url_path="entries/<id:entry_id>/match", parser_classes=JSON)
    def match(self, request: Request, pk: int, entry_id: int) -> Response:
        """Chooses the movie of an unmatched row and of all rows of the same identity; null if no candidate is right.

        The choice is remembered for later files and events of media servers. After the commit, the rows are imported.
        """
        movie_id = read(MatchSerializer, request.data)["movie"]
        chosen = choose_movie(user=self._user, row_id=self._row_id(entry_id), movie_id=movie_id)
        return Response(ImportRowSerializer(chosen.row).data)

    @extend_schema(operation_id="import_entries_match_destroy", responses={204: None, 409: None})
    @match.mapping.delete
    def undo_match(self, request: Request, pk: int, entry_id: int) -> Response:
        """Forgets the choice for a row, which is then matched as before."""
        undo_choice(user=self._user, row_id=self._row_id(entry_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @property
    def _user(self) -> Any:
        return self.request.user  # the permission classes exclude anonymous users

    def _row_id(self, entry_id: int) -> int:
        if not self.get_object().rows.filter(pk=entry_id).exists():
            raise RowNotFound
        return entry_id


class MatchChoiceViewSet(ListModelMixin, GenericViewSet):
    """The movies that the signed-in user chose for unmatched rows and events."""

    scopes = OWN
    queryset = MatchChoice.objects.all()
    serializer_class = MatchChoiceSerializer
    lookup_value_converter = "id"

    def get_queryset(self) -> QuerySet[MatchChoice]:
        user: Any = self.request.user
        return choices_of(user)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Forgets a choice, also in an open preview. What was imported stays."""
        user: Any = request.user
        if not forget_choice(user=user, choice_id=self.get_object().pk):
            raise RowNotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


def rows_with_candidates(rows: list[ImportRow]) -> Any:
    """Returns the rows of a page as JSON, those without a movie with suggestions."""
    add_candidates(rows)
    return ImportRowSerializer(rows, many=True).data
