"""What a file is taken for, and how its rows are read once that is known. Nothing absent means watched."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings

from catalog.errors import BadRow, InvalidImport
from catalog.imports.dates import is_ambiguous, order_of, shown
from catalog.imports.fields import EMPTY, OUT_OF_10, Field, Kind, ParsedRow, is_of_ten
from catalog.imports.tables import Record, Row, Table

FILE_NAME_LENGTH = 200
NOTE_LENGTH = 300
TEXTS = {"title", "original_title", "site_id"}
IDENTITY = ("title", "imdb_id", "tmdb_id", "movielens_id")
STATEMENTS = {"rating", "watched_on", "status", "plays"}  # fields that say what a row is
NOT_USED = "not used"
# Questions about a file, with the answers that a person may give.
QUESTIONS = {
    "dates": ("day or month first?", {"day-first": "Day first", "month-first": "Month first"}),
    "rows": ("watched or wanted?", {"watched": "Watched", "wanted": "On my watchlist"}),
}
ANSWERED_KINDS = {"watched": Kind.WATCHED, "wanted": Kind.WANTED}

Columns = Sequence[tuple[str, Field]]  # a column may hold two
Answers = Mapping[str, str]
Complete = Callable[[dict[str, Any], Row], None]


class Part(NamedTuple):
    """What a file, or a list of one, may be: the first with all of `columns`, at a path that `named` is found in.

    `kind` is what its rows are if they do not say otherwise: without one nothing is said, and None means that they are
    not used. `ignored` names columns that mean something else here.
    """

    label: str
    kind: Kind | None = None
    columns: Collection[str] = ()
    named: str = ""
    ignored: Collection[str] = ()

    def fits(self, path: str, columns: Collection[str]) -> bool:
        return set(self.columns) <= set(columns) and bool(re.search(self.named, f"/{path.casefold()}"))


@dataclass
class FileReport:
    """A file in the preview. `columns`: what each was taken for. `left_out`: rows about episodes or people."""

    file: str
    taken_for: str = f"{NOT_USED}: not recognised"
    rows: int = 0
    left_out: int = 0
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def is_put_aside(self) -> bool:
        """Whether it has rows and is known to hold something else than ratings, viewings and the watchlist."""
        return bool(self.rows and self.columns) and self.taken_for.startswith(NOT_USED)

    def add(self, part: Part, header: Mapping[str, str], columns: Columns) -> None:
        label = part.label if part.kind is not None else f"{NOT_USED}: {part.label}"
        is_known = not self.taken_for.startswith(NOT_USED)
        self.taken_for = f"{self.taken_for}, {label}" if is_known else label
        labels = {name: field.label for name, field in columns}
        self.columns = {written: labels.get(name, NOT_USED) for name, written in header.items()}


@dataclass
class Reading:
    """The rows of an upload, those with a problem included, and what was taken for what.

    `questions` are pairs of a key of QUESTIONS and what it is asked about.
    """

    rows: list[ParsedRow] = field(default_factory=list)
    files: list[FileReport] = field(default_factory=list)
    questions: list[tuple[str, str]] = field(default_factory=list)

    @property
    def report(self) -> dict[str, Any]:
        return {"files": [asdict(file) for file in self.files], "questions": self.questions}


def columns_of(fields: Columns, part: Part, table: Table, answers: Answers) -> tuple[Columns, list[tuple[str, str]]]:
    """The columns that are used, with the scale and the order of dates settled for the table; and open questions."""
    used = [(name, field) for name, field in fields if name in table.columns and name not in part.ignored]
    dates = {name: list(table.texts(name)) for name, field in used if field.is_date}
    order = order_of(text for texts in dates.values() for text in texts)
    if order is None and "dates" in answers:
        order = answers["dates"] == "day-first"
    unclear = [name for name, texts in dates.items() if order is None and any(map(is_ambiguous, texts))]
    questions = [("dates", f"{table.name}: {table.header.get(name, name)}") for name in unclear[:1]]
    if _is_open(part, used) and "rows" not in answers:
        questions.append(("rows", table.name))
    settled = [(name, _settled(field, table.texts(name), order)) for name, field in used]
    return settled, questions if part.kind is not None else []


def _settled(field: Field, texts: Iterable[str], day_first: bool | None) -> Field:
    if field.is_date:
        return field._replace(parse=partial(field.parse, day_first=day_first))
    return OUT_OF_10 if field.may_be_of_ten and any(map(is_of_ten, texts)) else field


def _is_open(part: Part, columns: Columns) -> bool:
    """Whether neither the file nor any of its columns can say what the rows are."""
    return part.kind == Kind.NOTHING and not any(field.name in STATEMENTS for _, field in columns)


def read_rows(
    file: str, part: Part, columns: Columns, records: Iterable[Record], complete: Complete, answers: Answers
) -> list[ParsedRow]:
    """`complete` adds what a format knows of a row's values."""
    limit, file = settings.POLICY.imports.max_entries, file[:FILE_NAME_LENGTH]
    answer = ANSWERED_KINDS.get(answers.get("rows", ""), "") if _is_open(part, columns) else ""
    rows = []
    for record in records:
        if len(rows) >= limit:
            raise InvalidImport(f"{file}: expected at most {limit:,} rows.")
        values, ignored = _values(columns, record.values)
        complete(values, record.values)
        if problem := record.problem or _unknown(values, ignored):
            row = ParsedRow(file, record.line, Kind.UNREADABLE, values.get("title", ""), problem=f"{problem}.")
        else:
            row = _row(file, record.line, part, values, ignored, answer)
        rows.append(row)
    return rows


