"""Fills in sentences when they are shown. Their values may have been stored by another version."""

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from django.utils.functional import Promise

NO_VALUE = "?"  # shown for a missing value


def fill(text: str | Promise, values: Mapping[str, Any], *, shown: Callable[[str], str] = str) -> str:
    """Returns the text with its placeholders filled. `shown` formats string values. Never raises.

    Rows of other versions may lack a value or store one of another type. The rest of the sentence is still shown.
    """
    return _TolerantFormatter(shown).vformat(str(text), (), values)


class _TolerantFormatter(Formatter):
    def __init__(self, shown: Callable[[str], str]) -> None:
        self.shown = shown

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key))

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return NO_VALUE
        if isinstance(value, list | tuple):
            return ", ".join(self.format_field(part, format_spec) for part in value)
        if isinstance(value, str):
            return self.shown(value)
        if isinstance(value, float):
            value += 0.0  # a tolerated loss of 0 is negated to -0.0, which would be shown as -0
        try:
            return str(format(value, format_spec))
        except (TypeError, ValueError):
            return str(value)
