"""What the columns of a CSV file mean according to its owner, remembered for files with the same header."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from catalog.errors import InvalidImport
from catalog.imports import fields
from catalog.imports.fields import Field, is_surely_id
from catalog.imports.tables import Record, Table, plain
from catalog.imports.words import COLUMN_NAMES
from catalog.models import ColumnMapping, User
from catalog.text import fold

SAID = "said:"  # prefix of a column whose owner said what it means
NOTHING = "nothing"
MEANINGS: dict[str, Field] = {
    "title": fields.TITLE,
    "original_title": fields.ORIGINAL_TITLE,
    "year": fields.YEAR,
    "imdb_id": fields.IMDB_ID,
    "tmdb_id": fields.TMDB_ID,
    "movielens_id": fields.MOVIELENS_ID,
    "type": fields.MEDIUM,
    "rating": fields.RATING,
    "rating10": fields.OUT_OF_10,
    "rating100": fields.OUT_OF_100,
    "rated_at": fields.RECORDED_AT,
    "watched_on": fields.WATCHED_ON,
    "rewatch": fields.IS_REWATCH,
    "watched": fields.IS_WATCHED,
    "status": fields.STATUS,
    "watchlist": fields.IS_WANTED,
    "note": fields.REVIEW,
    "list": fields.LIST_NAME,
    NOTHING: fields.UNUSED,
}
IDENTITY = {"title", "original_title", "imdb_id", "tmdb_id", "movielens_id"}
CODES = {(field.name, field.label): code for code, field in reversed(MEANINGS.items())}
SAMPLES, SAMPLE_LENGTH = 3, 40
MAX_COLUMNS = 60
MAX_REMEMBERED = 50  # headers per user


def choices() -> list[tuple[str, str]]:
    """Returns the meanings with their labels."""
    labels = {code: gettext(field.label) for code, field in MEANINGS.items()}
    return list((labels | {"rating": gettext("rating, out of what its values show")}).items())


def checked(columns: Mapping[str, Any]) -> dict[str, str]:
    """Returns the meanings keyed by lower-case column name. Raises InvalidImport for unknown or repeated ones."""
    found = {str(name).strip().casefold(): str(meaning) for name, meaning in columns.items()}
    if unknown := set(found.values()) - MEANINGS.keys():
        message = gettext("A column cannot mean {what}; expected one of {known}.")
        raise InvalidImport(message.format(what=f"'{min(unknown)[:SAMPLE_LENGTH]}'", known=", ".join(MEANINGS)))
    used = [meaning for meaning in found.values() if meaning != NOTHING]
    if repeated := next((meaning for meaning in used if used.count(meaning) > 1), None):
        message = gettext("Several columns mean {what}; expected at most one.")
        raise InvalidImport(message.format(what=repeated))
    return found


def mapped(table: Table, columns: Mapping[str, str]) -> Table:
    """Returns the table with the columns in `columns` renamed to what they mean."""
    said = {name: f"{SAID}{meaning}" for name, meaning in columns.items() if name in table.header}
    names = {name: f"{new}:{name}" if new == f"{SAID}{NOTHING}" else new for name, new in said.items()}
    if not names:
        return table
    records = [
        Record(line, tuple(names.get(name, name) for name in header), _renamed(row, names), problem)
        for line, header, row, problem in table.records
    ]
    return Table(table.file, table.path, records, _renamed(table.header, names))


def _renamed(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in row.items()}


def said_fields(columns: Iterable[str]) -> list[tuple[str, Field]]:
    """Returns the fields of the columns that `mapped` has renamed."""
    said = [(name, _said(name)) for name in columns]
    return [(name, MEANINGS[meaning]) for name, meaning in said if meaning not in ("", NOTHING)]


def _said(name: str) -> str:
    return name.removeprefix(SAID).partition(":")[0] if name.startswith(SAID) else ""


def key_of(table: Table) -> str:
    """Returns a digest of the header, which ignores case, separators and the order of columns."""
    names = sorted(plain(written.casefold()) for written in table.header.values())
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def described(table: Table, known: Mapping[str, Field]) -> dict[str, Any]:
    """Describes each column of a table: its first values, and what it is said, known or guessed to mean."""
    found: list[dict[str, Any]] = []
    for name, written in list(table.header.items())[:MAX_COLUMNS]:
        samples = [text[:SAMPLE_LENGTH] for text in islice(filter(None, table.texts(name)), SAMPLES)]
        meaning = _said(name) or _code_of(known.get(name)) or _guess(name, samples)
        taken = meaning in {other["meaning"] for other in found}
        original = written.casefold() if _said(name) else name
        found.append({"name": original, "samples": samples, "meaning": NOTHING if taken else meaning})
        found[-1]["label"] = written
    return {"file": table.name, "key": key_of(table), "columns": found}


def _code_of(field: Field | None) -> str:
    return CODES.get((field.name, field.label), "") if field else ""


def _guess(name: str, samples: Sequence[str]) -> str:
    """Guesses a meaning that the owner then confirms: by the values that only ids have, or by the column's name."""
    if samples and all(text.startswith("tt") or "imdb.com/title/" in text for text in samples):
        return "imdb_id" if all(is_surely_id(text, fields.IMDB_ID) for text in samples) else NOTHING
    return COLUMN_NAMES.get(fold(name), NOTHING)


def remembered(user: User, tables: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Returns what the user said earlier about the columns of tables with the same headers."""
    saved = dict(
        user.column_mappings.filter(header__in=[table["key"] for table in tables]).values_list("header", "columns")
    )
    return {name: meaning for table in tables for name, meaning in saved.get(table["key"], {}).items()}


def remember(user: User, tables: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Stores what the user said about the columns of each table, and forgets the oldest answers beyond the limit."""
    for table in tables:
        names = {column["name"] for column in table["columns"]}
        said = {name: meaning for name, meaning in columns.items() if name in names}
        if said and not user.column_mappings.filter(header=table["key"], columns=said).exists():
            values = {"columns": said, "confirmed_at": timezone.now()}
            ColumnMapping.objects.update_or_create(user=user, header=table["key"], defaults=values)
    old = user.column_mappings.order_by("-confirmed_at", "-pk").values_list("pk", flat=True)[MAX_REMEMBERED:]
    ColumnMapping.objects.filter(pk__in=list(old)).delete()
