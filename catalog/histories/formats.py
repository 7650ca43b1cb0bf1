"""Which reader reads what, and what a file is that was taken for something else."""

from types import ModuleType

from catalog.errors import InvalidHistory
from catalog.histories import imdb, letterboxd, plain, trakt
from catalog.histories.entries import Entry, all_broken
from catalog.histories.files import File, files_of
from catalog.models import HistoryImport

Format = HistoryImport.Format
READERS: dict[str, ModuleType] = {
    Format.LETTERBOXD: letterboxd,
    Format.IMDB: imdb,
    Format.TRAKT: trakt,
    Format.CSV: plain,
}


def read_history(*, format: str, name: str, content: bytes) -> list[Entry]:
    """All rows of the file or zip, those with a problem too. Raises InvalidHistory, UploadTooLarge."""
    reader = READERS[format]
    files = files_of(name, content)
    mine = [file for file in files if reader.is_mine(file)]
    if not mine:
        raise InvalidHistory(f"{name}: expected {reader.EXPECTED}; {_what_it_is(files)}.")
    entries: list[Entry] = reader.read(mine)
    if not entries:
        raise InvalidHistory(f"{name}: expected {reader.EXPECTED}; this one holds no movie.")
    if problem := all_broken(entries):
        raise InvalidHistory(f"{name}: no row of it can be read. {problem}")
    return entries


def _what_it_is(files: list[File]) -> str:
    for format, reader in READERS.items():
        if any(_is_of(reader, file) for file in files):
            return f"this one looks like one of {Format(format).label}, so choose that"
    if not files:
        return "the zip holds no .csv and no .json"
    return "this one has neither its columns nor those of another site that is known here"


def _is_of(reader: ModuleType, file: File) -> bool:
    try:
        return bool(reader.is_mine(file))
    except InvalidHistory:
        return False
