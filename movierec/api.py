"""What the whole API shares: the one error shape and the pagination.

Every error is `{"error": {"code", "message", "fields"}}`: `code` for programs, `message` for people, `fields`
the messages of each field that is wrong (empty when the error is about no field).
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler as default_handler


class Pagination(PageNumberPagination):
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


def error_body(code: str, message: str, fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": fields or {}}}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turns what REST framework understands into the one error shape; anything else is a bug and stays a 500."""
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
