"""The API's error format with its codes, and its pagination. `openapi` describes both."""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import server_error as html_server_error
from rest_framework import exceptions, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as default_handler
from rest_framework.views import set_rollback

from catalog.api.inputs import QuerySerializer, read
from catalog.errors import DomainError, RequestTooLarge
from movierec import overload

RETRY_SECONDS = 5
MAX_PAGE = 100  # rows per page
OWN_ERRORS = {
    "busy": _(overload.SENTENCE),
    "server_error": _("An internal error occurred."),
    "unavailable": _("The database is not responding. Try again in a moment."),
}
DJANGO_ERRORS = {
    kind.status_code: kind
    for kind in (
        exceptions.ParseError,
        exceptions.PermissionDenied,
        exceptions.NotFound,
        exceptions.MethodNotAllowed,
        exceptions.NotAcceptable,
    )
}


class PageQuerySerializer(QuerySerializer):
    page = serializers.IntegerField(min_value=1, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=20)


class Pagination(PageNumberPagination):
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        read(PageQuerySerializer, request.query_params)
        return super().paginate_queryset(queryset, request, view)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return []  # `openapi.AutoSchema` describes PageQuerySerializer


class FormatNegotiation(DefaultContentNegotiation):
    """Supports `?format=` only for the OpenAPI document, because other endpoints do not document it."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return super().select_renderer(request, renderers, format_suffix or request.query_params.get("format"))


def error_codes() -> dict[str, str]:
    """Return the message of each error code of the API, keyed by code."""
    rest_framework = {kind.default_code: kind.default_detail for kind in _kinds(exceptions.APIException)}
    domain = {kind.code: kind.text for kind in _kinds(DomainError)}
    return {code: str(sentence) for code, sentence in sorted({**domain, **rest_framework, **OWN_ERRORS}.items())}


def _kinds(base: type[Any]) -> Iterator[type[Any]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def error_body(code: str, message: str = "", fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": str(message or OWN_ERRORS[code]), "fields": fields or {}}}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Convert exceptions of REST framework and the domain to the error format. Any other exception is a bug (500)."""
    if isinstance(exc, RequestDataTooBig):
        most = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,}"
        exc = RequestTooLarge(gettext("The request body is too large. The limit is %(most)s bytes.") % {"most": most})
    if isinstance(exc, DomainError):
        set_rollback()
        return Response(error_body(exc.code, str(exc), exc.fields), status=exc.status)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    response = default_handler(exc, context)
    if response is None or not isinstance(exc, exceptions.APIException):
        return None
    if isinstance(exc, exceptions.ValidationError):
        code, response.status_code = exc.default_code, exc.status_code
        if _codes(exc.get_codes()) == {"does_not_exist"}:  # the request is valid, but refers to a row that is gone
            code, response.status_code = exceptions.NotFound.default_code, exceptions.NotFound.status_code
        fields = _fields(exc.detail)
        first = next((f"{name}: {text[0]}" if name else text[0] for name, text in fields.items()), exc.default_detail)
        fields = {name or "non_field_errors": text for name, text in fields.items()}
        response.data = error_body(code, str(first), fields)
    else:
        response.data = error_body(exc.default_code, str(exc.detail))
    return response


def _codes(codes: Any) -> set[str]:
    if isinstance(codes, str):
        return {codes}
    return set().union(*map(_codes, codes.values() if isinstance(codes, dict) else codes))


def _fields(detail: Any, path: str = "") -> dict[str, list[str]]:
    if isinstance(detail, dict):
        names = {key: "" if key == "non_field_errors" else key for key in detail}
        parts = [(f"{path}.{names[key]}".strip("."), part) for key, part in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        parts = [(f"{path}[{index}]", part) for index, part in enumerate(detail)]
    else:
        return {path: [str(item) for item in (detail if isinstance(detail, list) else [detail])]}
    return {name: texts for at, part in parts for name, texts in _fields(part, at).items()}


def error_shape(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that converts all other errors below /api/, such as Django's own, to the error format."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        if response.status_code < 400 or is_json or not request.path_info.startswith("/api/"):
            return response
        kind = DJANGO_ERRORS.get(response.status_code, exceptions.ParseError)
        message = str(kind.default_detail).format(method=request.method)
        response.content = json.dumps(error_body(kind.default_code, message)).encode()
        response.headers["Content-Type"] = "application/json"
        response.headers["Content-Length"] = str(len(response.content))
        return response

    return respond


@csrf_exempt
def not_found(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    """Return 404 for any URL under /api/ that does not exist."""
    message = gettext("There is no resource at %(path)s.") % {"path": request.path}
    return JsonResponse(error_body("not_found", message), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 500 for a bug, or 503 if the database does not respond. The body is JSON below /api/, else a page."""
    is_api = request.path_info.startswith("/api/")
    if isinstance(sys.exception(), (OperationalError, InterfaceError)):  # Django calls this during exception handling
        headers = {"Retry-After": str(RETRY_SECONDS)}
        if is_api:
            return JsonResponse(error_body("unavailable"), status=503, headers=headers)
        return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
    return JsonResponse(error_body("server_error"), status=500) if is_api else html_server_error(request)
