"""Decides what a file contains, then parses its rows. A missing value never means watched."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from catalog.errors import BadRow, InvalidImport
from catalog.imports.dates import is_ambiguous, orders_in, shown
from catalog.imports.fields import MOVIE, SCALES, STATUS, Field, Kind, ParsedRow, is_surely_id, scale_of
from catalog.imports.lists import NamedList
from catalog.imports.tables import Record, Row, Table, plain
from catalog.imports.words import EMPTY, is_release
from catalog.models.reasons import Code, Reason

FILE_NAME_LENGTH = 200
TEXTS = {"title", "original_title", "site_id"}
IDENTITY = ("title", "imdb_id", "tmdb_id", "movielens_id")
STATEMENTS = {"rating", "watched_on", "status", "plays"}  # fields that determine the kind of a row
NOT_USED, NOT_MOVIES = gettext_noop("not used"), gettext_noop("not movies")
# Questions about a file, each with the possible answers.
QUESTIONS = {
    "dates": (_("day or month first?"), {"day-first": _("Day first"), "month-first": _("Month first")}),
    "columns": (_("what do its columns mean?"), {}),  # answered by a mapping; see imports.mapping
    "rows": (_("watched or wanted?"), {"watched": _("Watched"), "wanted": _("On my watchlist")}),
}
SAID_OF_VIEWINGS = {"rating", "is_rewatch", "review"}
ANSWERED_KINDS = {"watched": Kind.WATCHED, "wanted": Kind.WANTED}

Columns = Sequence[tuple[str, Field]]  # a column may appear twice, with different fields
Answers = Mapping[str, Any]  # texts, except for "columns"


class Part(NamedTuple):
    """A kind of file in an export, or of list within a file.

    A table belongs to the first part whose `columns` it has and whose pattern `named` is found in its path. `kind` is
    the default kind of its rows: Kind.NOTHING if there is no default, None if the rows are not used. `ignored` names
    columns with another meaning in this part. `is_mixed` is set if the site stores series in the same file, so that a
    row without a type may be a series. `is_asked` is set if the owner is asked about rows without a status even if
    other rows have one.
    """

    label: str
    kind: Kind | None = None
    columns: Collection[str] = ()
    named: str = ""
    ignored: Collection[str] = ()
    is_mixed: bool = False
    is_asked: bool = False

    def fits(self, path: str, columns: Collection[str]) -> bool:
        return set(self.columns) <= set(columns) and bool(re.search(self.named, f"/{path.casefold()}"))


@dataclass
class FileReport:
    """A file in the preview.

    `parts` are the parts recognised in it, each with whether it is used; empty if none was. `columns` maps columns to
    the labels of their fields. `left_out` counts rows about episodes or people, and about movies in a library that its
    owner neither watched nor rated. Labels are gettext messages.
    """

    file: str
    parts: list[tuple[str, bool]] = field(default_factory=list)
    rows: int = 0
    left_out: int = 0
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def is_put_aside(self) -> bool:
        """Whether the file was recognised and has rows, but contains no ratings, viewings or watchlist."""
        return bool(self.rows and self.columns) and not any(is_used for _, is_used in self.parts)

    def add(self, part: Part, header: Mapping[str, str], columns: Columns) -> None:
        self.parts.append((part.label, part.kind is not None))
        labels = {name: field.label for name, field in columns}
        self.columns = {written: labels.get(name, NOT_USED) for name, written in header.items()}


@dataclass
class Reading:
    """The parsed rows of an upload, including those with a problem, and how its files were interpreted.

    `questions` are pairs of a key of QUESTIONS and the file or column that the question is about. `columns` describes
    each table whose owner may say what its columns mean.
    """

    rows: list[ParsedRow] = field(default_factory=list)
    files: list[FileReport] = field(default_factory=list)
    questions: list[tuple[str, str]] = field(default_factory=list)
    lists: list[NamedList] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)

    @property
    def report(self) -> dict[str, Any]:
        lists = [named._asdict() for named in dict.fromkeys(self.lists)]
        report = {"files": [asdict(file) for file in self.files], "questions": self.questions}
        return report | {"lists": lists, "columns": self.columns}


def columns_of(fields: Columns, part: Part, table: Table, answers: Answers) -> tuple[Columns, list[tuple[str, str]]]:
    """Returns the columns that are used, and open questions. Rating scales and date orders are set for the table."""
    used = [
        (name, field)
        for name, field in fields
        if name in table.columns and name not in part.ignored and not _means_else(name, field, table)
    ]
    dates = {name: list(table.texts(name)) for name, field in used if field.is_date}
    orders = _orders_of(dates, answers)
    unclear = [name for name, texts in dates.items() if orders[name] is None and any(map(is_ambiguous, texts))]
    questions = [("dates", f"{table.name}: {table.header.get(name, name)}") for name in unclear[:1]]
    if _is_open(part, used) and "rows" not in answers and _has_silent_row(table, used):
        questions.append(("rows", table.name))
    settled = [(name, _settled(field, table.texts(name), orders.get(name))) for name, field in used]
    return settled, questions if part.kind is not None else []


def _settled(field: Field, texts: Iterable[str], day_first: bool | None) -> Field:
    if field.is_date:
        return field._replace(parse=partial(field.parse, day_first=day_first))
    return SCALES[scale_of(texts, field.at_least)] if field.at_least else field


def _orders_of(dates: Mapping[str, list[str]], answers: Answers) -> dict[str, bool | None]:
    """Returns whether dates are day-first for each column; None if unknown.

    The order is inferred from the column's own dates, otherwise from the other columns. If that is inconclusive, the
    owner's answer decides.
    """
    said = {name: orders_in(texts) for name, texts in dates.items()}
    everywhere = set().union(*said.values())
    answer = {answers["dates"] == "day-first"} if "dates" in answers else set()
    settled = {name: orders or everywhere for name, orders in said.items()}
    return {name: next(iter(found if len(found) == 1 else answer), None) for name, found in settled.items()}


def _means_else(name: str, field: Field, table: Table) -> bool:
    """Returns whether a column's values show that it contains something other than the field.

    A column named after a site, such as `imdb`, may contain the site's ratings instead of its ids, and a status may be
    the release status.
    """
    if field == STATUS:
        return any(map(is_release, table.texts(name)))
    if f"{plain(name)}_id" != field.name:
        return False
    filled = [text for text in table.texts(name) if text.casefold() not in EMPTY]
    return bool(filled) and not any(is_surely_id(text, field) for text in filled)


def _is_open(part: Part, columns: Columns) -> bool:
    """Returns whether rows without a status may be watched or wanted, which only the owner can say."""
    return part.kind == Kind.NOTHING and (part.is_asked or not any(field.name in STATEMENTS for _, field in columns))


def _has_silent_row(table: Table, columns: Columns) -> bool:
    """Returns whether any row lacks a value in every column that could determine its kind."""
    stating = [name for name, field in columns if field.name in STATEMENTS]
    return any(not any(str(record.values.get(name) or "").strip() for name in stating) for record in table.records)


class RowReader(NamedTuple):
    """Parses the rows of one part of a table. `complete` applies the format's own rules to a row's values."""

    file: str
    part: Part
    columns: Columns
    complete: Callable[[dict[str, Any], Row], None]
    answers: Answers
    named: NamedList | None = None

    def read(self, records: Sequence[Record]) -> list[ParsedRow]:
        if len(records) > (limit := settings.POLICY.imports.max_entries):
            raise InvalidImport(gettext("{file}: expected at most {n:,} rows.").format(file=self.file, n=limit))
        return [self._row(record) for record in records]

    def _row(self, record: Record) -> ParsedRow:
        values, ignored = _values(self.columns, record.values)
        self.complete(values, record.values)
        place = self.file[:FILE_NAME_LENGTH], record.line
        if problem := record.problem or _unknown(values, ignored):
            return ParsedRow(*place, Kind.UNREADABLE, values.get("title", ""), problem=(problem,))
        kind, why_not = self._kind(values)
        if kind == Kind.NOTHING:
            why = tuple(ignored) or (why_not(),)
            return ParsedRow(*place, kind, values.get("title", ""), year=values.get("year"), problem=why)
        if kind == Kind.LISTED:
            values = {name: value for name, value in values.items() if name not in SAID_OF_VIEWINGS}
            values.setdefault("list_name", self.named.key if self.named else "")
        if kind != Kind.WATCHED:
            values.pop("watched_on", None)
        values = {name: value for name, value in values.items() if name not in ("status", "plays")}
        return ParsedRow(*place, kind, **values, ignored=tuple(ignored))

    def _kind(self, values: dict[str, Any]) -> tuple[Kind, Code]:
        """Returns the row's kind, and why it has none if that is NOTHING.

        The row's own values decide, otherwise the part's default, otherwise the owner's answer.
        """
        if not self._settle_type(values):
            return Kind.NOTHING, Code.UNKNOWN_TYPE
        if self.part.kind == Kind.LISTED or "list_name" in values:
            return Kind.LISTED, Code.SILENT
        status = values.get("status")
        says_watched = status is None and ("watched_on" in values or values.get("plays"))
        if says_watched or Kind.WATCHED in (self.part.kind, status):
            return Kind.WATCHED, Code.SILENT
        if status == Kind.WANTED or values.get("rating"):
            return Kind.WANTED if status == Kind.WANTED else Kind.RATED, Code.SILENT
        if self.part.kind == Kind.RATED:
            return Kind.NOTHING, Code.NO_RATING
        if status == Kind.NOTHING:
            return Kind.NOTHING, Code.OTHER_STATUS
        answer = ANSWERED_KINDS.get(self.answers.get("rows", "")) if _is_open(self.part, self.columns) else None
        return Kind(answer or self.part.kind or Kind.NOTHING), Code.SILENT

    def _settle_type(self, values: dict[str, Any]) -> bool:
        """Keeps `medium` only for rows that are not movies. Returns whether the row can be matched safely.

        TMDB numbers series separately from movies, so the id of a title that is not known to be a movie is dropped.
        """
        medium = values.pop("medium", "")
        is_typed = self.part.is_mixed or any(field.name == "medium" for _, field in self.columns)
        is_movie = medium == MOVIE or not (medium or is_typed)
        if not is_movie:
            values.pop("tmdb_id", None)
            values["medium"] = medium
        return bool(is_movie or medium or values.get("imdb_id") or (values.get("title") and values.get("year")))


def _values(columns: Columns, row: Row) -> tuple[dict[str, Any], list[Reason]]:
    """Returns the fields' values, each from its first non-empty column, and the reasons why details were ignored."""
    values: dict[str, Any] = {}
    ignored: list[Reason] = []
    for name, column in columns:
        try:
            text = _as_text(row.get(name))
            if column.name in values or (text.casefold() in EMPTY and (not text or column.name not in TEXTS)):
                continue
            if (value := column.parse(text)) != "":
                values[column.name] = value
        except BadRow as error:
            ignored.append(error.reason)
    return values, ignored


def _unknown(values: Mapping[str, Any], ignored: list[Reason]) -> Reason | None:
    if any(values.get(name) for name in IDENTITY):
        return None
    return ignored[0] if ignored else Code.NO_IDENTITY()


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRow(Code.NOT_A_VALUE(text=shown(str(value))))
    return str(value).strip()
