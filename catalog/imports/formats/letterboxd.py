"""Letterboxd's export: a zip, or one of its tables. The tables overlap."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.errors import BadRow, InvalidImport
from catalog.imports.files import File
from catalog.imports.format import Collection, Export, Format, csv_of, day, zip_of
from catalog.imports.parsing import (
    Kind,
    ParsedRow,
    read_day,
    read_flag,
    read_id,
    read_imdb_id,
    read_moment,
    read_stars,
    read_title,
    read_year,
)
from catalog.imports.tables import Row, Table
from catalog.models import Movie

TABLES = ("watched", "watchlist", "diary", "reviews", "ratings")  # if two rate the same movie, the later table counts
_OTHER_FOLDERS = {"deleted", "orphaned", "likes", "lists"}
_IDS = ["imdbID", "tmdbID"]


def _matches(file: File) -> bool:
    return file.name.lower().endswith(".csv") and Table(file).has("Date", "Name", "Year", "Letterboxd URI")


def _read(files: list[File]) -> list[ParsedRow]:
    """Reads the tables of the outermost folder that has any."""
    if len(files) > 1:
        files = _of_the_export(files)
    tables = sorted(((_table_of(file), file) for file in files), key=lambda pair: TABLES.index(pair[0]))
    return [row for name, file in tables for row in _rows(name, file)]


def _of_the_export(files: list[File]) -> list[File]:
    paths = {file.path: PurePosixPath(file.path.lower()) for file in files}
    known = [
        file
        for file in files
        if paths[file.path].stem in TABLES and not _OTHER_FOLDERS.intersection(paths[file.path].parts)
    ]
    depth = min((len(paths[file.path].parts) for file in known), default=0)
    found = {paths[file.path].name: file for file in known if len(paths[file.path].parts) == depth}
    if not found:
        raise InvalidImport(f"Expected {FORMAT.expected}; the zip contains none of these tables.")
    return list(found.values())


def _table_of(file: File) -> str:
    """Told by the columns; watched.csv and watchlist.csv have the same ones and are told by their names."""
    table = Table(file)
    if table.has("Watched Date"):
        return "reviews" if table.has("Review") else "diary"
    if table.has("Rating"):
        return "ratings"
    for name in ("watchlist", "watched"):
        if name in file.name.lower():
            return name
    raise InvalidImport(
        f"{file.name}: watched.csv and watchlist.csv have the same columns; expected one of the two in the file name."
    )


def _rows(name: str, file: File) -> list[ParsedRow]:
    kind = {"ratings": Kind.RATED, "watchlist": Kind.WANTED}.get(name, Kind.WATCHED)
    is_of_movies = name not in ("diary", "reviews")  # diary and review addresses identify the entry, not the movie

    def parse(row: Row) -> dict[str, object]:
        rating = read_stars(row.get("rating", ""), out_of=5)
        if kind == Kind.RATED and rating is None:
            raise BadRow("the rating is missing")
        title = read_title(row["name"])
        if not title:
            raise BadRow("the name is missing")
        return {
            "title": title,
            "year": read_year(row["year"]),
            "imdb_id": read_imdb_id(row.get("imdbid", "")),
            "tmdb_id": read_id(row.get("tmdbid", ""), "TMDB id"),
            "site_id": row["letterboxd uri"].strip() if is_of_movies else "",
            "rating": rating,
            "recorded_at": read_moment(row["date"]),
            "watched_on": read_day(row.get("watched date", "")),
            "is_rewatch": read_flag(row.get("rewatch", "")),
        }

    return list(Table(file).rows(kind, parse))


def _write(collection: Collection) -> Export:
    columns = ["Date", "Name", "Year", "Letterboxd URI", *_IDS]

    def row(moment: datetime, movie: Movie, *more: Any) -> list[Any]:
        return [day(moment), movie.title, movie.year or "", "", movie.imdb_id or "", movie.tmdb_id or "", *more]

    dated = [viewing for viewing in collection.viewings if viewing.watched_on]
    diary = [row(v.recorded_at, v.movie, "", "Yes" if v.is_rewatch else "", "", v.watched_on) for v in dated]
    undated = [viewing for viewing in collection.viewings if not viewing.watched_on]
    return zip_of(
        "letterboxd",
        {
            "ratings.csv": csv_of(
                [*columns, "Rating"], (row(r.rated_at, r.movie, f"{r.rating:g}") for r in collection.ratings)
            ),
            "diary.csv": csv_of([*columns, "Rating", "Rewatch", "Tags", "Watched Date"], diary),
            "watched.csv": csv_of(columns, (row(viewing.recorded_at, viewing.movie) for viewing in undated)),
            "watchlist.csv": csv_of(columns, (row(item.added_at, item.movie) for item in collection.watchlist)),
        },
    )


FORMAT = Format(
    code="letterboxd",
    label="Letterboxd",
    position=1,
    help=_("Settings, Data, Export your data: the zip, or one of its tables."),
    expected=(
        "the zip that Letterboxd exports, or its ratings.csv, diary.csv, reviews.csv, watched.csv or watchlist.csv"
    ),
    matches=_matches,
    read=_read,
    write=_write,
)
