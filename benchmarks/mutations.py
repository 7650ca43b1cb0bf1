"""Randomly damages an upload, without ever marking a movie as watched.

For example, a mutation of a date changes an existing date and never fills an empty cell. If a reader takes a row of the
damaged upload for watched, but not the same row of the sound one, it has guessed.
"""

from __future__ import annotations

import csv
import json
import re
import zipfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import PurePosixPath
from random import Random
from typing import Any, NamedTuple

Table = list[list[str]]

VALUES = [
    "", "0", "-1", "null", "nan", "None", "1e400", "9" * 400, "949.0", "½", "★★★", "=1+1", "\u202e", "\ufffd", "\x1c",
    "tt", "tt0", "nm0000001", "https://", "'", "x" * 5000, "٣", "²", "true", "-", "[]", "{}",
]  # fmt: skip
DATES = [
    "2093-01-01", "0000-00-00", "0001-01-01", "9999-12-31T23:59:59+23:59", "05/06/2023", "31/12/2023", "12/31/2023",
    "1.2.2024", "45296", "45296.75", "1700000000", "1700000000000", "Thu Jan  5 00:00:00 2017",
    "2024-02-30", "yesterday", "2024-W01-1", "2024-01-31T24:00:00Z", "1970-01-01T00:00:00.000Z", "-0001-01-01",
    "20240131", "2024-1-5",
]  # fmt: skip
ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1", "cp437", "shift_jis", "utf-7"]
LINE_ENDS = ["\r\n", "\r", "\n\n", "\n\r", "\u2028", "\x0b"]
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{4}")


@dataclass(frozen=True)
class Upload:
    """An upload. `files` are keyed by path. `name` ends in .zip if they are packed."""

    name: str
    files: dict[str, bytes]

    @property
    def content(self) -> bytes:
        if not self.name.endswith(".zip"):
            return next(iter(self.files.values()))
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            for path, content in self.files.items():
                file.writestr(path, content)
        return packed.getvalue()

    def changed(self, path: str, content: bytes) -> Upload:
        return Upload(self.name, self.files | {path: content})


class Damaged(NamedTuple):
    """A damaged upload. For a rewritten table, `origins` maps line numbers in `file` to those in the sound one."""

    name: str
    content: bytes
    file: str = ""
    origins: tuple[tuple[int, int], ...] = ()


def damage(kind: str, upload: Upload, random: Random) -> Damaged:
    """Returns the name and content of the upload after one mutation of this kind."""
    return MUTATIONS[kind](upload, random)


def _bytes(upload: Upload, random: Random) -> Damaged:
    """Flips, drops, doubles or inserts bytes, including those of the zip itself, or truncates the file."""
    content = bytearray(upload.content)
    for _ in range(random.choice([1, 1, 1, 2, 5, 50])):
        at = random.randrange(len(content)) if content else 0
        match random.randrange(5):
            case 0 if content:
                content[at] ^= 1 << random.randrange(8)
            case 1:
                del content[at : at + random.choice([1, 1, 2, 10, 100])]
            case 2:
                content[at:at] = content[at : at + random.choice([1, 2, 10, 100])]
            case 3:
                content[at:at] = bytes(random.choices([0, 34, 44, 10, 13, 59, 9, 91, 123, 200, 255], k=3))
            case _ if random.random() < 0.2:
                del content[at:]
    return Damaged(upload.name, bytes(content))


def _columns(upload: Upload, random: Random) -> Damaged:
    """Moves, drops, doubles, renames or adds a column of a table, or a cell of one row."""

    def change(table: Table) -> None:
        width = len(table[0])
        at, to = random.randrange(width), random.randrange(width + 1)
        match random.randrange(6):
            case 0:
                order = random.sample(range(width), width)
                table[:] = [[row[n] for n in order] if len(row) == width else row for row in table]
            case 1:
                table[:] = [row[:at] + row[at + 1 :] for row in table]
            case 2:
                table[:] = [row[:to] + row[at : at + 1] + row[to:] for row in table]
            case 3:
                table[0][at] = random.choice(["", "?", "Spalte 1", "column", table[0][at].upper(), f" {table[0][at]} "])
            case 4:
                table[:] = [[*row[:to], random.choice(VALUES), *row[to:]] for row in table]
            case _:
                row = random.choice(table)
                row[:] = row[:at] if random.random() < 0.5 else [*row, *random.choices(VALUES, k=2)]

    return _in_a_table(upload, random, change)


def _values(upload: Upload, random: Random) -> Damaged:
    """Replaces values of a table or document, but never by a date or a word for watched."""

    def change(table: Table) -> None:
        for _ in range(random.choice([1, 1, 3, 10])):
            row = random.choice(table[1:] or table)
            row[random.randrange(len(row))] = random.choice(VALUES)

    def change_item(holder: Any, key: Any) -> None:
        new: list[Any] = [*VALUES, None, 0, -1, True, 1.5, 10**30, float("inf"), [], {}, [[]], {"ids": {}}, "nested"]
        value = random.choice(new)
        holder[key] = _nested(random.choice([2, 50, 5000])) if value == "nested" else value

    return _in_a_table_or_document(upload, random, change, change_item)


def _dates(upload: Upload, random: Random) -> Damaged:
    """Replaces some or all existing dates by other spellings or by invalid ones."""

    def change_text(text: str) -> str:
        new, share = random.choice(DATES), random.choice([0.1, 0.5, 1])
        return _DATE.sub(lambda found: new if random.random() < share else found[0], text)

    return _in_text(upload, random, change_text)


