"""Rows of uploaded files and the fields that their columns may contain, with parsing and formatting of the values.

Parsers receive stripped, non-empty strings and raise BadRow for an invalid value. Only that value is then ignored, and
the preview says so.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from django.utils.translation import gettext_noop as _

from catalog.bounds import FIRST_YEAR, LARGEST_ID, LAST_YEAR
from catalog.errors import BadRow
from catalog.imports import words
from catalog.imports.dates import day_of, parse_day, parse_moment, shown
from catalog.imports.lists import list_name
from catalog.ingest.titles import Reading
from catalog.models import ImportRow
from catalog.models.rating import NOTE_LENGTH
from catalog.models.reasons import Code, Reason

Kind = ImportRow.Kind

TITLE_LENGTH = 300
MOVIE = "movie"
_YEAR = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-])?(\d{4})(?:\.0|\d{4}|\D.*)?")
_IMDB_ID = re.compile(
    r"(?:https?://)?(?:(?:\w+\.)?imdb\.com/(?:[\w-]+/)?title/)?(?:tt)?0*([1-9]\d{0,8})(?:\.0|[/?#].*)?", re.I
)
_ID = re.compile(r"(?:https?://\S+/movies?/)?(\d{1,10})(?:\.0|[-/?#].*)?", re.ASCII)
_FORMULA, _QUOTED_FORMULA = re.compile(r"'*[=+\-@\t\r]"), re.compile(r"''*[=+\-@\t\r]")
_STARS = re.compile("([★⭐]*)(½?)☆*")
_WRITTEN_AS_ID = re.compile(r"tt\d|://", re.I)
_LARGEST_SCORE = {"imdb_id": 9999, "tmdb_id": 100}  # smaller numbers may be the site's ratings or ranks instead of ids
_RATIO = re.compile(r"(\d{1,3}(?:[.,]\d{1,20})?)(?:\s*/\s*(\d{1,3})|\s*(%))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """One row of an uploaded file.

    `recorded_at` is when the movie was rated or listed. `site_id` is the movie's id at the site, which distinguishes
    movies with the same name and year. `readings` are alternative interpretations of the title. `medium` is the type of
    a title that is not a movie. `review` becomes a note. `list_name` is set for kind LISTED. `problem` explains why the
    row imports nothing, `ignored` which details were not used.
    """

    file: str
    line: int
    kind: str
    title: str = ""
    original_title: str = ""
    year: int | None = None
    readings: tuple[Reading, ...] = ()
    imdb_id: str = ""
    tmdb_id: int | None = None
    movielens_id: int | None = None
    site_id: str = ""
    medium: str = ""
    rating: float | None = None
    recorded_at: datetime | None = None
    watched_on: date | None = None
    is_rewatch: bool = False
    review: str = ""
    list_name: str = ""
    problem: tuple[Reason, ...] = ()
    ignored: tuple[Reason, ...] = ()


class Field(NamedTuple):
    """A field of ParsedRow, or one that determines its kind. `label` is its name in the preview.

    Exports leave None, False and empty strings blank. Two properties are decided per column: the day-month order of
    dates, and the scale of ratings, which is out of `at_least` or more.
    """

    name: str
    label: str
    parse: Callable[..., Any]
    write: Callable[[Any], str] = str
    is_date: bool = False
    at_least: int = 0


def as_cell(text: str) -> str:
    """Returns the text of a CSV cell, prefixed with a quote if a spreadsheet would evaluate it as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def from_cell(text: str) -> str:
    """Removes the quote that `as_cell` adds."""
    return text[1:] if _QUOTED_FORMULA.match(text) else text


def parse_title(text: str) -> str:
    title = " ".join(from_cell(text).split())
    if len(title) > TITLE_LENGTH:
        raise BadRow(Code.LONG_TITLE(longest=TITLE_LENGTH))
    return title


def parse_year(text: str) -> int | None:
    """Parses a year. Accepts a full date, and the first year of a range."""
    if _is_zero(text):
        return None
    found = _YEAR.fullmatch(text)
    if not found or not found[1].isascii() or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise BadRow(Code.NOT_A_YEAR(text=shown(text)))
    return int(found[1])


def parse_imdb_id(text: str) -> str:
    """Parses an IMDb id. Accepts a URL, or only the number."""
    if _is_zero(text):
        return ""
    found = _IMDB_ID.fullmatch(text)
    if not found or not found[1].isascii():
        raise BadRow(Code.NOT_AN_IMDB_ID(text=shown(text)))
    return f"tt{found[1]:0>7}"


def parse_id(text: str, what: str) -> int | None:
    if _is_zero(text):
        return None
    found = _ID.fullmatch(text)
    if not found or not 0 < int(found[1]) <= LARGEST_ID:
        raise BadRow(Code.NOT_AN_ID(text=shown(text), what=what))
    return int(found[1])


def parse_number(text: str) -> int | str | None:
    """Parses a TMDB id from a tracker with several sources, some of which have ids that are not numbers."""
    return parse_id(text, "TMDB id") if text.isascii() and text.isdigit() else ""


