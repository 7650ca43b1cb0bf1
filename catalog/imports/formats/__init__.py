"""Which reader reads what, and what a file is that was taken for something else."""

from types import ModuleType

from catalog.errors import InvalidImport
from catalog.imports.files import File, files_of
from catalog.imports.formats import imdb, letterboxd, plain_csv, trakt
from catalog.imports.parsing import ParsedRow, all_broken
from catalog.models import UserImport

Format = UserImport.Format
READERS: dict[str, ModuleType] = {
    Format.LETTERBOXD: letterboxd,
    Format.IMDB: imdb,
    Format.TRAKT: trakt,
    Format.CSV: plain_csv,
}


def parse_upload(*, format: str, name: str, content: bytes) -> list[ParsedRow]:
    """All rows of the file or zip, those with a problem too. Raises InvalidImport, UploadTooLarge."""
    reader = READERS[format]
    files = files_of(name, content)
    mine = [file for file in files if reader.matches(file)]
    if not mine:
        raise InvalidImport(f"{name}: expected {reader.EXPECTED}; {_what_it_is(files)}.")
    rows: list[ParsedRow] = reader.read(mine)
    if not rows:
        raise InvalidImport(f"{name}: expected {reader.EXPECTED}; this one holds no movie.")
    if problem := all_broken(rows):
        raise InvalidImport(f"{name}: no row of it can be read. {problem}")
    return rows


def _what_it_is(files: list[File]) -> str:
    for format, reader in READERS.items():
        if any(_is_of(reader, file) for file in files):
            return f"this one looks like one of {Format(format).label}, so choose that"
    if not files:
        return "the zip holds no .csv and no .json"
    return "this one has neither its columns nor those of another site that is known here"


def _is_of(reader: ModuleType, file: File) -> bool:
    try:
        return bool(reader.matches(file))
    except InvalidImport:
        return False
