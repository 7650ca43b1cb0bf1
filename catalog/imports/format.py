"""What an import format declares, and how its files become rows and rows become its files."""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.http import HttpResponse
from django.utils.functional import Promise

from catalog.errors import BadRow, InvalidImport
from catalog.imports.fields import TITLE, TITLE_LENGTH, Field, Kind, ParsedRow, shown
from catalog.imports.tables import Row, Table
from catalog.models import Movie, User

FILE_NAME_LENGTH = 200


class Entry(NamedTuple):
    """A rating, a viewing or an item of the watchlist, to export. `number` counts those of its kind from 1."""

    kind: Kind
    number: int
    movie: Movie
    recorded_at: datetime
    rating: float | None = None
    watched_on: date | None = None
    is_rewatch: bool = False


def entries_of(user: User) -> list[Entry]:
    """All data of the user: ratings, viewings and the watchlist, each oldest first."""
    ratings = user.ratings.select_related("movie").order_by("rated_at", "pk")
    viewings = user.viewings.select_related("movie").order_by("watched_on", "pk")
    listed = user.watchlist.select_related("movie").order_by("added_at", "pk")
    return [
        *(Entry(Kind.RATED, n, row.movie, row.rated_at, rating=row.rating) for n, row in enumerate(ratings, 1)),
        *(
            Entry(Kind.WATCHED, n, row.movie, row.recorded_at, watched_on=row.watched_on, is_rewatch=row.is_rewatch)
            for n, row in enumerate(viewings, 1)
        ),
        *(Entry(Kind.WANTED, n, row.movie, row.added_at) for n, row in enumerate(listed, 1)),
    ]


@dataclass(frozen=True)
class Export:
    """A file to download."""

    name: str
    content_type: str
    content: bytes

    def as_download(self) -> HttpResponse:
        headers = {"Content-Disposition": f'attachment; filename="{self.name}"', "Cache-Control": "no-store"}
        return HttpResponse(self.content, content_type=self.content_type, headers=headers)


class Format:
    """A format is one module of `imports/formats` with a constant FORMAT; no other file mentions it.

    `position` orders the formats on pages. `help` tells people where the other site offers the file, `expected`
    completes "expected ..." when a file has another format. A table with all of `signature` has this format. `columns`
    names the columns that may hold a field, in lower case; the first that is filled counts.
    """

    code: ClassVar[str]
    label: ClassVar[str]
    position: ClassVar[int]
    help: ClassVar[str | Promise]
    expected: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)
    signature: ClassVar[Sequence[str]] = ()
    columns: ClassVar[Mapping[Field, Sequence[str]]]

    def matches(self, table: Table) -> bool:
        """Whether the table has this format. Raises InvalidImport if it cannot be read at all."""
        return table.name.lower().endswith(self.suffixes) and self.recognizes(table.columns)

    def recognizes(self, columns: Iterable[str]) -> bool:
        return set(self.signature) <= set(columns)

    def read(self, tables: list[Table]) -> list[ParsedRow]:
        """All rows of matching tables, those with a problem included."""
        return [row for table in tables for row in self._rows(table)]

    def is_wanted(self, row: Row) -> bool:
        """Whether the row can be about a movie; others are not even mentioned."""
        return True

    def kind(self, table: Table, row: Row) -> Kind:
        raise NotImplementedError

    def parse(self, row: Row) -> dict[str, Any]:
        """Values of the fields that the row has. Raises BadRow."""
        values: dict[str, Any] = {}
        for field in self.columns:
            if field.name not in values and (text := self.text(row, field)):
                values[field.name] = field.parse(text)
        return values

    def text(self, row: Row, field: Field) -> str:
        """The first filled column of the field, or an empty text. Raises BadRow."""
        return next((text for name in self.columns[field] if (text := _as_text(row.get(name)))), "")

    def write(self, entries: Sequence[Entry]) -> Export:
        """Leaves out what the format cannot hold."""
        raise NotImplementedError

    def cells(self, entry: Entry) -> dict[str, str]:
        """What an export says about the entry, by column name in lower case."""
        cells: dict[str, str] = {}
        for field, names in self.columns.items():
            value = getattr(entry, field.name, None) or getattr(entry.movie, field.name, None)
            cells |= dict.fromkeys(names, field.write(value) if value else "")
        return cells

    def csv_of(self, header: Sequence[str], entries: Iterable[Entry]) -> bytes:
        text = StringIO()
        writer = csv.writer(text)
        writer.writerow(header)
        for entry in entries:
            cells = self.cells(entry)
            writer.writerow([cells.get(name.casefold(), "") for name in header])
        return text.getvalue().encode()

    def zip_of(self, tables: Mapping[str, tuple[Sequence[str], Iterable[Entry]]]) -> Export:
        """Tables by file name, each its header and entries."""
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            for name, (header, entries) in tables.items():
                file.writestr(name, self.csv_of(header, entries))
        return Export(f"movierec-{self.code}.zip", "application/zip", packed.getvalue())

    def _rows(self, table: Table) -> Iterator[ParsedRow]:
        limit, file = settings.POLICY.imports.max_entries, table.name[:FILE_NAME_LENGTH]
        records = (record for record in table.records() if self.is_wanted(record.values))
        for number, (line, row, problem) in enumerate(records):
            if number >= limit:
                raise InvalidImport(f"{file}: expected at most {limit:,} rows.")
            kind = self.kind(table, row)
            try:
                if problem:
                    raise BadRow(problem)
                values = self.parse(row)
                if kind == Kind.RATED and "rating" not in values:
                    raise BadRow("the rating is missing")
                yield ParsedRow(file, line, kind, **values)
            except BadRow as error:
                yield ParsedRow(file, line, kind, title=self._title(row), problem=f"{error}.")

    def _title(self, row: Row) -> str:
        """Of a row with a problem."""
        titles = (" ".join(str(row.get(name) or "").split()) for name in self.columns[TITLE])
        return next(filter(None, titles), "")[:TITLE_LENGTH]


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRow(f"{shown(str(value))} is neither text nor a number")
    return str(value).strip()
