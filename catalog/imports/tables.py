"""CSV files: rows by column name, each with its line number."""

import csv
from collections.abc import Callable, Iterator, Mapping
from io import StringIO

from django.conf import settings

from catalog.errors import BadRow, InvalidImport
from catalog.imports.files import File
from catalog.imports.parsing import ParsedRow

csv.field_size_limit(max(csv.field_size_limit(), 1 << 20))  # long reviews
Row = Mapping[str, str]


class Table:
    """A CSV file; `columns` are in lower case."""

    def __init__(self, file: File) -> None:
        self.name = file.name
        text = file.text()
        first = text[: text.find("\n")] if "\n" in text else text
        self._rows = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(first), strict=True)
        header = next(self._read(), (1, []))[1]
        self.columns = [column.strip().casefold() for column in header]

    def has(self, *columns: str) -> bool:
        return all(column.casefold() in self.columns for column in columns)

    def rows(self, kind: str, parse: Callable[[Row], dict[str, object]]) -> Iterator[ParsedRow]:
        """`parse` returns a row's fields, `kind` included if it differs; a BadRow becomes the row's problem."""
        for number, (line, values) in enumerate(self._read()):
            if number >= settings.POLICY.imports.max_entries:
                raise InvalidImport(f"{self.name}: expected at most {number:,} rows.")
            row = dict(zip(self.columns, values, strict=False))
            try:
                if len(values) != len(self.columns):
                    raise BadRow(f"{len(values)} columns instead of {len(self.columns)}")
                yield ParsedRow(self.name, line, **{"kind": kind, **parse(row)})  # type: ignore[arg-type]
            except BadRow as error:
                yield ParsedRow(self.name, line, kind, title=_title_of(row), problem=f"{error}.")

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        """Non-empty rows with their line numbers."""
        try:
            while True:
                line = self._rows.line_num + 1
                row = next(self._rows, None)
                if row is None:
                    return
                if any(value.strip() for value in row):
                    yield line, row
        except csv.Error as error:
            raise InvalidImport(f"{self.name}, line {line}: expected a row of a CSV file ({error}).") from None


def _delimiter(header: str) -> str:
    """Guesses the delimiter: many countries' spreadsheets write semicolons."""
    return max(",;\t", key=header.count)


def _title_of(row: Row) -> str:
    return next((" ".join(row[name].split())[:300] for name in ("name", "title") if name in row), "")
