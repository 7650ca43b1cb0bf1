"""The import formats. Each module of this package registers its own."""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.utils.translation import gettext

from catalog.errors import InvalidImport
from catalog.imports import mapping
from catalog.imports.entries import Entries
from catalog.imports.fields import Kind
from catalog.imports.files import File, files_of
from catalog.imports.format import Export, ExportFormat, Format
from catalog.imports.reading import Answers, FileReport, Reading
from catalog.imports.tables import Table, tables_of
from catalog.models import User
from catalog.models.reasons import describe


def _discover() -> dict[str, Format]:
    found = [import_module(f"{__name__}.{module.name}").FORMAT for module in iter_modules(__path__)]
    return {format.code: format for format in sorted(found, key=lambda format: format.position)}


FORMATS = _discover()
CHOICES = [(format.code, format.label) for format in FORMATS.values()]
EXPORTED = {code: format for code, format in FORMATS.items() if isinstance(format, ExportFormat)}


def read_upload(*, format: str, name: str, content: bytes, answers: Answers | None = None) -> Reading:
    """Parses a file or zip, and reports how its files were interpreted. Raises InvalidImport, UploadTooLarge.

    `answers` are the owner's answers to earlier questions, keyed as in `reading.QUESTIONS`.
    """
    chosen = FORMATS[format]
    tables, reports, problems = _tables(chosen, files_of(name, content))
    if problems and not tables:
        raise InvalidImport(problems[0])
    tables = chosen.prepared(tables, answers or {})
    reading = _read(chosen, tables, answers or {})
    if reading is None:
        message = gettext("{file}: expected {expected}; {what}.")
        raise InvalidImport(message.format(file=name, expected=chosen.expected, what=_what_it_is(tables)))
    reading.files += reports
    if not reading.rows and not any(file.is_put_aside for file in reading.files):
        message = gettext("{file}: expected {expected}; this one contains no movies.")
        raise InvalidImport(message.format(file=name, expected=chosen.expected))
    if reading.rows and all(row.kind == Kind.UNREADABLE for row in reading.rows):
        first = reading.rows[0]
        message = gettext("{file}: none of its rows can be read. {first}, line {line}: {why}.")
        why = describe(first.problem)
        raise InvalidImport(message.format(file=name, first=first.file, line=first.line, why=why))
    return reading


def read_for(*, user: User, format: str, name: str, content: bytes, answers: Answers) -> tuple[Reading, dict[str, Any]]:
    """Parses a user's upload with what they said earlier about files with the same header, if they say nothing now.

    Returns the answers that were used, too. Raises InvalidImport, UploadTooLarge.
    """
    used = dict(answers)
    if "columns" in used:
        used["columns"] = mapping.checked(used["columns"])
    reading = read_upload(format=format, name=name, content=content, answers=used)
    if "columns" not in used and (said := mapping.remembered(user, reading.columns)):
        used["columns"] = said
        reading = read_upload(format=format, name=name, content=content, answers=used)
    return reading, used


def _read(chosen: Format, tables: Sequence[Table], answers: Answers) -> Reading | None:
    if any(map(chosen.matches, tables)):
        return chosen.read(tables, answers)
    is_of_another = any(format.matches(table) for format in FORMATS.values() for table in tables)
    return None if is_of_another else chosen.unclear(tables)


def _tables(format: Format, files: Sequence[File]) -> tuple[list[Table], list[FileReport], list[str]]:
    """Returns the tables in the files, reports on the files without tables, and the errors of unreadable files."""
    tables: list[Table] = []
    reports, problems = [], []
    for file in files:
        try:
            found = tables_of(file) if file.content else []
        except InvalidImport as error:
            problems.append(str(error))
            reports.append(FileReport(file.path, [(str(error), False)]))
            continue
        tables += found
        if not found:
            part = format.part(file.path, ())
            reports.append(FileReport(file.path, [(part.label, False)] if part else []))
    return tables, reports, problems


def export_ratings(*, user: User, format: str) -> Export:
    """Exports a user's ratings, viewings and watchlist, omitting what the format cannot represent."""
    return EXPORTED[format].write(Entries(user))


def _what_it_is(tables: Sequence[Table]) -> str:
    for format in FORMATS.values():
        if any(format.matches(table) for table in tables):
            return gettext("this one looks like a file from {site}, so choose that").format(site=format.label)
    if not tables:
        return gettext("it contains no table (.csv), no list (.json) and no library (.xml)")
    return gettext("this one has neither its columns nor those of another known site")
