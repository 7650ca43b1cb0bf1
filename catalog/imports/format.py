"""Base classes of import formats, which parse files into rows and write rows to files."""

import csv
import zipfile
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO, StringIO
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.functional import Promise

from catalog.imports.entries import Entries, Entry
from catalog.imports.fields import Field, Kind, ParsedRow, as_cell
from catalog.imports.lists import NamedList
from catalog.imports.reading import NOT_MOVIES, Answers, Columns, FileReport, Part, Reading, RowReader, columns_of
from catalog.imports.tables import Record, Row, Table


@dataclass(frozen=True)
class Export:
    """An exported file to download."""

    name: str
    content_type: str
    content: bytes

    def as_download(self) -> HttpResponse:
        headers = {"Content-Disposition": f'attachment; filename="{self.name}"', "Cache-Control": "no-store"}
        return HttpResponse(self.content, content_type=self.content_type, headers=headers)


class Format:
    """Base class of import formats. Each module of `imports/formats` defines one as FORMAT; no other file refers to it.

    `position` sorts the formats on pages. `help` explains where the other site offers its export, and `expected`
    completes "expected ..." in the error for a file in another format. `parts` are the kinds of files in the site's
    export; if two of them rate the same movie at the same time, the later part wins. `columns` maps fields to names of
    columns, in lower case; the first non-empty column is used. `marks_rewatches` is set if the site exports every
    viewing but does not say which ones are rewatches.
    """

    code: ClassVar[str]
    label: ClassVar[str]
    position: ClassVar[int]
    help: ClassVar[str | Promise]
    expected: ClassVar[str | Promise]
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)
    marks_rewatches: ClassVar[bool] = False
    parts: ClassVar[Sequence[Part]]
    columns: ClassVar[Mapping[Field, Sequence[str]]]

    def matches(self, table: Table) -> bool:
        """Returns whether the table's columns are those of this format."""
        return any(part.columns for part in self._parts_of(table))

    def part(self, path: str, columns: Collection[str]) -> Part | None:
        """Returns the part of the export to which a file with this path and these columns belongs."""
        return next((part for part in self.parts if part.fits(path, columns)), None)

    def prepared(self, tables: list[Table], answers: Answers) -> list[Table]:
        return tables  # with columns as the owner's answers name them

    def unclear(self, tables: Sequence[Table]) -> Reading | None:
        """Returns a reading that asks about tables of no known format; None if this format cannot ask."""

    def read(self, tables: Sequence[Table], answers: Answers) -> Reading:
        """Parses all tables in this format, and reports the others as not used."""
        reading, found = Reading(), []
        for table in tables:
            report = FileReport(table.path, rows=len(table.records))
            for part, records in self._parts_of(table).items():
                columns, questions = columns_of(self.fields(table.columns), part, table, answers)
                reading.questions += questions
                report.add(part, table.header, columns)
                if part.kind is not None:
                    wanted = [record for record in records if self.is_wanted(record.values)]
                    report.left_out += len(records) - len(wanted)
                    named = self.list_of(part, table, tables) if part.kind == Kind.LISTED else None
                    reading.lists += [named] if named else []
                    rows = RowReader(table.name, part, columns, self.complete, answers, named).read(wanted)
                    found.append((self.parts.index(part), rows))
                    if rows and all(row.medium for row in rows):
                        report.parts = [(NOT_MOVIES, True)]
            reading.files.append(report)
        reading.rows = [row for _, rows in sorted(found, key=lambda pair: pair[0]) for row in rows]
        if self.marks_rewatches:
            reading.rows = _with_rewatches(reading.rows)
        return reading

    def is_wanted(self, row: Row) -> bool:
        """Returns whether the row may describe a movie. Other rows are only counted."""
        return True

    def fields(self, columns: Collection[str]) -> Columns:
        """Returns the fields of a table with these columns, each with a column's name in lower case."""
        return [(name, field) for field, names in self.columns.items() for name in names]

    def complete(self, values: dict[str, Any], row: Row) -> None:
        """Adds or corrects values of a row in a way specific to this format."""

    def list_of(self, part: Part, table: Table, tables: Sequence[Table]) -> NamedList:
        """Returns the list that the rows of a part of kind LISTED belong to. `tables` are all tables of the upload."""
        raise NotImplementedError

    def _parts_of(self, table: Table) -> dict[Part, list[Record]]:
        """Groups the records by the part they belong to. An empty table is assigned a part by its columns."""
        if not table.name.lower().endswith(self.suffixes):
            return {}
        by_columns = defaultdict(list)
        for record in table.records:
            by_columns[record.columns].append(record)
        found: dict[Part, list[Record]] = defaultdict(list)
        for columns, records in (by_columns or {tuple(table.columns): []}).items():
            if part := self.part(table.path, columns):
                found[part] += records
        return found


class ExportFormat(Format, ABC):
    """A format that can also be exported, because another program or this site imports it."""

    @abstractmethod
    def write(self, entries: Entries) -> Export:
        """Writes the entries to a file, omitting details that the format cannot represent."""

    def cells(self, entry: Entry) -> dict[str, str]:
        """Returns the exported values of an entry, keyed by column name in lower case."""
        cells: dict[str, str] = {}
        for field, names in self.columns.items():
            value = getattr(entry, field.name, None) or getattr(entry.movie, field.name, None)
            cells |= dict.fromkeys(names, field.write(value) if value else "")
        return cells

    def csv_of(self, header: Sequence[str], entries: Iterable[Entry], *, before: Iterable[Sequence[str]] = ()) -> bytes:
        """Returns a CSV file. `before` are rows before its header."""
        text = StringIO()
        writer = csv.writer(text)
        writer.writerows([as_cell(cell) for cell in row] for row in before)
        writer.writerow(header)
        for entry in entries:
            cells = self.cells(entry)
            writer.writerow([as_cell(cells.get(name.casefold(), "")) for name in header])
        return text.getvalue().encode()

    def zip_of(self, files: Iterable[tuple[str, bytes]]) -> Export:
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in files:
                file.writestr(name, content)
        return Export(f"movierec-{self.code}.zip", "application/zip", packed.getvalue())


def _with_rewatches(rows: list[ParsedRow]) -> list[ParsedRow]:
    """Marks every viewing of a movie except the first as a rewatch."""
    first: dict[tuple[Any, ...], date] = {}
    for row in rows:
        if row.watched_on is not None:
            first[_identity(row)] = min(first.get(_identity(row), row.watched_on), row.watched_on)
    return [
        replace(row, is_rewatch=True) if row.watched_on is not None and row.watched_on > first[_identity(row)] else row
        for row in rows
    ]


def _identity(row: ParsedRow) -> tuple[Any, ...]:
    return row.imdb_id, row.tmdb_id, row.title, row.year
