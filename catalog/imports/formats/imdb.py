"""IMDb's exports: one's ratings, and lists such as the watchlist; every row has an id."""

from contextlib import suppress
from datetime import UTC, datetime

from catalog.errors import BadRow
from catalog.imports.files import File
from catalog.imports.parsing import (
    Kind,
    ParsedRow,
    read_imdb_id,
    read_moment,
    read_stars,
    read_title,
    read_year,
)
from catalog.imports.tables import Row, Table

EXPECTED = "the ratings.csv or the watchlist that IMDb exports (columns Const, Title, Title Type and others)"
_MOVIES = {"movie", "tvmovie", "short", "tvshort", "video", "tvspecial", "featurefilm", "documentary", ""}


def matches(file: File) -> bool:
    return file.name.lower().endswith(".csv") and Table(file).has("Const", "Title", "Title Type")


def read(files: list[File]) -> list[ParsedRow]:
    return [row for file in files for row in _rows(file)]


def _rows(file: File) -> list[ParsedRow]:
    """A list has positions. What is rated in it was seen; the rest is on the watchlist, or was checked in."""
    table = Table(file)
    is_list = table.has("Position")
    unrated = Kind.WATCHED if "check" in file.name.lower() else Kind.WANTED

    def parse(row: Row) -> dict[str, object]:
        rating = read_stars(row.get("your rating") or row.get("you rated") or "", out_of=10)
        if rating is None and not is_list:
            raise BadRow("the rating is missing")
        return {
            "kind": unrated if rating is None else Kind.RATED,
            "title": read_title(row["title"]),
            "original_title": read_title(row.get("original title", "")),
            "year": read_year(row.get("year", "")[:4]),  # of a series it is a span
            "imdb_id": read_imdb_id(row["const"]),
            "medium": _medium(row["title type"]),
            "rating": rating,
            "recorded_at": _moment(row.get("date rated") or row.get("created") or ""),
        }

    return list(table.rows(unrated if is_list else Kind.RATED, parse))


def _medium(title_type: str) -> str:
    """Empty for what a catalogue of movies may hold."""
    name = title_type.strip()
    return "" if name.replace(" ", "").casefold() in _MOVIES else name


def _moment(text: str) -> datetime | None:
    """Exports of before 2017 write `Thu Jan  5 00:00:00 2017`."""
    with suppress(ValueError):
        old = datetime.strptime(text.strip(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        return read_moment(old.isoformat())
    return read_moment(text)
