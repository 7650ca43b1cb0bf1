"""Parsers for the rows of MovieLens files; they raise BadRow for invalid rows.

Every row is one line, so an unclosed quote damages only its own row.
"""

import csv
from collections.abc import Callable, Container
from datetime import UTC, datetime

from catalog.errors import BadRow
from catalog.ingest.movies import MovieRecord
from catalog.ingest.ratings import RatingRow
from catalog.ingest.titles import parse_title
from catalog.models.rating import RATING_STEPS

LARGEST_ID = 2**31 - 1
FIRST_RATING = int(datetime(1995, 1, 1, tzinfo=UTC).timestamp())  # MovieLens began in 1995
TITLE_LENGTH, GENRE_LENGTH, TAG_LENGTH = 300, 60, 120
_RATINGS = {
    spelling.encode(): step for step in RATING_STEPS for spelling in (f"{step:g}", f"{step:.1f}", f"{step:.2f}")
}
_GENRE_NAMES = {"Children's": "Children"}  # the spelling of ml-1m and ml-10m
_NO_GENRES = "(no genres listed)"


def rating_parser(separator: bytes, *, movies: Container[int], latest: int) -> Callable[[bytes], RatingRow]:
    """A parser for `user, movie, rating, timestamp`; `movies` are the known ids, `latest` the last allowed second."""

    def parse(line: bytes) -> RatingRow:
        fields = line.rstrip(b"\r\n").split(separator)
        if b'"' in line:
            fields = [field.encode() for field in split_row(line, separator)]
        if len(fields) != 4:
            raise BadRow(f"{len(fields)} columns instead of 4")
        user, movie, rating, rated_at = fields
        row = RatingRow(
            _whole_number(user, "user id"),
            _whole_number(movie, "movie id"),
            _rating(rating),
            _seconds(rated_at, latest),
        )
        if row.rated_at < FIRST_RATING and not line.endswith(b"\n"):
            raise BadRow("the file ends within this row")
        if row.movie not in movies:
            raise BadRow(f"movie {row.movie} is not among the movies")
        return row

    return parse


def parse_movie(line: bytes, separator: bytes) -> MovieRecord:
    movie, text, genres = _fields(line, separator, 3)
    title = parse_title(text)
    if not title.title:
        raise BadRow("the title is empty")
    if max(len(title.title), len(title.original_title)) > TITLE_LENGTH:
        raise BadRow(f"the title is longer than {TITLE_LENGTH} characters")
    names = dict.fromkeys(name.strip() for name in genres.split("|")) if genres.strip() != _NO_GENRES else {}
    if any(len(name) > GENRE_LENGTH for name in names):
        raise BadRow(f"a genre is longer than {GENRE_LENGTH} characters")
    return MovieRecord(
        title=title.title,
        original_title=title.original_title,
        year=title.year,
        movielens_id=_whole_number(movie.encode(), "movie id"),
        genres=tuple(_GENRE_NAMES.get(name, name) for name in names if name),
    )


def parse_link(line: bytes, separator: bytes) -> tuple[int, str | None, int | None]:
    """Returns the MovieLens id, the IMDb id (as `tt0114709`) and the TMDB id."""
    movie, imdb, tmdb = _fields(line, separator, 3)
    return (
        _whole_number(movie.encode(), "movie id"),
        f"tt{_whole_number(imdb.encode(), 'IMDb id'):07d}" if imdb.strip() else None,
        _whole_number(tmdb.encode(), "TMDB id") if tmdb.strip() else None,
    )


def parse_tag(line: bytes, separator: bytes) -> tuple[int, str]:
    """Returns the MovieLens id and the tag, in lower case with single spaces."""
    _, movie, tag, _ = _fields(line, separator, 4)
    name = " ".join(tag.lower().split())
    if not name or len(name) > TAG_LENGTH:
        raise BadRow(f"a tag has 1 to {TAG_LENGTH} characters; this one has {len(name)}")
    return _whole_number(movie.encode(), "movie id"), name


def split_row(line: bytes, separator: bytes) -> list[str]:
    """Splits by csv rules for commas; dat files have no quotes. Old files are in Latin-1."""
    if b"\0" in line:
        raise BadRow("the row contains a NUL character")
    text = _decode(line, strict=separator == b",").rstrip("\r\n")
    if separator != b",":
        return text.split(separator.decode())
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise BadRow(f"not valid csv: {error}") from None


def _decode(line: bytes, *, strict: bool) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        if strict:
            raise BadRow("not in UTF-8") from None
        return line.decode("latin-1")


def _fields(line: bytes, separator: bytes, expected: int) -> list[str]:
    fields = split_row(line, separator)
    if len(fields) != expected:
        raise BadRow(f"{len(fields)} columns instead of {expected}")
    return fields


def _whole_number(text: bytes, what: str) -> int:
    if not text.isdigit() or len(text) > 10 or not 0 < (number := int(text)) <= LARGEST_ID:
        raise BadRow(f"{what} {_shown(text)} is not a whole number from 1 to {LARGEST_ID}")
    return number


def _rating(text: bytes) -> float:
    rating = _RATINGS.get(text)
    if rating is None:
        raise BadRow(f"rating {_shown(text)} is not one of 0.5, 1, 1.5, ... 5")
    return rating


def _seconds(text: bytes, latest: int) -> int:
    if not text.isdigit() or len(text) > 12 or not (seconds := int(text)) <= latest:
        raise BadRow(f"timestamp {_shown(text)} is not a past time in seconds since 1970")
    return seconds


def _shown(text: bytes) -> str:
    return repr(text[:40].decode("utf-8", errors="backslashreplace"))
