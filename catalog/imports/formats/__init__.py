"""The known formats; each module of this package adds its own."""

from importlib import import_module
from pkgutil import iter_modules

from catalog.errors import InvalidImport
from catalog.imports.files import File, files_of
from catalog.imports.format import Collection, Export, Format
from catalog.imports.parsing import ParsedRow, all_broken
from catalog.models import User


def _discover() -> dict[str, Format]:
    found = [import_module(f"{__name__}.{module.name}").FORMAT for module in iter_modules(__path__)]
    return {format.code: format for format in sorted(found, key=lambda format: format.position)}


FORMATS = _discover()
CHOICES = [(format.code, format.label) for format in FORMATS.values()]


def parse_upload(*, format: str, name: str, content: bytes) -> list[ParsedRow]:
    """All rows of the file or zip, those with a problem included. Raises InvalidImport, UploadTooLarge."""
    chosen = FORMATS[format]
    files = files_of(name, content)
    matching = [file for file in files if chosen.matches(file)]
    if not matching:
        raise InvalidImport(f"{name}: expected {chosen.expected}; {_what_it_is(files)}.")
    rows = chosen.read(matching)
    if not rows:
        raise InvalidImport(f"{name}: expected {chosen.expected}; this one contains no movies.")
    if problem := all_broken(rows):
        raise InvalidImport(f"{name}: none of its rows can be read. {problem}")
    return rows


def export_ratings(*, user: User, format: str) -> Export:
    """All ratings, viewings and the watchlist, as far as the format can hold them."""
    return FORMATS[format].write(Collection.of(user))


def _what_it_is(files: list[File]) -> str:
    for format in FORMATS.values():
        if any(_is_of(format, file) for file in files):
            return f"this one looks like a file from {format.label}, so choose that"
    if not files:
        return "the zip contains no .csv or .json file"
    return "this one has neither its columns nor those of another known site"


def _is_of(format: Format, file: File) -> bool:
    try:
        return format.matches(file)
    except InvalidImport:
        return False
