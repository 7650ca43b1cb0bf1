"""A user's own data: imports from other sites, events from media servers, and exports."""

from typing import IO, Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.mixins import DestroyModelMixin, ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from catalog.api.inputs import read
from catalog.api.matches import RowMatching, rows_with_candidates
from catalog.api.scopes import OWN
from catalog.api.serializers import (
    ImportRowQuerySerializer,
    ImportRowSerializer,
    UploadSerializer,
    UserImportSerializer,
)
from catalog.archive import EXPORTS, export
from catalog.errors import RequestTooLarge
from catalog.hooks.formats import SERVERS
from catalog.hooks.services import hook_of, receive
from catalog.imports.commit import commit_import
from catalog.imports.lifecycle import receive_upload
from catalog.imports.upload import check_length, length_of
from catalog.models import UserImport
from catalog.policy import KB
from catalog.safe_json import InvalidJSON, parse_json
from catalog.throttling import HookThrottle, ImportThrottle

TABLE = "title,year,rating\nAlien,1979,4.5\n"


class UserImportViewSet(RowMatching, ListModelMixin, RetrieveModelMixin, DestroyModelMixin, GenericViewSet):
    """Uploads of the signed-in user. DELETE discards an upload; data already imported stays."""

    scopes = OWN
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
        """Uploads a file, which is read in the background and changes nothing until it is committed.

        It replaces an earlier upload that was not committed.
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
        """The rows of the file, each with the movie it matches, or the reason why none does and the best candidates.

        After the commit, only rows without a movie remain.
        """
        rows = self.get_object().rows.select_related("movie")
        matched = read(ImportRowQuerySerializer, request.query_params).get("matched")
        if matched is not None:
            rows = rows.filter(movie__isnull=not matched)
        return self.get_paginated_response(rows_with_candidates(list(self.paginate_queryset(rows) or ())))

    @extend_schema(request=None, responses={200: UserImportSerializer, 409: None})
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, pk: int) -> Response:
        """Imports the matched rows."""
        return Response(self.get_serializer(commit_import(self.get_object())).data)


class EventParser(BaseParser):
    """Parses JSON with any media type, because Jellyfin's plug-in declares it as plain text."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return parse_json(stream.read(), lenient=True)
        except InvalidJSON as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from None


class HookView(APIView):
    """A user's secret webhook URL. Its holder may add to the owner's viewings and ratings, but read nothing."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [HookThrottle]
    parser_classes = [MultiPartParser, FormParser, EventParser]

    @extend_schema(exclude=True)  # called by media servers in their own formats: docs/media-servers.md
    def post(self, request: Request, service: str, key: str) -> Response:
        """Receives an event from a media server: a movie that the owner watched, marked as watched or rated.

        A repeated event changes nothing. Irrelevant events return the outcome `ignored`.
        """
        limit = settings.POLICY.hooks.max_body_kb
        if length_of(request._request) > limit * KB:
            raise RequestTooLarge(_("The event is too large. The limit is %(limit)d KB.") % {"limit": limit})
        if service not in SERVERS:
            text = _("Unknown service %(service)r. Expected one of: %(known)s.")
            raise NotFound(text % {"service": service, "known": ", ".join(SERVERS)})
        hook = hook_of(key)
        return Response({"outcome": receive(hook=hook, server=SERVERS[service], body=request.data)})


class ExportView(APIView):
    scopes = OWN
    formats: ClassVar = EXPORTS

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
        """Everything the user has rated, watched and wants to see, in a file that can be imported.

        The format `everything` is a copy of all data that the site stores about the user.
        """
        if site not in self.formats:
            text = _("Unknown format %(site)r. Expected one of: %(known)s.")
            raise NotFound(text % {"site": site, "known": ", ".join(self.formats)})
        return export(user=request.user, format=site).as_download()  # type: ignore[arg-type]
