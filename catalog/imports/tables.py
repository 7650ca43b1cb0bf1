"""Files as tables, whatever they are written in: values by column name, each row with its line number."""

import csv
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from io import StringIO
from typing import Any, NamedTuple

from catalog.errors import InvalidImport
from catalog.imports.files import File
from catalog.safe_json import InvalidJSON, parse_json

csv.field_size_limit(max(csv.field_size_limit(), 1 << 20))  # long reviews
LIST_DEPTH = 3  # of nested objects around the lists of a JSON file
ITEM_DEPTH = 2  # of nested objects within their items

Row = Mapping[str, Any]


class Record(NamedTuple):
    """A row as written. `problem`: why its values may stand in the wrong columns."""

    line: int
    values: Row
    problem: str = ""


class Table:
    """A CSV file, read when asked for. `columns` are in lower case."""

    def __init__(self, file: File) -> None:
        self.file, self.name, self.path = file, file.name, file.path

    @cached_property
    def columns(self) -> Collection[str]:
        return [column.strip().casefold() for column in next(self._lines, (1, []))[1]]

    def records(self) -> Iterator[Record]:
        """All rows; a second call gives none. Raises InvalidImport."""
        expected = len(self.columns)
        for line, values in self._lines:
            problem = f"{len(values)} columns instead of {expected}" if len(values) != expected else ""
            yield Record(line, dict(zip(self.columns, values, strict=False)), problem)

    @cached_property
    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Non-empty rows with their line numbers."""
        text = self.file.text()
        header = text.partition("\n")[0]
        # Many countries' spreadsheets write semicolons.
        rows = csv.reader(StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
        return self._numbered(rows)

    def _numbered(self, rows: Any) -> Iterator[tuple[int, list[str]]]:
        try:
            while True:
                line = rows.line_num + 1
                row = next(rows, None)
                if row is None:
                    return
                if any(value.strip() for value in row):
                    yield line, row
        except csv.Error as error:
            raise InvalidImport(f"{self.name}, line {line}: expected a row of a CSV file ({error}).") from None


class JSONTable(Table):
    """The items of all lists in a JSON file, numbered from 1. Names within an item are joined: `movie.ids.imdb`."""

    @cached_property
    def columns(self) -> Collection[str]:
        return {name for item in self._items for name in item}

    def records(self) -> Iterator[Record]:
        for number, item in enumerate(self._items, start=1):
            yield Record(number, _flat(item))

    @cached_property
    def _items(self) -> list[dict[str, Any]]:
        try:
            return list(_items(parse_json(self.file.text(), lenient=True)))
        except InvalidJSON as error:
            where = f"{self.name}, line {error.line}" if error.line else self.name
            raise InvalidImport(f"{where}: expected JSON as a site exports it ({error}).") from None


def table_of(file: File) -> Table:
    return JSONTable(file) if file.name.lower().endswith(".json") else Table(file)


def _items(document: Any, depth: int = LIST_DEPTH) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        yield from (item for item in document if isinstance(item, dict))
    elif isinstance(document, dict) and depth:
        for part in document.values():
            yield from _items(part, depth - 1)


def _flat(item: dict[str, Any], depth: int = ITEM_DEPTH) -> dict[str, Any]:
    flat = dict(item)
    for name, value in item.items():
        if isinstance(value, dict) and depth:
            flat |= {f"{name}.{inner}": deep for inner, deep in _flat(value, depth - 1).items()}
    return flat
