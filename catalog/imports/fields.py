"""A row of an uploaded file, and the fields that its columns may hold: how text becomes a value, and text again.

Parsers get text without spaces around it, never an empty one. They raise BadRow for wrong values; the row is then kept
with its problem, so that its owner sees what was skipped.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.utils import timezone

from catalog.errors import BadRow
from catalog.models import ImportRow

Kind = ImportRow.Kind

TITLE_LENGTH = 300
FIRST_MOVIE = 1870
FIRST_DAY = date(1890, 1, 1)
UNKNOWN_DAYS = (date(1970, 1, 1), date(1, 1, 1))  # placeholders that Trakt and others write for an unknown date
LARGEST_ID = 2**31 - 1
YES, NO = ("1", "yes", "true"), ("0", "no", "false")
_IMDB_ID = re.compile(r"tt0*(\d{1,9})")


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """`recorded_at`: when it was rated or listed. `site_id` tells movies with one name and year apart on their site.
    `medium`: what the title is if not a movie. `problem`: why the row cannot be read."""

    file: str
    line: int
    kind: str
    title: str = ""
    original_title: str = ""
    year: int | None = None
    imdb_id: str = ""
    tmdb_id: int | None = None
    movielens_id: int | None = None
    site_id: str = ""
    medium: str = ""
    rating: float | None = None
    recorded_at: datetime | None = None
    watched_on: date | None = None
    is_rewatch: bool = False
    problem: str = ""


class Field(NamedTuple):
    """A field of ParsedRow. Only values other than None, False and an empty text are written."""

    name: str
    parse: Callable[[str], Any]
    write: Callable[[Any], str] = str


def parse_title(text: str) -> str:
    title = " ".join(text.split())
    if len(title) > TITLE_LENGTH:
        raise BadRow(f"the title is longer than {TITLE_LENGTH} characters")
    return title


def parse_year(text: str) -> int:
    year = text.removesuffix(".0")
    if not _is_number(year) or len(year) != 4 or int(year) < FIRST_MOVIE or int(year) > 2200:
        raise BadRow(f"{shown(year)} is not the year of a movie")
    return int(year)


def parse_imdb_id(text: str) -> str:
    found = _IMDB_ID.fullmatch(text)
    if not found:
        raise BadRow(f"{shown(text)} is not an IMDb id; expected something like tt0133093")
    return f"tt{found[1]:0>7}"


def parse_id(text: str, what: str) -> int:
    number = text.removesuffix(".0")
    if not _is_number(number) or len(number) > 10 or not 0 < int(number) <= LARGEST_ID:
        raise BadRow(f"{shown(number)} is not a {what}")
    return int(number)


def parse_stars(text: str, *, out_of: int) -> float:
    """Rounds to half stars, at least half a star."""
    if not re.fullmatch(r"\d{1,3}([.,]\d{1,4})?", text) or not 0 < (value := float(text.replace(",", "."))) <= out_of:
        raise BadRow(f"{shown(text)} is not a rating above 0 and up to {out_of}")
    return max(round(value / out_of * 10), 1) / 2


def parse_flag(text: str) -> bool:
    if text.casefold() not in YES + NO:
        raise BadRow(f"{shown(text)} is neither yes nor no")
    return text.casefold() in YES


def parse_day(text: str) -> date | None:
    moment = parse_moment(text)
    return moment.date() if moment else None


def parse_moment(text: str) -> datetime | None:
    """Days mean their start, and UTC without a time zone. Placeholder dates are read as no date."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRow(f"{shown(text)} is not a date like 2024-01-31") from None
    moment = moment.replace(tzinfo=UTC) if timezone.is_naive(moment) else moment
    if moment.date() in UNKNOWN_DAYS:
        return None
    now = timezone.now()
    if moment.date() < FIRST_DAY or moment > now + timedelta(days=1):
        raise BadRow(f"{shown(text)} is not in the past")
    return min(moment.astimezone(UTC), now)  # a day may have begun already in its time zone


def day_of(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


TITLE = Field("title", parse_title)
ORIGINAL_TITLE = Field("original_title", parse_title)
YEAR = Field("year", parse_year)
IMDB_ID = Field("imdb_id", parse_imdb_id)
TMDB_ID = Field("tmdb_id", partial(parse_id, what="TMDB id"))
MOVIELENS_ID = Field("movielens_id", partial(parse_id, what="MovieLens id"))
SITE_ID = Field("site_id", str)
OUT_OF_5 = Field("rating", partial(parse_stars, out_of=5), "{:g}".format)
OUT_OF_10 = Field("rating", partial(parse_stars, out_of=10), lambda stars: f"{stars * 2:g}")
RECORDED_ON = Field("recorded_at", parse_moment, day_of)
RECORDED_AT = Field("recorded_at", parse_moment, datetime.isoformat)
WATCHED_ON = Field("watched_on", parse_day)
IS_REWATCH = Field("is_rewatch", parse_flag, lambda is_rewatch: "Yes")
