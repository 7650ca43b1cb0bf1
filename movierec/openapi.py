"""Extends drf-spectacular's OpenAPI document with errors by status and links."""

from typing import Any

from drf_spectacular import openapi
from drf_spectacular.plumbing import get_lib_doc_excludes
from rest_framework.serializers import CharField, EmailField

from catalog.api.inputs import BodySerializer, QuerySerializer
from movierec.api import PageQuerySerializer, error_codes
from movierec.api_keys import scopes_of

INTRODUCTION = """
Every error is `{"error": {"code", "message", "fields"}}`: a stable code for programs, a message for people, and the
messages of each field that is not valid (empty when the error is not about a field).

| code | meaning |
|---|---|
"""
ERRORS = {
    400: "The request is not as described here, or names another host.",
    401: "No valid key, or a wrong password.",
    403: "The account may not do this, or its key lacks a scope.",
    404: "The request names something that does not exist.",
    405: "The address does not take this method.",
    406: "The answer has none of the accepted media types.",
    409: "The request is as described here, but what is stored or sent does not allow it.",
    413: "The body is too large.",
    415: "The body has another media type.",
    429: "Over the rate limit, for `Retry-After` seconds.",
    503: "The database does not answer. Try again after `Retry-After` seconds.",
}
RETRY_AFTER = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 0}}}
NO_TEXT_WITH_NUL = r"^[^\x00]*$"  # PostgreSQL cannot store NUL

FIRST = "$response.body#/results/0/id"
# OpenAPI links: source operations, target operations, and the values passed from the response to the target. They are
# parameters or a single body expression, because client generators reject a body of several expressions.
LINKS: tuple[tuple[str, str, dict[str, str] | str], ...] = (
    (
        "ratings_create ratings_update",
        "ratings_retrieve ratings_update ratings_destroy",
        {"movie_id": "$response.body#/movie"},
    ),
    ("watchlist_update", "watchlist_retrieve watchlist_destroy", {"movie_id": "$response.body#/movie"}),
    ("diary_create diary_partial_update", "diary_partial_update diary_destroy", {"id": "$response.body#/id"}),
    (
        "lists_create lists_retrieve lists_partial_update",
        "lists_retrieve lists_partial_update lists_destroy lists_movies_update lists_movies_destroy",
        {"id": "$response.body#/id"},
    ),
    (
        "import_create import_retrieve import_commit_create",
        "import_retrieve import_entries_list import_commit_create import_destroy",
        {"id": "$response.body#/id"},
    ),
    ("runs_create", "runs_retrieve runs_cancel_create", {"id": "$response.body#/id"}),
    ("movies_list", "movies_retrieve", {"id": FIRST}),
    ("movies_list", "movies_similar_list ratings_update watchlist_update", {"movie_id": FIRST}),
    ("models_list", "models_retrieve models_promote_create", {"version": "$response.body#/results/0/version"}),
    ("accounts_create", "token_create", "$request.body"),
)


def inherited_docs_left_out() -> list[type]:
    """Return the base classes whose docstrings do not describe their subclasses."""
    return [*get_lib_doc_excludes(), BodySerializer, QuerySerializer]


class AutoSchema(openapi.AutoSchema):
    """Adds the scopes of keys, the parameters of lists, all errors, and the pattern that excludes NUL."""

    def get_override_parameters(self) -> list[Any]:
        parameters = super().get_override_parameters()
        if not self._is_list_view():
            return parameters
        query = getattr(self.view, "query_class", None)
        return [*parameters, *([query] if query else []), *([PageQuerySerializer] if self._get_paginator() else [])]

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is None:
            return None
        if scopes := scopes_of(self.view, self.method):
            operation["x-scopes"] = scopes
            scope = " or ".join(f"`{scope}`" for scope in scopes)
            operation["description"] = f"{operation.get('description', '')}\n\nScope of the key: {scope}.".strip()
        responses = operation["responses"]
        errors = {int(status) for status in responses if status >= "400"} | self._errors(operation)
        operation["responses"] = {status: answer for status, answer in responses.items() if status < "400"} | {
            str(status): {"$ref": f"#/components/responses/Error{status}"} for status in sorted(errors)
        }
        return operation

    def _errors(self, operation: dict[str, Any]) -> set[int]:
        view, has_body = self.view, "requestBody" in operation
        places = {found["in"] for found in operation.get("parameters", ())}
        applies = {
            401: view.authentication_classes,
            403: view.authentication_classes,  # the key lacks a scope
            404: "path" in places or "page" in {found["name"] for found in operation.get("parameters", ())},
            413: has_body,
            415: has_body,
            429: view.throttle_classes,
        }
        return {400, 405, 406, 503} | {status for status, holds in applies.items() if holds}

    def _map_serializer_field(self, field: Any, direction: str, *args: Any, **options: Any) -> Any:
        schema = super()._map_serializer_field(field, direction, *args, **options)
        if direction == "request" and type(field) is CharField and not field.allow_blank:
            schema.setdefault("pattern", NO_TEXT_WITH_NUL)
        return schema

    def _get_request_for_media_type(self, serializer: Any, *args: Any) -> tuple[dict[str, Any], bool]:
        schema, is_required = super()._get_request_for_media_type(serializer, *args)
        return schema, is_required or isinstance(serializer, dict)  # JSON Lines

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        # After super(), because drf-spectacular turns a pattern and a blank string into alternatives, and the blank
        # string matches both.
        for name, field in serializer.fields.items():
            if direction == "request" and type(field) is CharField and field.allow_blank:
                schema["properties"][name]["pattern"] = NO_TEXT_WITH_NUL
            elif isinstance(field, EmailField) and field.allow_blank:
                found = schema["properties"][name]
                text, blank = found.pop("oneOf")
                length = {key: text[key] for key in ("type", "maxLength")}
                found |= {"anyOf": [text, blank]} if direction == "request" else length
        return schema | getattr(serializer, "schema_rule", {})


def describe_errors(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Add the error format, its codes and the error responses of each status. A hook of drf-spectacular."""
    codes = error_codes()
    rows = [f"| `{code}` | {sentence} |\n" for code, sentence in codes.items()]
    result["info"]["description"] += f"\n{INTRODUCTION}{''.join(rows)}"
    error = {
        "code": {"type": "string", "enum": list(codes)},
        "message": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    }
    shape = {"type": "object", "properties": error, "required": list(error)}
    components = result["components"]
    components["schemas"]["Error"] = {"type": "object", "properties": {"error": shape}, "required": ["error"]}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    components["responses"] = {
        f"Error{status}": {"description": text, "content": content}
        | ({"headers": RETRY_AFTER} if status in (429, 503) else {})
        for status, text in ERRORS.items()
    }
    return result


def add_links(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Add links to follow-up requests that use values of a response. A hook of drf-spectacular."""
    operations = {found["operationId"]: found for methods in result["paths"].values() for found in methods.values()}
    for sources, targets, values in LINKS:
        place = "requestBody" if isinstance(values, str) else "parameters"
        links = {name: {"operationId": name, place: values} for name in targets.split()}
        for source in sources.split():
            for status, answer in operations[source]["responses"].items():
                if status < "300":
                    answer.setdefault("links", {}).update(links)
    return result
