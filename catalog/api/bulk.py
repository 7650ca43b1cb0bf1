"""Bulk endpoints for the operator's data, sent as JSON Lines."""

import json
from collections.abc import Callable
from typing import IO, Any, ClassVar

from django.conf import settings
from django.db import IntegrityError
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.scopes import BULK
from catalog.errors import BulkConflict, RequestTooLarge
from catalog.ingest.bulk.lines import MovieLine, RatingLine, UserLine, read_lines
from catalog.ingest.bulk.upsert import upsert_movies, upsert_ratings, upsert_users
from catalog.ingest.report import BulkReport
from catalog.policy import MB
from catalog.throttling import ScopedThrottle

MEDIA_TYPE = "application/x-ndjson"
LINES = {"type": "string", "format": "binary", "minLength": 1}
BATCH = 1000  # lines per transaction; other requests wait for SQLite's only writer


class LineErrorSerializer(serializers.Serializer):
    line = serializers.IntegerField(help_text="From 1, blank lines counted.")
    message = serializers.CharField()


class BulkReportSerializer(serializers.Serializer):
    """Lines by outcome. Rejected lines change nothing."""

    lines = serializers.IntegerField()
    inserted = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    errors: Any = LineErrorSerializer(many=True, source="in_order")


class JSONLinesParser(BaseParser):
    media_type = MEDIA_TYPE

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.POLICY.bulk.max_upload_mb
        body = stream.read(limit * MB + 1)
        if len(body) > limit * MB:
            raise RequestTooLarge(f"Expected at most {limit} MB in a request.")
        return body


class FileParser(JSONLinesParser):
    """Accepts the generic media type, for clients that cannot send the one of JSON Lines."""

    media_type = "application/octet-stream"


class MayBringInBulk(BasePermission):
    message = "This requires a staff account with permission to add and change these objects."

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = [f"catalog.{action}_{view.model}" for action in ("add", "change")]
        return bool(request.user.is_authenticated and request.user.is_staff and request.user.has_perms(needed))


class BulkView(APIView):
    scopes = BULK
    permission_classes = [MayBringInBulk]
    parser_classes = [JSONLinesParser, FileParser]
    throttle_classes = [ScopedThrottle]
    throttle_scope = "bulk"
    model: ClassVar[str]
    line: ClassVar[type[Any]]
    upsert: ClassVar[Callable[..., None]]

    def post(self, request: Request) -> Response:
        report = BulkReport()
        body: Any = request.data or b""  # empty if the request has no body
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
