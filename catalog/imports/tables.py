"""Reads CSV, JSON and XML files as tables: rows with line numbers, and values keyed by column."""

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from io import StringIO
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError, fromstring

from django.utils.translation import gettext

from catalog.errors import InvalidImport
from catalog.imports.files import File
from catalog.imports.words import EMPTY
from catalog.models.reasons import Code, Reason
from catalog.safe_json import InvalidJSON, parse_json

csv.field_size_limit(max(csv.field_size_limit(), 1 << 20))  # allows long reviews
LIST_DEPTH = 3  # levels of objects around the lists of a JSON file
ITEM_DEPTH = 2  # levels of nested objects within an item of a list
_SEPARATOR = re.compile(r'"?sep=(?P<separator>[^\r\n"])"?\r?\n', re.I)  # Excel's line before the header
_DECLARES = re.compile(r"<!(DOCTYPE|ENTITY)", re.I)

Row = Mapping[str, Any]


class Record(NamedTuple):
    """A row as written. `columns` are in lower case. `problem` explains why values may be in wrong columns."""

    line: int
    columns: tuple[str, ...]
    values: Row
    problem: Reason | None = None


class Table:
    """The records at a path within a file, and what the file says `about` them, such as the name of a list.

    `header` maps lower-case column names to a CSV file's spelling.
    """

    def __init__(self, file: File, path: str, records: list[Record], header: Mapping[str, str], **about: Any) -> None:
        self.file, self.name, self.path, self.records, self.header = file, file.name, path, records, header
        self.about = about

    @cached_property
    def columns(self) -> Collection[str]:
        return self.header or {name for record in self.records for name in record.columns}

    def texts(self, column: str) -> Iterator[str]:
        return (str(record.values.get(column) or "").strip() for record in self.records)


def plain(name: str) -> str:
    """Returns a lower-case column name without separators: `imdb id` and `imdb-id` become `imdbid`."""
    return re.sub(r"[\W_]+", "", name)


def tables_of(file: File) -> list[Table]:
    """Returns the table of a CSV file, the lists of a JSON file, or the items of an XML file. Raises InvalidImport."""
    name = file.name.lower()
    if name.endswith((".xml", ".nfo")):
        return [_xml_table(file)]
    return list(_json_tables(file)) if name.endswith(".json") else [_csv_table(file)]


def _csv_table(file: File) -> Table:
    text = file.text()
    declared = _SEPARATOR.match(text)
    text = text[declared.end() :] if declared else text
    is_list = text.lstrip(' \r\n"').startswith("Letterboxd list export")  # then a table about the list comes first
    line = text.lstrip().split("\n", 2)[: 2 if is_list else 1][-1]
    # Spreadsheets write semicolons in many locales.
    separator = (declared and declared["separator"]) or max(",;\t|", key=line.count)
    rows = csv.reader(StringIO(text, newline=None), delimiter=separator, strict=True)
    lines = _numbered(rows, file.name, 1 if declared else 0)
    _, columns, values = (next(lines, (0, []))[1] for _ in range(3)) if is_list else ([], [], [])
    header = [column.strip() for column in next(lines, (0, []))[1]]
    names, about = tuple(map(str.casefold, header)), dict(zip(map(str.casefold, columns), values, strict=False))
    return Table(file, file.path, [_record(names, *line) for line in lines], _spellings(header), **about)


def _spellings(header: list[str]) -> dict[str, str]:
    """Maps lower-case column names to their spellings. Columns that differ only in case are merged."""
    names = dict.fromkeys(column.casefold() for column in header)
    return {name: ", ".join(dict.fromkeys(column for column in header if column.casefold() == name)) for name in names}


def _record(names: tuple[str, ...], line: int, values: list[str]) -> Record:
    problem = Code.COLUMNS(n=len(values), expected=len(names)) if len(values) != len(names) else None
    cells = list(zip(names, values, strict=False))
    row = dict(cells)
    if len(row) < len(cells):  # of several columns with one name, the first non-empty one is used
        row |= {name: value for name, value in reversed(cells) if value.strip().casefold() not in EMPTY}
    return Record(line, names, row, problem)


def _numbered(rows: Any, name: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yields non-empty rows with their line numbers."""
    line = skipped + 1
    try:
        for row in rows:
            if any(value.strip() for value in row):
                yield line, row
            line = rows.line_num + skipped + 1
    except csv.Error as error:
        message = gettext("{file}, line {line}: expected a row of a CSV file ({error}).")
        raise InvalidImport(message.format(file=name, line=line, error=error)) from None


def _json_tables(file: File) -> Iterator[Table]:
    """Yields the lists of a JSON file. Items are numbered across the file; nested names are joined: `movie.year`."""
    first = 1
    for path, items in _lists(_document(file)):
        found = ((number, _flat(item)) for number, item in enumerate(items, first) if isinstance(item, dict))
        yield Table(file, f"{file.path}{path}", [Record(number, tuple(item), item) for number, item in found], {})
        first += len(items)


def _xml_table(file: File) -> Table:
    """Returns the items of a library exported by Kodi, or the item of an .nfo file, keyed by element name.

    `element` is the item's own element. Elements with a type, such as `uniqueid`, become `uniqueid.imdb`.
    """
    text = file.text()
    if _DECLARES.search(text):  # entities could expand a small file into a huge one
        raise InvalidImport(gettext("{file}: expected XML without a document type.").format(file=file.name))
    end = text.rfind("</")
    try:  # a URL may follow the last element of an .nfo file
        root = fromstring(text[: text.find(">", end) + 1] if end >= 0 else text)
    except ParseError as error:
        message = gettext("{file}, line {line}: expected XML as Kodi exports it.")
        raise InvalidImport(message.format(file=file.name, line=error.position[0])) from None
    rows = [_texts(item) for item in (root if root.tag == "videodb" else [root]) if len(item)]
    return Table(file, file.path, [Record(number, tuple(row), row) for number, row in enumerate(rows, 1)], {})


def _texts(item: Element) -> dict[str, str]:
    """Returns the text of each element, keyed by name. If a name is repeated, the first is used."""
    found: dict[str, str] = {"element": item.tag}
    for part in item:
        found.setdefault(".".join(filter(None, (part.tag, part.get("type")))), (part.text or "").strip())
    return found


def _document(file: File) -> Any:
    try:
        return parse_json(file.text(), lenient=True)
    except InvalidJSON as error:
        where = f"{file.name}, line {error.line}" if error.line else file.name
        message = gettext("{where}: expected JSON as a site exports it ({error}).")
        raise InvalidImport(message.format(where=where, error=error)) from None


def _lists(document: Any, path: str = "", depth: int = LIST_DEPTH) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(document, list):
        yield path, document
    elif isinstance(document, dict) and depth:
        for name, part in document.items():
            yield from _lists(part, f"{path}/{name}", depth - 1)


def _flat(item: dict[str, Any], depth: int = ITEM_DEPTH) -> dict[str, Any]:
    flat = dict(item)
    for name, value in item.items():
        if isinstance(value, dict) and depth:
            flat |= {f"{name}.{inner}": deep for inner, deep in _flat(value, depth - 1).items()}
    return flat
