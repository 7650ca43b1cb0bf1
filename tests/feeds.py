"""Reads feeds with independent parsers."""

from functools import cache
from typing import Any

import feedparser
import jsonschema
from drf_spectacular.generators import SchemaGenerator
from icalendar import Calendar

# Fields that Radarr reads from a list (StevenLuAPI.cs). A movie may have more.
RADARR = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"title": {"type": "string", "minLength": 1}, "imdb_id": {"type": ["string", "null"]}},
        "required": ["title", "imdb_id"],
    },
}


def rss_of(answer: Any) -> Any:
    """Parses RSS. Raises an error if the parser had to guess."""
    assert answer["Content-Type"] == "application/rss+xml; charset=utf-8"
    found = feedparser.parse(answer.content)
    assert not found.bozo, found.bozo_exception
    assert found.version == "rss20"
    return found


def calendar_of(answer: Any) -> Any:
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    calendar = Calendar.from_ical(answer.content)
    broken = {str(part.get("uid")): part.errors for part in calendar.walk() if part.errors}
    assert not broken, broken
    return calendar


def json_of(answer: Any, operation: str) -> Any:
    """Parses JSON and validates it against the operation in the OpenAPI document."""
    jsonschema.Draft202012Validator(_schema(operation), format_checker=jsonschema.FormatChecker()).validate(
        answer.json()
    )
    return answer.json()


@cache
def _schema(operation: str) -> dict[str, Any]:
    document = SchemaGenerator().get_schema(request=None, public=True)
    of_get = [methods["get"] for methods in document["paths"].values() if "get" in methods]
    [found] = [one for one in of_get if one["operationId"] == operation]
    content = found["responses"]["200"]["content"]["application/json"]
    return {**_with_null(content["schema"]), "components": _with_null(document["components"])}


def _with_null(schema: Any) -> Any:
    """Converts `nullable` of OpenAPI 3.0 to JSON Schema."""
    if isinstance(schema, list):
        return [_with_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _with_null(part) for name, part in schema.items() if name != "nullable"}
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found
