"""Data in bulk: a user's own, imported from other sites and exported, and the operator's, as lines of JSON."""

import json
from collections.abc import Callable
from typing import IO, Any, ClassVar

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from catalog.api.inputs import read
from catalog.api.serializers import (
    BulkReportSerializer,
    ImportRowQuerySerializer,
    ImportRowSerializer,
    UploadSerializer,
    UserImportSerializer,
)
from catalog.errors import BulkConflict, RequestTooLarge
from catalog.imports.commit import commit_import
from catalog.imports.files import MB
from catalog.imports.formats import FORMATS, export_ratings
from catalog.imports.lifecycle import receive_upload
from catalog.imports.upload import check_length
from catalog.ingest.bulk.lines import MovieLine, RatingLine, UserLine, read_lines
from catalog.ingest.bulk.upsert import upsert_movies, upsert_ratings, upsert_users
from catalog.ingest.report import BulkReport
from catalog.models import UserImport
from catalog.throttling import ImportThrottle, ScopedThrottle

MEDIA_TYPE = "application/x-ndjson"
TABLE = "title,year,rating\nAlien,1979,4.5\n"
LINES = {"type": "string", "format": "binary", "minLength": 1}
BATCH = 1000  # lines per transaction, since others wait for SQLite's only writer


class UserImportViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, GenericViewSet):
    """Uploads of the signed-in user. DELETE discards an upload; data already imported stays."""

    queryset = UserImport.objects.all()
    serializer_class = UserImportSerializer
    parser_classes = [MultiPartParser]
    lookup_value_converter = "id"

    def get_queryset(self) -> QuerySet[UserImport]:
        return UserImport.objects.of(self.request.user.pk)

    def get_throttles(self) -> list[BaseThrottle]:
        return [*super().get_throttles(), *([ImportThrottle()] if self.action == "create" else [])]

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={202: UserImportSerializer, 409: None},
        examples=[OpenApiExample("A table", {"format": "csv", "file": TABLE}, media_type=MultiPartParser.media_type)],
    )
    def create(self, request: Request) -> Response:
        """Uploads a file. It is read in the background and changes nothing until it is committed; it takes the place of
        one that was not.
        """
        check_length(request._request)
        answers = read(UploadSerializer, request.data)
        user: Any = request.user  # the permission classes exclude anonymous users
        upload = {name: answers.pop(name) for name in ("format", "file")}
        user_import = receive_upload(trigger=UserImport.Trigger.API, user=user, answers=answers, **upload)
        return Response(self.get_serializer(user_import).data, status.HTTP_202_ACCEPTED)

    @extend_schema(parameters=[ImportRowQuerySerializer], responses=ImportRowSerializer(many=True))
    @action(detail=True)
    def entries(self, request: Request, pk: int) -> Response:
        """The rows, with the movie each means, or why none. Once committed, those without a movie."""
        rows = self.get_object().rows.select_related("movie")
        matched = read(ImportRowQuerySerializer, request.query_params).get("matched")
        if matched is not None:
            rows = rows.filter(movie__isnull=not matched)
        return self.get_paginated_response(ImportRowSerializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(request=None, responses={200: UserImportSerializer, 409: None})
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, pk: int) -> Response:
        """Imports what was matched."""
        return Response(self.get_serializer(commit_import(self.get_object())).data)


class ExportView(APIView):
    formats: ClassVar = tuple(FORMATS)

    @extend_schema(
        operation_id="export_retrieve",
        parameters=[OpenApiParameter("site", str, OpenApiParameter.PATH, enum=formats)],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.OBJECT,
        },
    )
    def get(self, request: Request, site: str) -> HttpResponse:
        """Everything the asking user rated, watched and wants to see, as a file that can be imported."""
        if site not in self.formats:
            raise NotFound(f"There is no format {site!r}; known are {', '.join(self.formats)}.")
        return export_ratings(user=request.user, format=site).as_download()  # type: ignore[arg-type]


class JSONLinesParser(BaseParser):
    media_type = MEDIA_TYPE

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.POLICY.bulk.max_upload_mb
        body = stream.read(limit * MB + 1)
        if len(body) > limit * MB:
            raise RequestTooLarge(f"Expected at most {limit} MB in a request.")
        return body


class FileParser(JSONLinesParser):
    """For clients that know no media type for lines of JSON."""

    media_type = "application/octet-stream"


class MayBringInBulk(BasePermission):
    message = "This requires a staff account with permission to add and change these objects."

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = [f"catalog.{action}_{view.model}" for action in ("add", "change")]
        return bool(request.user.is_authenticated and request.user.is_staff and request.user.has_perms(needed))


class BulkView(APIView):
    permission_classes = [MayBringInBulk]
    parser_classes = [JSONLinesParser, FileParser]
    throttle_classes = [ScopedThrottle]
    throttle_scope = "bulk"
    model: ClassVar[str]
    line: ClassVar[type[Any]]
    upsert: ClassVar[Callable[..., None]]

    def post(self, request: Request) -> Response:
        report = BulkReport()
        body: Any = request.data or b""  # empty when there is no body
        lines = read_lines(body, self.line, report)
        try:
            for start in range(0, len(lines), BATCH):
                type(self).upsert(lines[start : start + BATCH], report)
        except IntegrityError:
            raise BulkConflict(
                "Another request wrote the same ids or names at the same time. Send the request again."
            ) from None
        return Response(BulkReportSerializer(report).data)


def _schema(name: str, example: dict[str, Any]) -> Any:
    schema = extend_schema(
        operation_id=f"bulk_{name}",
        request={parser.media_type: LINES for parser in BulkView.parser_classes},
        responses={200: BulkReportSerializer, 409: None},
        examples=[OpenApiExample("A line", json.dumps(example), media_type=FileParser.media_type)],
        description=f"Adds or changes {name} by external id; lines of JSON. The same lines again change nothing.",
    )
    return extend_schema_view(post=schema)


@_schema("movies", {"external_id": "m1", "title": "Alien", "year": 1979, "genres": ["Horror", "Sci-Fi"]})
class BulkMoviesView(BulkView):
    model, line, upsert = "movie", MovieLine, staticmethod(upsert_movies)


@_schema("users", {"external_id": "u1", "username": "ada", "email": "ada@example.org"})
class BulkUsersView(BulkView):
    model, line, upsert = "user", UserLine, staticmethod(upsert_users)


@_schema("ratings", {"user": "u1", "movie": "m1", "rating": 4.5, "rated_at": "2024-05-01T20:00:00Z"})
class BulkRatingsView(BulkView):
    model, line, upsert = "rating", RatingLine, staticmethod(upsert_ratings)
