"""Parses the tables of a MovieLens data set: movies with their ids and keywords, and ratings.

The parsers raise BadRow for invalid rows. Every row is one line, so an unclosed quote damages only its own row.
"""

import csv
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator
from datetime import UTC, datetime
from typing import Any

from catalog.bounds import LARGEST_ID
from catalog.errors import BadRow
from catalog.ingest.movielens.files import MovieLensFiles
from catalog.ingest.movies import MovieRecord
from catalog.ingest.ratings import RatingRow
from catalog.ingest.titles import parse_title
from catalog.models.rating import CLOCK_TOLERANCE, RATING_STEPS

FIRST_RATING = int(datetime(1995, 1, 1, tzinfo=UTC).timestamp())  # MovieLens began in 1995
TITLE_LENGTH, GENRE_LENGTH, TAG_LENGTH = 300, 60, 120
_RATINGS = {
    spelling.encode(): step for step in RATING_STEPS for spelling in (f"{step:g}", f"{step:.1f}", f"{step:.2f}")
}
_GENRE_NAMES = {"Children's": "Children"}  # the spelling in ml-1m and ml-10m
_NO_GENRES = "(no genres listed)"
# Text around the digits of an id: spaces, a URL, IMDb's letters, decimals added by pandas.
_DECORATION = re.compile(r"^\s*(https?://\S*/(?=tt))?(tt(?=\d))?|(\.0+)?/?\s*$")
# Tags used at least this often become keywords. Each movie keeps its most frequent ones.
TAG_USED_AT_LEAST = 2
KEYWORDS_PER_MOVIE = 30


def read_movies(files: MovieLensFiles) -> dict[int, MovieRecord]:
    """Returns movies by MovieLens id, with external ids and keywords if the data set has them."""
    movies: dict[int, MovieRecord] = {}

    def parse(line: bytes) -> MovieRecord:
        record = parse_movie(line, files.separator)
        if record.movielens_id in movies:
            raise BadRow(f"movie {record.movielens_id} appears twice")
        return record

    for record in files.read("movies", parse):
        movies[record.movielens_id or 0] = record
    if files.has("links"):
        for movie, imdb_id, tmdb_id in files.read("links", lambda line: parse_link(line, files.separator)):
            if movie in movies:
                movies[movie].imdb_id, movies[movie].tmdb_id = imdb_id, tmdb_id
    if files.has("tags"):
        for movie, keywords in _keywords(files).items():
            if movie in movies:
                movies[movie].keywords = keywords
    return movies


def read_ratings(files: MovieLensFiles, movies: Container[int], *, title: str, report: bool) -> Iterator[RatingRow]:
    """Yields valid ratings in file order. Set `report` in only one of several passes."""
    latest = int(time.time() + CLOCK_TOLERANCE.total_seconds())
    parse = rating_parser(files.separator, movies=movies, latest=latest)
    return files.read("ratings", parse, title=title, report=report)


def _keywords(files: MovieLensFiles) -> dict[int, tuple[str, ...]]:
    used = Counter(files.read("tags", lambda line: parse_tag(line, files.separator)))
    overall: Counter[str] = Counter()
    for (_, tag), n in used.items():
        overall[tag] += n
    by_movie: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for (movie, tag), n in used.items():
        if overall[tag] >= TAG_USED_AT_LEAST:
            by_movie[movie].append((-n, tag))
    return {movie: tuple(tag for _, tag in sorted(tags)[:KEYWORDS_PER_MOVIE]) for movie, tags in by_movie.items()}


def rating_parser(separator: bytes, *, movies: Container[int], latest: int) -> Callable[[bytes], RatingRow]:
    """Returns a parser of `user, movie, rating, timestamp`. `movies` are known ids, `latest` the last valid time."""

    def parse(line: bytes) -> RatingRow:
        fields = line.rstrip(b"\r\n").split(separator)
        if b'"' in line:
            fields = [field.encode() for field in _fields(line, separator, 4)]
        if len(fields) != 4:
            raise BadRow(f"the row has {len(fields)} columns; expected 4")
        user, movie, rating, rated_at = fields
        row = RatingRow(_id(user, "user id"), _id(movie, "movie id"), _rating(rating), _seconds(rated_at, latest))
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
        movielens_id=_id(movie.encode(), "movie id"),
        genres=tuple(_GENRE_NAMES.get(name, name) for name in names if name),
    )


def parse_link(line: bytes, separator: bytes) -> tuple[int, str | None, int | None]:
    """Returns the MovieLens id, the IMDb id (as `tt0114709`) and the TMDB id.

    An invalid IMDb or TMDB id is dropped.
    """
    movie, *others = _fields(line, separator, 3)
    row: list[Any] = [_id(movie.encode(), "movie id")]
    problems = []
    for text, what in zip(others, ("IMDb id", "TMDB id"), strict=True):
        bare = _DECORATION.sub("", text)
        try:
            row.append(_id(bare.encode(), what) if bare.strip("0") else None)
        except BadRow as error:
            row.append(None)
            problems.append(str(error))
    if row[1]:
        row[1] = f"tt{row[1]:07d}"
    if problems:
        raise BadRow("; ".join(problems), rest=tuple(row))
    return tuple(row)


def parse_tag(line: bytes, separator: bytes) -> tuple[int, str]:
    """Returns the MovieLens id, and the tag in lower case with single spaces."""
    _, movie, tag, _ = _fields(line, separator, 4)
    name = " ".join(tag.lower().split())
    if not name or len(name) > TAG_LENGTH:
        raise BadRow(f"a tag has 1 to {TAG_LENGTH} characters; this one has {len(name)}")
    return _id(movie.encode(), "movie id"), name


def _fields(line: bytes, separator: bytes, expected: int) -> list[str]:
    """Splits a line. Commas follow csv rules. dat files have no quotes, and old ones are encoded as Latin-1."""
    if b"\0" in line:
        raise BadRow("the row contains a NUL character")
    is_csv = separator == b","
    try:
        text = line.rstrip(b"\r\n").decode()
        fields = next(csv.reader([text], strict=True), []) if is_csv else text.split(separator.decode())
    except UnicodeDecodeError:
        if is_csv:
            raise BadRow("not in UTF-8") from None
        return _fields(line.decode("latin-1").encode(), separator, expected)
    except csv.Error as error:
        raise BadRow(f"not valid csv: {error}") from None
    if len(fields) != expected:
        raise BadRow(f"the row has {len(fields)} columns; expected {expected}")
    return fields


def _id(text: bytes, what: str) -> int:
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