def parse_stars(text: str, *, out_of: int) -> float | None:
    """Parses a rating and rounds it to half stars, at least half a star. 0 means no rating.

    Values such as `4/5`, `80%` and `★★★★` include their own scale; other numbers are out of `out_of`.
    """
    if stars := _STARS.fullmatch(text):
        value, scale = len(stars[1]) + bool(stars[2]) / 2, 5
    elif ratio := _RATIO.fullmatch(text):
        value, scale = float(ratio[1].replace(",", ".")), 100 if ratio[3] else int(ratio[2] or out_of)
    if not (stars or ratio) or not 0 <= value <= scale or not scale:
        raise BadRow(Code.NOT_A_RATING(text=shown(text), out_of=out_of))
    return max(round(value / scale * 10), 1) / 2 if value else None


def scale_of(texts: Iterable[str], at_least: int) -> int:
    """Returns the scale of a column's ratings: 5, 10 or 100. Ratings that include their own scale are not counted.

    A single rating above 5 rules out a scale of 5. One above 10 may be a typo, so 100 requires more than half of them.
    """
    ratios = [ratio for text in texts if (ratio := _RATIO.fullmatch(text)) and not ratio[2] and not ratio[3]]
    values = [value for ratio in ratios if 0 < (value := float(ratio[1].replace(",", "."))) <= 100]
    if 2 * sum(value > 10 for value in values) > len(values):
        return 100
    return 10 if any(5 < value <= 10 for value in values) else at_least


def is_surely_id(text: str, field: Field) -> bool:
    """Returns whether it is an IMDb or TMDB id and cannot be the site's rating or rank of a movie."""
    try:
        number = str(field.parse(text) or 0).removeprefix("tt")
    except BadRow:
        return False
    return bool(_WRITTEN_AS_ID.search(text)) or int(number) > _LARGEST_SCORE[field.name]


def parse_review(text: str) -> str:
    """Truncates a review to the length of a note."""
    return text if len(text) <= NOTE_LENGTH else f"{text[: NOTE_LENGTH - 1]}…"


def parse_flag(text: str) -> bool:
    if (folded := text.casefold()) not in words.YES | words.NO:
        raise BadRow(Code.NOT_A_FLAG(text=shown(text)))
    return folded in words.YES


def parse_kind(text: str, kind: Kind) -> Kind | str:
    return kind if parse_flag(text) else ""


def parse_plays(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}(\.0)?", text, re.ASCII):
        raise BadRow(Code.NOT_PLAYS(text=shown(text)))
    return int(float(text))


def parse_medium(text: str) -> str:
    """Returns MOVIE for a movie, the type itself for anything else, or "" if the type is unknown."""
    is_movie = words.is_movie_type(text)
    return MOVIE if is_movie else text if is_movie is False else ""


def parse_episode(text: str) -> str:
    """Returns "episode" for a season or episode number, which only series have."""
    return "" if _is_zero(text) else "episode"


def parse_source(text: str) -> str:
    """Returns the source of an id, or "" for sources whose ids identify movies."""
    return "" if text.casefold() in ("tmdb", "imdb", "manual") else text


def _is_zero(text: str) -> bool:
    return text in ("0", "0.0")


TITLE = Field("title", _("title"), parse_title)
ORIGINAL_TITLE = Field("original_title", _("original title"), parse_title)
YEAR = Field("year", _("year"), parse_year)
IMDB_ID = Field("imdb_id", _("imdb id"), parse_imdb_id)
TMDB_ID = Field("tmdb_id", _("tmdb id"), partial(parse_id, what="TMDB id"))
SOURCE_ID = TMDB_ID._replace(name="source_id")  # a TMDB id, if another column names TMDB as its source
TMDB_NUMBER = TMDB_ID._replace(parse=parse_number)
MOVIELENS_ID = Field("movielens_id", _("movielens id"), partial(parse_id, what="MovieLens id"))
SITE_ID = Field("site_id", _("address"), str)
MEDIUM = Field("medium", _("type"), parse_medium)
SOURCE = Field("medium", _("type"), parse_source)
EPISODE = Field("medium", _("type"), parse_episode)
OUT_OF_5 = Field("rating", _("rating out of 5"), partial(parse_stars, out_of=5), "{:g}".format)
OUT_OF_10 = Field("rating", _("rating out of 10"), partial(parse_stars, out_of=10), lambda stars: f"{stars * 2:g}")
OUT_OF_100 = Field("rating", _("rating out of 100"), partial(parse_stars, out_of=100))
RATING, SCORE = OUT_OF_5._replace(at_least=5), OUT_OF_10._replace(at_least=10)
SCALES = {5: OUT_OF_5, 10: OUT_OF_10, 100: OUT_OF_100}
RECORDED_ON = Field("recorded_at", _("recorded on"), parse_moment, day_of, is_date=True)
RECORDED_AT = RECORDED_ON._replace(write=datetime.isoformat)
WATCHED_ON = Field("watched_on", _("watched on"), parse_day, is_date=True)
IS_REWATCH = Field("is_rewatch", _("rewatch"), parse_flag, lambda is_rewatch: "Yes")
REVIEW = Field("review", _("note"), parse_review)
LIST_NAME = Field("list_name", _("list"), list_name)
IS_WATCHED = Field("status", _("watched"), partial(parse_kind, kind=Kind.WATCHED))
IS_WANTED = Field("status", _("wanted"), partial(parse_kind, kind=Kind.WANTED))
STATUS = Field("status", _("status"), words.status_of)
PLAYS = Field("plays", _("plays"), parse_plays)
UNUSED = Field("", _("not used"), str)
