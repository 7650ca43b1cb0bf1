"""Any other CSV: one row per rating, viewing or watchlist item, in the columns named here."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.errors import BadRow
from catalog.imports.files import File
from catalog.imports.format import Collection, Export, Format, csv_of
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
from catalog.ingest.titles import parse_title
from catalog.models import Movie

COLUMNS = (
    "title",
    "year",
    "imdb_id",
    "tmdb_id",
    "movielens_id",
    "rating",
    "rating10",
    "rated_at",
    "watched_on",
    "rewatch",
    "watchlist",
)
_NAMES_A_MOVIE = ("title", "imdb_id", "tmdb_id", "movielens_id")
_ALSO = {"imdbid": "imdb_id", "tmdbid": "tmdb_id", "movielensid": "movielens_id", "watcheddate": "watched_on"}


def _matches(file: File) -> bool:
    if not file.name.lower().endswith((".csv", ".tsv", ".txt")):
        return False
    table = Table(file)
    columns = {_ALSO.get(column, column) for column in table.columns}
    return bool(columns.intersection(_NAMES_A_MOVIE)) and not table.has("Title Type")


def _read(files: list[File]) -> list[ParsedRow]:
    return [row for file in files for row in Table(file).rows(Kind.WATCHED, _parse)]


def _parse(row: Row) -> dict[str, object]:
    values = {_ALSO.get(column, column): value for column, value in row.items()}
    of = {name: values.get(name, "") for name in COLUMNS}
    titles = parse_title(read_title(of["title"]))
    fields: dict[str, object] = {
        "title": titles.title,
        "original_title": titles.original_title,
        "year": read_year(of["year"]) or titles.year,
        "imdb_id": read_imdb_id(of["imdb_id"]),
        "tmdb_id": read_id(of["tmdb_id"], "TMDB id"),
        "movielens_id": read_id(of["movielens_id"], "MovieLens id"),
    }
    if not any(fields[name] for name in _NAMES_A_MOVIE):
        raise BadRow("neither a title nor an id")
    rating = read_stars(of["rating"], out_of=5) or read_stars(of["rating10"], out_of=10)
    watched_on = read_day(of["watched_on"])
    return fields | {
        "kind": _kind(of, rating),
        "rating": rating,
        "recorded_at": read_moment(of["rated_at"]),
        "watched_on": watched_on,
        "is_rewatch": read_flag(of["rewatch"]),
    }


def _kind(of: dict[str, str], rating: float | None) -> str:
    is_wanted, is_watched = read_flag(of["watchlist"]), bool(of["watched_on"].strip())
    if is_wanted and (is_watched or rating is not None):
        raise BadRow("rated or watched, and on the watchlist; expected one row for each")
    if is_wanted:
        return Kind.WANTED
    return Kind.RATED if rating is not None and not is_watched else Kind.WATCHED


def _write(collection: Collection) -> Export:
    def row(movie: Movie, **given: Any) -> list[Any]:
        ids = {name: getattr(movie, name) or "" for name in ("imdb_id", "tmdb_id", "movielens_id")}
        values = {"title": movie.title, "year": movie.year or "", **ids, **given}
        return [values.get(column, "") for column in COLUMNS]

    rows = [row(r.movie, rating=f"{r.rating:g}", rated_at=r.rated_at.isoformat()) for r in collection.ratings]
    rows += [
        row(
            v.movie,
            watched_on=v.watched_on or "",
            rewatch="yes" if v.is_rewatch else "",
            rated_at=v.recorded_at.isoformat(),
        )
        for v in collection.viewings
    ]
    rows += [row(item.movie, watchlist="yes", rated_at=item.added_at.isoformat()) for item in collection.watchlist]
    return Export("movierec.csv", "text/csv; charset=utf-8", csv_of(COLUMNS, rows))


FORMAT = Format(
    code="csv",
    label="CSV",
    position=4,
    help=_("A table with columns such as title, year, rating, watched_on."),
    expected="a CSV file with a column title, imdb_id, tmdb_id or movielens_id, and others of " + ", ".join(COLUMNS),
    matches=_matches,
    read=_read,
    write=_write,
)
