"""The known formats; each module of this package adds its own."""

from importlib import import_module
from pkgutil import iter_modules

from catalog.errors import InvalidImport
from catalog.imports.fields import ParsedRow
from catalog.imports.files import files_of
from catalog.imports.format import Export, Format, entries_of
from catalog.imports.tables import Table, table_of
from catalog.models import User


def _discover() -> dict[str, Format]:
    found = [import_module(f"{__name__}.{module.name}").FORMAT for module in iter_modules(__path__)]
    return {format.code: format for format in sorted(found, key=lambda format: format.position)}


FORMATS = _discover()
CHOICES = [(format.code, format.label) for format in FORMATS.values()]


def parse_upload(*, format: str, name: str, content: bytes) -> list[ParsedRow]:
    """All rows of the file or zip, those with a problem included. Raises InvalidImport, UploadTooLarge."""
    chosen = FORMATS[format]
    tables = [table_of(file) for file in files_of(name, content)]
    matching = [table for table in tables if chosen.matches(table)]
    if not matching:
        raise InvalidImport(f"{name}: expected {chosen.expected}; {_what_it_is(tables)}.")
    rows = chosen.read(matching)
    if not rows:
        raise InvalidImport(f"{name}: expected {chosen.expected}; this one contains no movies.")
    if all(row.problem for row in rows):
        first = f"{rows[0].file}, line {rows[0].line}: {rows[0].problem}"
        raise InvalidImport(f"{name}: none of its rows can be read. {first}")
    return rows


def export_ratings(*, user: User, format: str) -> Export:
    """All ratings, viewings and the watchlist, as far as the format can hold them."""
    return FORMATS[format].write(entries_of(user))


def _what_it_is(tables: list[Table]) -> str:
    for format in FORMATS.values():
        if any(_is_of(format, table) for table in tables):
            return f"this one looks like a file from {format.label}, so choose that"
    if not tables:
        return "the zip contains no .csv or .json file"
    return "this one has neither its columns nor those of another known site"


def _is_of(format: Format, table: Table) -> bool:
    try:
        return format.matches(table)
    except InvalidImport:
        return False
