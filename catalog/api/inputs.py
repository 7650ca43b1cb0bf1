"""Input validation of the API. It accepts exactly the input specified by the OpenAPI document.

REST framework converts values where it can ("1" to 1, false to a UUID), treats a blank parameter as missing, and uses
the last of repeated parameters. These serializers reject such values with the error messages of their fields.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.bounds import MAX_IDS
from catalog.models.rating import RATING_STEPS, User
from catalog.safe_json import HugeNumber

MAX_ID = 2**63 - 1
JSON_TYPES: dict[type[serializers.Field], tuple[type, ...]] = {
    serializers.BooleanField: (bool,),
    serializers.IntegerField: (int, HugeNumber),
    serializers.FloatField: (int, float),
    serializers.PrimaryKeyRelatedField: (int, HugeNumber),
    serializers.CharField: (str,),
    serializers.ChoiceField: (str,),
    serializers.UUIDField: (str,),
}
TEXTS: dict[type[serializers.Field], re.Pattern[str]] = {
    serializers.BooleanField: re.compile("true|false|True|False|1|0"),
    serializers.IntegerField: re.compile("-?[0-9]+"),
    serializers.FloatField: re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"),
}


class UsernameField(serializers.RegexField):
    """A username, normalised to a single Unicode form, which may be shorter than the input."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(User.normalize_username(data) if isinstance(data, str) else data)


@extend_schema_field({"type": "number", "format": "double", "minimum": 0.5, "maximum": 5, "multipleOf": 0.5})
class RatingField(serializers.FloatField):
    """A number of half stars, 0.5 to 5.0."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if value not in RATING_STEPS:
            raise serializers.ValidationError(_("Expected a rating of 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5 or 5."))
        return value


ID = " *([0-9]{1,18} *)?"


@extend_schema_field({"type": "string", "pattern": f"^{ID}(,{ID}){{0,{MAX_IDS - 1}}}$"})
class IdsField(serializers.Field):
    """Ids separated by commas."""

    most = MAX_IDS
    default_error_messages = {"invalid": gettext_lazy("Expected comma-separated movie ids, got {value!r}.")}

    def to_internal_value(self, data: str) -> list[int]:
        ids = [part.strip() for part in data.split(",") if part.strip()]
        if len(ids) > self.most:
            values = {"max": self.most, "n": len(ids)}
            raise serializers.ValidationError(_("Expected at most %(max)d ids, got %(n)d.") % values)
        for part in ids:
            if not (part.isascii() and part.isdigit() and len(part) < 19):
                self.fail("invalid", value=part)
        return [int(part) for part in ids]


class BodySerializer(serializers.Serializer[Any]):
    """A JSON body. Every value must have the type of its field."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        given = self.given(data)
        mistyped = dict(self._mistyped(given))
        try:
            values = super().to_internal_value({name: given[name] for name in given if name not in mistyped})
        except serializers.ValidationError as error:
            raise serializers.ValidationError(dict(error.detail) | mistyped) from None  # type: ignore[arg-type]
        if mistyped:
            raise serializers.ValidationError(mistyped)
        return values

    def _mistyped(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, field in self.fields.items():
            if field.read_only or name not in given or self.fits(field, given[name]):
                continue
            one: serializers.Field = getattr(field, "child", field)
            known = next(key for key in ("invalid", "incorrect_type", "invalid_choice") if key in one.error_messages)
            try:
                one.fail(known, value=given[name], input=given[name], data_type=type(given[name]).__name__)
            except serializers.ValidationError as error:
                yield name, error.detail

    def given(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the values, keyed by field name."""
        return data

    def fits(self, field: serializers.Field, value: Any) -> bool:
        """Returns whether the value has the field's type. The field itself checks null."""
        types = next((types for kind, types in JSON_TYPES.items() if isinstance(field, kind)), None)
        if value is None or types is None or type(value) in types:
            return True
        return int in types and isinstance(value, float) and value.is_integer()  # in JSON, 1.0 is an integer


class QuerySerializer(BodySerializer):
    """A query string or form. Values are strings. Only list fields may be repeated."""

    def given(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(data, QueryDict):
            return data
        found = {name: data.getlist(name) for name in data if name in self.fields}
        many = {name for name, field in self.fields.items() if isinstance(field, serializers.ListField)}
        return {n: values if n in many or len(values) > 1 else values[0] for n, values in found.items()}

    def fits(self, field: serializers.Field, value: Any) -> bool:
        if isinstance(field, serializers.ListField):
            return all(self.fits(field.child, each) for each in value)
        if isinstance(field, serializers.FileField):
            return not isinstance(value, list)
        pattern = next((pattern for kind, pattern in TEXTS.items() if isinstance(field, kind)), None)
        return isinstance(value, str) and (pattern is None or pattern.fullmatch(value) is not None)


@cache
def _shared(serializer_class: type[BodySerializer]) -> BodySerializer:
    """Returns a shared instance, because creating a serializer takes longer than using it.

    The instance does not store the validated data.
    """
    return serializer_class()


def read(serializer_class: type[BodySerializer], data: Any) -> dict[str, Any]:
    """Returns the validated values. Raises ValidationError with the messages of each invalid field."""
    try:
        return dict(_shared(serializer_class).run_validation(data))
    except serializers.ValidationError:
        serializer = serializer_class(data=data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class FilteredListMixin:
    """A view set whose list accepts the parameters of `query_class` as filters. Parameters have the names of fields."""

    query_class: type[QuerySerializer]
    action: str
    request: Any

    def filter_queryset(self, rows: QuerySet) -> QuerySet:
        return (
            self.filter_list(rows, read(self.query_class, self.request.query_params)) if self.action == "list" else rows
        )

    def filter_list(self, rows: QuerySet, query: dict[str, Any]) -> QuerySet:
        return rows.filter(**query)
