"""Parses dates as written by other sites and spreadsheets. Day-month order is decided per column, never per cell."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from catalog.errors import BadRow
from catalog.models.reasons import Code

FIRST_DAY = date(1890, 1, 1)
UNKNOWN_DAYS = (date(1970, 1, 1), date(1, 1, 1))  # placeholders for an unknown date, written by Trakt and others
DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)  # epoch of spreadsheet dates
IMDB_BEFORE_2017 = "%a %b %d %H:%M:%S %Y"
MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
]  # fmt: skip
# A two-digit year is accepted only after "." or "/", because 24-01-05 may start with the year.
_NUMBERS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|(?<=[./])\d\d)(?:[ T,].*)?", re.ASCII)
_NAMED_MONTH = re.compile(r"(\d{1,2})[ -](?P<month>[a-z]{3,9})\.?,?[ -](\d{4})", re.ASCII | re.IGNORECASE)
_NAMED_MONTH_FIRST = re.compile(r"(?P<month>[a-z]{3,9})\.? (\d{1,2}),? (\d{4})", re.ASCII | re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})", re.ASCII)
_SPREADSHEET = re.compile(r"\d{5}(\.\d+)?", re.ASCII)


def says_day_first(text: str) -> bool | None:
    """Returns whether a date like 25/11/2023 starts with the day; None if it is ambiguous.

    With dots, the day always comes first. 25/11/23 is ambiguous, since some countries write the year first.
    """
    found = _NUMBERS.fullmatch(text.strip())
    if not found:
        return None
    if found[2] == ".":
        return True
    if int(found[1]) > 12:
        return True if int(found[4]) > 31 else None
    return False if int(found[3]) > 12 else None


def orders_in(texts: Iterable[str]) -> set[bool]:
    """Returns the day-month orders that the unambiguous dates of a column show. True means day first."""
    return {said for text in texts if (said := says_day_first(text)) is not None}


def is_ambiguous(text: str) -> bool:
    found = _NUMBERS.fullmatch(text.strip())
    return bool(found and says_day_first(text) is None and int(found[1]) != int(found[3]))


def parse_day(text: str, *, day_first: bool | None = None) -> date | None:
    moment = parse_moment(text, day_first=day_first)
    return moment.date() if moment else None


def parse_moment(text: str, *, day_first: bool | None = None) -> datetime | None:
    """Parses a date or time as a UTC datetime. Raises BadRow.

    A date without a time means the start of that day, and a missing time zone means UTC. Returns None for placeholders
    and ambiguous dates.
    """
    if day_first is None and is_ambiguous(text):
        return None
    try:
        moment = _moment(text, bool(day_first))
    except (ValueError, OverflowError):
        raise BadRow(Code.NOT_A_DATE(text=shown(text))) from None
    moment = moment.replace(tzinfo=UTC) if timezone.is_naive(moment) else moment
    if moment.date() in UNKNOWN_DAYS:
        return None
    now = timezone.now()
    if moment.date() < FIRST_DAY or moment > now + timedelta(days=1):
        raise BadRow(Code.NOT_PAST(text=shown(text)))
    return min(moment.astimezone(UTC), now)  # in some time zones the day has begun before it does in UTC


def _moment(text: str, day_first: bool) -> datetime:
    if found := _NUMBERS.fullmatch(text):
        said = says_day_first(text)
        day, month = (1, 3) if (day_first if said is None else said) else (3, 1)
        return datetime(_full(found[4]), int(found[month]), int(found[day]), tzinfo=UTC)
    if found := _YEAR_FIRST.fullmatch(text):
        return datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    if found := _NAMED_MONTH.fullmatch(text) or _NAMED_MONTH_FIRST.fullmatch(text):
        day, year = (int(number) for number in found.groups() if number != found["month"])
        return datetime(year, _month(found["month"]), day, tzinfo=UTC)
    if _SPREADSHEET.fullmatch(text):
        return DAY_ZERO + timedelta(days=float(text))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.strptime(text, IMDB_BEFORE_2017).replace(tzinfo=UTC)


def _full(year: str) -> int:
    """Expands a year to four digits; two digits mean a year of the last hundred."""
    this_year = timezone.now().year
    return int(year) if len(year) == 4 else this_year - (this_year - int(year)) % 100


def _month(name: str) -> int:
    """Returns the number of an English month, given its name or the beginning of it. Raises ValueError if unknown."""
    [number] = [n for n, month in enumerate(MONTHS, 1) if month.startswith(name.casefold())]
    return number


def day_of(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
