"""What the whole API shares: the one error shape and the pagination.

Every error is `{"error": {"code", "message", "fields"}}`: `code` for programs, `message` for people, `fields`
the messages of each field that is wrong (empty when the error is about no field).
"""

import sys
from typing import Any, Protocol, TypeGuard

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as html_server_error
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler as default_handler
from rest_framework.views import set_rollback

RETRY_SECONDS = 5


class Pagination(PageNumberPagination):
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


def error_body(code: str, message: str, fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": fields or {}}}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turns REST framework's exceptions and the domain's into the one error shape; anything else is a bug, a 500.

    An exception of a domain is one that carries `code` and `status`, and maybe `fields`; it is not known here by name.
    """
    if _is_from_domain(exc):
        set_rollback()
        return Response(error_body(exc.code, str(exc), getattr(exc, "fields", None)), status=exc.status)
    response = default_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, exceptions.ValidationError):
        fields = _fields(exc.detail)
        first = next((f"{name}: {text[0]}" if name else text[0] for name, text in fields.items()), "Invalid input.")
        response.data = error_body(
            "invalid", first, {name or "non_field_errors": text for name, text in fields.items()}
        )
    else:
        response.data = error_body(_code(exc), _message(exc))
    return response


class DomainError(Protocol):
    code: str
    status: int


def _is_from_domain(exc: Any) -> TypeGuard[DomainError]:
    return isinstance(getattr(exc, "code", None), str) and isinstance(getattr(exc, "status", None), int)


def _fields(detail: Any, path: str = "") -> dict[str, list[str]]:
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            found |= _fields(value, f"{path}.{name}".strip("."))
        return found
    if isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        found = {}
        for index, item in enumerate(detail):
            found |= _fields(item, f"{path}[{index}]")
        return found
    return {path: [str(item) for item in (detail if isinstance(detail, list) else [detail])]}


def _code(exc: Exception) -> str:
    if isinstance(exc, Http404):
        return "not_found"
    if isinstance(exc, PermissionDenied):
        return "permission_denied"
    return str(getattr(exc, "default_code", "error"))


def _message(exc: Exception) -> str:
    if isinstance(exc, Http404):
        return "Not found."
    if isinstance(exc, PermissionDenied):
        return "You do not have permission to perform this action."
    return str(getattr(exc, "detail", exc))


def not_found(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    """An address under /api/ that is none."""
    return JsonResponse(error_body("not_found", f"There is nothing at {request.path}."), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """A bug: in the one error shape below /api/, as the site's page elsewhere. A database that does not answer is none.

    Django calls this while it handles the exception.
    """
    if isinstance(sys.exception(), (OperationalError, InterfaceError)):
        return _unavailable(request)
    if request.path.startswith("/api/"):
        return JsonResponse(error_body("server_error", "Something went wrong on our side."), status=500)
    return html_server_error(request)


def _unavailable(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(RETRY_SECONDS)}
    if request.path.startswith("/api/"):
        body = error_body("unavailable", "The database does not answer. Try again in a moment.")
        return JsonResponse(body, status=503, headers=headers)
    return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
