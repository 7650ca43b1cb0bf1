"""Sentences that are filled in when they are shown, maybe long after their values were stored by another version."""

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from django.utils.functional import Promise

NO_VALUE = "?"  # shown in place of a value that is missing


def fill(text: str | Promise, values: Mapping[str, Any], *, shown: Callable[[str], str] = str) -> str:
    """The text with the values in its braces; `shown` says how a text among them is shown. Raises nothing.

    Rows of other versions may lack a value or hold one of another type: the rest of the sentence is still shown.
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
            value += 0.0  # the negative of a tolerated loss of 0 is -0.0, which reads as 0
        try:
            return str(format(value, format_spec))
        except (TypeError, ValueError):
            return str(value)
