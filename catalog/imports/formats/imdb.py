"""IMDb's exports: ratings, and lists such as the watchlist. Every row has an id."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.errors import BadRow
from catalog.imports.files import File
from catalog.imports.format import Collection, Export, Format, csv_of, day, zip_of
from catalog.imports.parsing import Kind, ParsedRow, read_imdb_id, read_moment, read_stars, read_title, read_year
from catalog.imports.tables import Row, Table
from catalog.models import Movie

_MOVIES = {"movie", "tvmovie", "short", "tvshort", "video", "tvspecial", "featurefilm", "documentary", ""}
_COLUMNS = [
    "Const", "Your Rating", "Date Rated", "Title", "Original Title", "URL", "Title Type", "IMDb Rating",
    "Runtime (mins)", "Year", "Genres", "Num Votes", "Release Date", "Directors",
]  # fmt: skip


def _matches(file: File) -> bool:
    return file.name.lower().endswith(".csv") and Table(file).has("Const", "Title", "Title Type")


def _read(files: list[File]) -> list[ParsedRow]:
    return [row for file in files for row in _rows(file)]


def _rows(file: File) -> list[ParsedRow]:
    """Lists have positions: their rated items count as ratings, the rest as watchlist or check-ins."""
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
            "year": read_year(row.get("year", "")[:4]),  # a series has a range of years
            "imdb_id": read_imdb_id(row["const"]),
            "medium": _medium(row["title type"]),
            "rating": rating,
            "recorded_at": _moment(row.get("date rated") or row.get("created") or ""),
        }

    return list(table.rows(unrated if is_list else Kind.RATED, parse))


def _medium(title_type: str) -> str:
    """The title type, or an empty text if a catalogue of movies may hold it."""
    name = title_type.strip()
    return "" if name.replace(" ", "").casefold() in _MOVIES else name


def _moment(text: str) -> datetime | None:
    """Also parses `Thu Jan  5 00:00:00 2017`, the form of exports before 2017."""
    with suppress(ValueError):
        old = datetime.strptime(text.strip(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        return read_moment(old.isoformat())
    return read_moment(text)


def _write(collection: Collection) -> Export:
    def row(movie: Movie, rating: str, rated_at: str) -> list[Any]:
        url = f"https://www.imdb.com/title/{movie.imdb_id}/" if movie.imdb_id else ""
        original = movie.original_title or movie.title
        runtime, released = movie.runtime_minutes or "", movie.release_date or ""
        values = [movie.title, original, url, "Movie", "", runtime, movie.year or "", "", "", released, ""]
        return [movie.imdb_id or "", rating, rated_at, *values]

    ratings = [row(r.movie, f"{r.rating * 2:g}", day(r.rated_at)) for r in collection.ratings]
    listed = [
        [position, day(item.added_at), *row(item.movie, "", "")]
        for position, item in enumerate(collection.watchlist, 1)
    ]
    return zip_of(
        "imdb",
        {"ratings.csv": csv_of(_COLUMNS, ratings), "watchlist.csv": csv_of(["Position", "Created", *_COLUMNS], listed)},
    )


FORMAT = Format(
    code="imdb",
    label="IMDb",
    position=2,
    help=_("Your ratings, Export: the CSV file; your watchlist likewise."),
    expected="the ratings.csv or the watchlist that IMDb exports (columns Const, Title, Title Type and others)",
    matches=_matches,
    read=_read,
    write=_write,
)