def _separators(upload: Upload, random: Random) -> Damaged:
    """Writes a table with another separator, quoting or line end, or with a line before the header."""

    def change_text(text: str) -> str:
        table = _table(text)
        written = StringIO()
        quoting = random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        separator, end = random.choice(",;\t|:"), random.choice(["\n", *LINE_ENDS])
        csv.writer(written, delimiter=separator, quoting=quoting, lineterminator=end).writerows(table)
        before = random.choice(["", "", f"sep={separator}{end}", end, "My films\n", "\ufeff"])
        return before + written.getvalue()

    return _in_text(upload, random, change_text)


def _encodings(upload: Upload, random: Random) -> Damaged:
    path = random.choice(list(upload.files))
    text = text_of(upload.files[path])
    damaged = upload.changed(path, text.encode(random.choice(ENCODINGS), errors="replace"))
    return Damaged(damaged.name, damaged.content)


def _rows(upload: Upload, random: Random) -> Damaged:
    """Doubles, drops and shuffles rows or items. Does not change a doubled row."""

    def change(table: Table) -> None:
        body = table[1:]
        table[1:] = random.choices(body, k=random.randrange(2 * len(body) + 1)) if body else []

    def change_item(holder: Any, key: Any) -> None:
        if isinstance(holder, list):
            holder.append(holder[key])
        else:
            del holder[key]

    return _in_a_table_or_document(upload, random, change, change_item)


def _names(upload: Upload, random: Random) -> Damaged:
    """Renames, moves or removes the upload or a file of the zip. New names have no meaning.

    A file of a zip stays in its folder, whose name may mean that its rows were deleted.
    """
    path = PurePosixPath(random.choice(list(upload.files)))
    ending = path.suffix
    names = [f"4f1c{ending}", path.name.upper(), f"é ü{ending}", f"x{path.name}", f"New folder/{path.name}", "/", "\\"]
    new = random.choice(names)
    if not upload.name.endswith(".zip"):
        return Damaged(PurePosixPath(new).name, upload.content)
    new = random.choice([f"a/b/{path}", f"New folder/{path}", str(path).upper(), *[str(path.parent / new)] * 3])
    files = {new if name == str(path) else name: content for name, content in upload.files.items()}
    if random.random() < 0.3:
        del files[new]
    return Damaged(upload.name, Upload(upload.name, files).content)


MUTATIONS: dict[str, Callable[[Upload, Random], Damaged]] = {
    "bytes": _bytes,
    "columns": _columns,
    "values": _values,
    "dates": _dates,
    "separators": _separators,
    "encodings": _encodings,
    "rows": _rows,
    "names": _names,
}


def text_of(content: bytes) -> str:
    """Decodes a sound file in any encoding."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _in_text(upload: Upload, random: Random, change: Callable[[str], str]) -> Damaged:
    path = random.choice(list(upload.files))
    damaged = upload.changed(path, change(text_of(upload.files[path])).encode("utf-8", "surrogatepass"))
    return Damaged(damaged.name, damaged.content)


def _in_a_table(upload: Upload, random: Random, change: Callable[[Table], None]) -> Damaged:
    return _in_a_table_or_document(upload, random, change, lambda holder, key: holder.pop(key))


def _in_a_table_or_document(
    upload: Upload, random: Random, change: Callable[[Table], None], change_item: Callable[[Any, Any], object]
) -> Damaged:
    path = random.choice(list(upload.files))
    text = text_of(upload.files[path])
    if path.endswith(".json"):
        new, origins = _changed_document(text, random, change_item), ()
    else:
        new, origins = _changed_table(text, change)
    damaged = upload.changed(path, new.encode("utf-8", "surrogatepass"))
    return Damaged(damaged.name, damaged.content, path, origins)


def _changed_table(text: str, change: Callable[[Table], None]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Returns the changed text and the pairs of new and old lines. A change keeps rows in place or moves them whole."""
    header = text.split("\n", 1)[0]
    separator = next((sign for sign in ";\t" if sign in header), ",")
    sound = _numbered(text, separator)
    table = [row for _, row in sound]
    change(table)
    lines = {id(row): line for line, row in sound}
    origins = [lines.get(id(row)) or sound[at][0] for at, row in enumerate(table) if row]
    new = _written(table, separator)
    return new, tuple(zip((line for line, _ in _numbered(new, separator)), origins, strict=True))


def _changed_document(text: str, random: Random, change_item: Callable[[Any, Any], object]) -> str:
    document = json.loads(text)
    places = list(_places(document))
    if places:
        change_item(*random.choice(places))
    return json.dumps(document)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Yields every list or object of a document with each index or key."""
    keys = range(len(value)) if isinstance(value, list) else list(value) if isinstance(value, dict) else []
    return [place for key in keys for place in [(value, key), *_places(value[key])]]


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(min(depth, 900)):
        value = [value]
    return value


def _table(text: str, separator: str = ",") -> Table:
    return [row for _, row in _numbered(text, separator)]


def _numbered(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Returns the rows with the lines on which they begin."""
    reader, found, line = csv.reader(StringIO(text, newline=""), delimiter=separator), [], 1
    for row in reader:
        if row:
            found.append((line, row))
        line = reader.line_num + 1
    return found


def _written(table: Table, separator: str) -> str:
    written = StringIO()
    csv.writer(written, delimiter=separator, lineterminator="\n").writerows(table)
    return written.getvalue()