def _row(file: str, line: int, part: Part, values: dict[str, Any], ignored: list[str], answer: str) -> ParsedRow:
    kind, why_not = _kind(part, values, answer)
    if kind == Kind.NOTHING:
        problem = f"{'; '.join(ignored) or why_not}."[:NOTE_LENGTH]
        return ParsedRow(file, line, kind, values.get("title", ""), year=values.get("year"), problem=problem)
    if kind != Kind.WATCHED:
        values.pop("watched_on", None)
    for name in ("status", "plays"):
        values.pop(name, None)
    if values.get("medium"):
        values.pop("tmdb_id", None)  # TMDB numbers series apart from movies
    return ParsedRow(file, line, kind, **values, note="; ".join(ignored)[:NOTE_LENGTH])


def _kind(part: Part, values: Mapping[str, Any], answer: str) -> tuple[Kind, str]:
    """What the row says, or else its file, or else its owner; and why it says nothing."""
    status = values.get("status")
    says_watched = status is None and ("watched_on" in values or values.get("plays"))
    if says_watched or Kind.WATCHED in (part.kind, status):
        return Kind.WATCHED, ""
    if status == Kind.WANTED:
        return Kind.WANTED, ""
    if values.get("rating"):
        return Kind.RATED, ""
    if part.kind == Kind.RATED:
        return Kind.NOTHING, "the rating is missing"
    if status == Kind.NOTHING:
        return Kind.NOTHING, "its status is neither watched nor wanted"
    return Kind(answer or part.kind), "nothing says that it was watched, rated or wanted"


def _values(columns: Columns, row: Row) -> tuple[dict[str, Any], list[str]]:
    """The values of the fields, the first filled column of each, and which details were ignored."""
    values: dict[str, Any] = {}
    ignored = []
    for name, column in columns:
        try:
            text = _as_text(row.get(name))
            if column.name in values or (text.casefold() in EMPTY and (not text or column.name not in TEXTS)):
                continue
            if (value := column.parse(text)) != "":
                values[column.name] = value
        except BadRow as error:
            ignored.append(str(error))
    return values, ignored


def _unknown(values: Mapping[str, Any], ignored: list[str]) -> str:
    if any(values.get(name) for name in IDENTITY):
        return ""
    return ignored[0] if ignored else "neither a title nor an id"


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRow(f"{shown(str(value))} is neither text nor a number")
    return str(value).strip()
