"""The parser for all JSON from outside. It limits depth, and rejects values that break other code."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
MAX_DIGITS = 18  # digits of integers; databases store 64 bits
# An escaped character that databases and UTF-8 cannot represent: NUL, or half of a surrogate pair.
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u[dD][89a-fA-F][\da-fA-F]{2})|(\\u0000)"
)


class HugeNumber(str):
    """A number too large to parse, kept as a string. Numeric fields handle it, and text fields reject it."""


class InvalidJSON(ValueError):
    """Invalid JSON. The message says what is wrong. `line` is its line, if known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def parse_json(content: bytes | str, *, lenient: bool = False) -> Any:
    """Parses a document. Numbers that may exceed 64 bits become HugeNumber.

    `lenient` is for files of other sites. NaN and infinities become strings, and characters that cannot be stored
    become U+FFFD. Raises InvalidJSON.
    """
    too_deep = InvalidJSON(f"it is nested more than {MAX_DEPTH} levels deep")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        storable = _ESCAPES.sub(lambda found: r"\ufffd" if found[1] or (lenient and found[2]) else found[0], text)
        if storable != text and not lenient:
            raise InvalidJSON("it contains half of a surrogate pair")
        document = (_LENIENT if lenient else _STRICT).decode(storable)
    except UnicodeDecodeError:
        raise InvalidJSON("it is not in UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidJSON(error.msg, error.lineno) from None
    except RecursionError:
        raise too_deep from None
    if _is_deeper(document, MAX_DEPTH):
        raise too_deep
    return document


def _is_deeper(document: Any, depth: int) -> bool:
    level = [document]
    for _ in range(depth):
        containers = (outer for outer in level if isinstance(outer, dict | list))
        level = [inner for outer in containers for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return any(isinstance(inner, dict | list) for inner in level)


def _integer(text: str) -> int | str:
    return int(text) if len(text.lstrip("-")) <= MAX_DIGITS else HugeNumber(text)


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else HugeNumber(text)


def _refuse(name: str) -> None:
    raise InvalidJSON(f"{name} is not a number of JSON")


_LENIENT = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=str)
_STRICT = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_refuse)
