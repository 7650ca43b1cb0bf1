"""Parses Wikidata's documents: entities, and results of its query service.

Skips statements that are deprecated, outranked, malformed or without a value. The format is Wikibase's canonical JSON,
in which numbers may be strings and empty maps may be lists.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from catalog.bounds import FIRST_YEAR, LARGEST_ID, LAST_YEAR
from catalog.errors import AnswerRejected
from catalog.text import visible

YEAR, MONTH, DAY = 9, 10, 11  # precisions; lower ones are decades and centuries, higher ones are hours and less
GREGORIAN = "Q1985727"
MINUTES = {"Q7727": Decimal(1), "Q11574": Decimal(1) / 60, "Q25235": Decimal(60)}  # minutes per unit
LONGEST_RUNTIME = 32_767
ANY_LANGUAGE = "mul"  # code of the label for all languages without their own
_ITEM = re.compile(r"(?:https?://www\.wikidata\.org/entity/)?Q([1-9]\d{0,9})")
_TIME = re.compile(r"\+(\d{4})-(\d\d)-(\d\d)T00:00:00Z")
_AMOUNT = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?")


class When(NamedTuple):
    """A date with its precision. Sorts chronologically."""

    year: int
    day: date | None = None


class Entity(NamedTuple):
    """A Wikidata item. `qid` is its number, which differs from the requested one if that was merged into it."""

    qid: int
    labels: Mapping[str, str] = {}
    claims: Mapping[str, Any] = {}
    articles: Mapping[str, str] = {}  # titles by wiki, such as `enwiki`

    def label(self, languages: Sequence[str]) -> str:
        """Returns the label in the first of the languages that has one, or ""."""
        wanted = [*languages[:1], ANY_LANGUAGE, *languages[1:]]
        return next((self.labels[language] for language in wanted if language in self.labels), "")

    def values(self, name: str, kind: str) -> Iterator[tuple[Any, Mapping[str, Any]]]:
        """Yields the values of a property with their qualifiers, in the order of its statements."""
        for statement in best_ranked(self.claims.get(name)):
            if (value := value_of(statement.get("mainsnak"), kind)) is not None:
                yield value, _mapping(statement.get("qualifiers"))

    def texts(self, name: str) -> list[str]:
        return [text for value, _ in self.values(name, "string") if (text := as_text(value))]

    def items(self, name: str) -> list[int]:
        """Returns the numbers of the items without duplicates."""
        found = (item_number(value) for value, _ in self.values(name, "wikibase-entityid"))
        return list(dict.fromkeys(number for number in found if number))

    def times(self, name: str) -> list[When]:
        return [when for value, _ in self.values(name, "time") if (when := as_time(value))]

    def minutes(self, name: str) -> list[int]:
        return [minutes for value, _ in self.values(name, "quantity") if (minutes := as_minutes(value))]


def best_ranked(statements: Any) -> Sequence[Mapping[str, Any]]:
    """Returns the preferred statements or, if there are none, the normal ones. Deprecated statements are wrong."""
    known = [statement for statement in _sequence(statements) if isinstance(statement, dict)]
    preferred = [statement for statement in known if statement.get("rank") == "preferred"]
    return preferred or [statement for statement in known if statement.get("rank", "normal") == "normal"]


def value_of(snak: Any, kind: str) -> Any:
    """Returns the snak's value if it has this type, or None if the value is unknown or does not exist."""
    value = _mapping(_mapping(snak).get("datavalue"))
    has_one = _mapping(snak).get("snaktype") == "value" and value.get("type") == kind
    return value.get("value") if has_one else None


def item_number(value: Any) -> int | None:
    """Returns 42 for `Q42`, for the URL of that entity, or for a value that refers to it."""
    if isinstance(value, dict):
        value = value.get("id") or f"Q{value.get('numeric-id')}"
    found = _ITEM.fullmatch(value) if isinstance(value, str) else None
    return number if found and (number := int(found[1])) <= LARGEST_ID else None


def as_text(value: Any) -> str:
    return visible(value) if isinstance(value, str) else ""


def as_time(value: Any) -> When | None:
    """Parses a time. `day` is set only if it is known in the Gregorian calendar. Months are reduced to years."""
    time, precision = _mapping(value).get("time"), _number(_mapping(value).get("precision"))
    found = _TIME.fullmatch(time) if isinstance(time, str) else None
    if not found or precision < YEAR or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return None
    year = int(found[1])
    calendar = str(_mapping(value).get("calendarmodel", GREGORIAN))
    if precision < DAY or not calendar.endswith(GREGORIAN):
        return When(year)
    try:
        return When(year, date(year, int(found[2]), int(found[3])))
    except ValueError:  # Wikidata allows 30 February, and day 00
        return When(year)


def as_minutes(value: Any) -> int | None:
    amount, unit = str(_mapping(value).get("amount")), item_number(_mapping(value).get("unit"))
    factor = MINUTES.get(f"Q{unit}")
    if factor is None or not _AMOUNT.fullmatch(amount):
        return None
    minutes = round(Decimal(amount) * factor)
    return minutes if 1 <= minutes <= LONGEST_RUNTIME else None


def as_monolingual(value: Any) -> tuple[str, str]:
    """Returns language and text, or two empty strings if the value is not a text with a language."""
    text, language = as_text(_mapping(value).get("text")), as_text(_mapping(value).get("language"))
    return (language, text) if text and language else ("", "")


def read_entities(answer: Any) -> dict[int, Entity | None]:
    """Returns the items keyed by requested number. Missing ones are None. Raises AnswerRejected."""
    entities = _mapping(answer).get("entities")
    if not isinstance(entities, dict):
        raise AnswerRejected("expected an object with `entities`")
    found: dict[int, Entity | None] = {}
    for key, content in entities.items():
        if (asked := item_number(key)) and isinstance(content, dict):
            qid = item_number(content.get("id")) or asked
            is_missing = "missing" in content
            labels, articles = _texts(content.get("labels"), "value"), _texts(content.get("sitelinks"), "title")
            found[asked] = None if is_missing else Entity(qid, labels, _mapping(content.get("claims")), articles)
    return found


def read_bindings(answer: Any) -> list[dict[str, str]]:
    """Returns the rows of a query result in SPARQL's JSON format. Raises AnswerRejected."""
    rows = _mapping(_mapping(answer).get("results")).get("bindings")
    if not isinstance(rows, list):
        raise AnswerRejected("expected an object with `results.bindings`")
    cells = [_mapping(row).items() for row in rows]
    return [{name: str(_mapping(cell).get("value", "")) for name, cell in row} for row in cells]


def _texts(parts: Any, name: str) -> dict[str, str]:
    """Returns the field `name` of each part as a string, keyed like the parts. Skips parts without text."""
    texts = {key: as_text(_mapping(part).get(name)) for key, part in _pairs(parts)}
    return {key: text for key, text in texts.items() if text}


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    return iter(_mapping(value).items())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _number(value: Any) -> int:
    is_number = type(value) is int or (isinstance(value, str) and value.isdecimal() and len(value) < 5)
    return int(value) if is_number else 0
