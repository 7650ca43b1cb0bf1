"""The user's own data: imported from other sites, and exported."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from catalog.api.serializers import ImportRowSerializer, UploadSerializer, UserImportSerializer
from catalog.imports.commit import commit_import
from catalog.imports.formats import FORMATS, export_ratings
from catalog.imports.lifecycle import receive_upload
from catalog.imports.upload import check_length
from catalog.models import UserImport
from catalog.throttling import ImportThrottle


class UserImportViewSet(ListModelMixin, RetrieveModelMixin, DestroyModelMixin, GenericViewSet):
    """Uploads of the signed-in user. DELETE discards an upload; data already imported stays."""

    queryset = UserImport.objects.all()
    serializer_class = UserImportSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[UserImport]:
        return UserImport.objects.of(self.request.user.pk)

    def get_throttles(self) -> list[BaseThrottle]:
        return [*super().get_throttles(), *([ImportThrottle()] if self.action == "create" else [])]

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()] if self.request and self.request.method == "POST" else super().get_parsers()

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={202: UserImportSerializer},
        description=(
            "Uploads a file. It is read in the background and changes nothing until it is committed; "
            "it takes the place of one that was not."
        ),
    )
    def create(self, request: Request) -> Response:
        check_length(request._request)
        given = UploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        user_import = receive_upload(
            trigger=UserImport.Trigger.API,
            user=request.user,
            format=given.validated_data["format"],
            name=file.name,
            content=file.read(),
        )
        return Response(self.get_serializer(user_import).data, status.HTTP_202_ACCEPTED)

    @extend_schema(
        parameters=[OpenApiParameter("matched", bool, description="Only rows with, or without, a movie.")],
        responses=ImportRowSerializer(many=True),
        description="The rows, with the movie each means, or why none. Once committed, those without a movie.",
    )
    @action(detail=True, filter_backends=[])
    def entries(self, request: Request, pk: int) -> Response:
        rows = self.get_object().rows.select_related("movie")
        matched = request.query_params.get("matched", "").lower()
        if matched in ("true", "false"):
            rows = rows.filter(movie__isnull=matched == "false")
        return self.get_paginated_response(ImportRowSerializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(request=None, responses=UserImportSerializer, description="Imports what was matched.")
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, pk: int) -> Response:
        return Response(self.get_serializer(commit_import(self.get_object())).data)


class ExportView(APIView):
    formats: ClassVar = tuple(FORMATS)

    @extend_schema(
        operation_id="export_retrieve",
        parameters=[OpenApiParameter("site", str, OpenApiParameter.PATH, enum=formats)],
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
        description="Everything the asking user rated, watched and wants to see, as a file that can be imported.",
    )
    def get(self, request: Request, site: str) -> HttpResponse:
        if site not in self.formats:
            raise NotFound(f"There is no format {site!r}; known are {', '.join(self.formats)}.")
        return export_ratings(user=request.user, format=site).as_download()  # type: ignore[arg-type]
