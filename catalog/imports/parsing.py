"""A parsed row of an uploaded file, and parsers for its values.

Parsers raise BadRow for wrong values; the row is then kept with its problem, so that its owner sees what was skipped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from catalog.errors import BadRow
from catalog.models import ImportRow

Kind = ImportRow.Kind

TITLE_LENGTH = 300
FIRST_MOVIE = 1870
FIRST_DAY = date(1890, 1, 1)
UNKNOWN_DAYS = (date(1970, 1, 1), date(1, 1, 1))  # placeholders that Trakt and others write for an unknown date
LARGEST_ID = 2**31 - 1
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


def read_title(text: str) -> str:
    title = " ".join(text.split())
    if len(title) > TITLE_LENGTH:
        raise BadRow(f"the title is longer than {TITLE_LENGTH} characters")
    return title


def read_year(text: str) -> int | None:
    text = text.strip().removesuffix(".0")
    if not text:
        return None
    if not _is_number(text) or len(text) != 4 or int(text) < FIRST_MOVIE or int(text) > 2200:
        raise BadRow(f"{shown(text)} is not the year of a movie")
    return int(text)


def read_imdb_id(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    found = _IMDB_ID.fullmatch(text)
    if not found:
        raise BadRow(f"{shown(text)} is not an IMDb id; expected something like tt0133093")
    return f"tt{found[1]:0>7}"


def read_id(text: str, what: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not _is_number(text) or len(text) > 10 or not 0 < int(text) <= LARGEST_ID:
        raise BadRow(f"{shown(text)} is not a {what}")
    return int(text)


def read_stars(text: str, *, out_of: int) -> float | None:
    """Rounds to half stars, at least half a star."""
    text = text.strip()
    if not text:
        return None
    if not re.fullmatch(r"\d{1,3}([.,]\d{1,4})?", text) or not 0 < (value := float(text.replace(",", "."))) <= out_of:
        raise BadRow(f"{shown(text)} is not a rating above 0 and up to {out_of}")
    return max(round(value / out_of * 10), 1) / 2


def read_flag(text: str) -> bool:
    text = text.strip().casefold()
    if text not in ("", "0", "1", "no", "yes", "false", "true"):
        raise BadRow(f"{shown(text)} is neither yes nor no")
    return text in ("1", "yes", "true")


def read_day(text: str) -> date | None:
    moment = read_moment(text)
    return moment.date() if moment else None


def read_moment(text: str) -> datetime | None:
    """Days mean their start, and UTC without a time zone. Placeholder dates are read as no date."""
    text = text.strip()
    if not text:
        return None
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


def shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def all_broken(rows: Iterable[ParsedRow]) -> str:
    """The first problem, if every row has one; otherwise empty."""
    first = ""
    for row in rows:
        if not row.problem:
            return ""
        first = first or f"{row.file}, line {row.line}: {row.problem}"
    return first


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
